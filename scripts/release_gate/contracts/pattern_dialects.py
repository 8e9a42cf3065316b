"""A pattern of RE2 in the words of another engine, so that each finds the same; what has no such words is refused.

Sources: RE2's syntax page; java.util.regex.Pattern (Java 17); PostgreSQL's manual, 9.7.3 (advanced regular
expressions); Python's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\x0b\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SHORT = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_WORD = "[0-9A-Za-z_]"
_BOUNDARY = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_INSIDE = f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))"
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\p\{\^?\w+\}|\\P\{\^?\w+\}|\\x\{[0-9a-fA-F]+\}|\\x[0-9a-fA-F]{2}|\\[0-7]{1,3}|\\.|\[:\^?\w+:\]"
    r"|\(\?P?<\w+>|\(\?[a-zA-Z-]*[:)]|.",
    re.DOTALL,
)


class Dialect(StrEnum):
    """Whose regular expressions an engine runs."""

    RE2 = "RE2"
    JAVA = "Java"
    POSTGRES = "PostgreSQL"
    PYTHON = "Python"


OF_ENGINE: Mapping[str, Dialect] = {
    "duckdb": Dialect.RE2, "bigquery": Dialect.RE2, "clickhouse": Dialect.RE2,
    "pyspark": Dialect.JAVA, "databricks": Dialect.JAVA,
    "postgres": Dialect.POSTGRES, "sqlite": Dialect.PYTHON,
}  # fmt: skip
"""By the name of the Ibis backend; patterns are not judged on another."""
_END = {Dialect.JAVA: r"\z", Dialect.POSTGRES: r"\Z", Dialect.PYTHON: r"\Z"}


def said_in(pattern: str, dialect: Dialect) -> str:
    """The pattern as another engine says it.

    Raises:
        ValueError: it holds what that engine has no words for.
    """
    return pattern if dialect is Dialect.RE2 else "".join(_Translation(pattern, dialect).parts())


class _Translation:
    """One pass over the parts of a pattern; `among` says whether it stands within a set of characters."""

    def __init__(self, pattern: str, dialect: Dialect) -> None:
        self.pattern = pattern
        self.dialect = dialect
        self.among = False
        self.first = False
        self.every = False

    def parts(self) -> Iterator[str]:
        """The parts, translated."""
        if self.dialect is Dialect.JAVA:
            # Only \n ends a line, and letters beyond ASCII have cases too, as in RE2.
            yield "(?du)"
        for found in _TOKEN.finditer(self.pattern):
            yield self._of_set(found[0]) if self.among else self._alone(found[0], found.start())

    def _alone(self, token: str, place: int) -> str:
        if token == "[":
            self.among = self.first = True
            return token
        if token in {"$", r"\z"}:
            return _END[self.dialect]
        if token == "." and not self.every:
            return r"[^\n]"
        if token.startswith("(?"):
            return self._group(token, place)
        if token.startswith(r"\Q"):
            return re.sub(r"(\W)", r"\\\1", token[2:].removesuffix(r"\E"))
        if token == r"\A":
            return "^"
        if token in {r"\b", r"\B"}:
            return _BOUNDARY if token == r"\b" else _INSIDE
        if len(token) == 2 and token[0] == "\\" and token[1].lower() in _SHORT:
            return f"[{'^' if token[1].isupper() else ''}{_SHORT[token[1].lower()]}]"
        return self._escape(token)

    def _of_set(self, token: str) -> str:
        first, self.first = self.first, False
        if token == "^" and first:
            self.first = True
            return token
        if token == "]" and first:
            return r"\]"
        if token == "]":
            self.among = False
            return token
        if token.startswith("[:"):
            name = token[2:-2]
            if name.startswith("^") or name not in _CLASSES:
                raise ValueError(f"{self.dialect} has no words for {token}")
            return _CLASSES[name]
        if len(token) == 2 and token[0] == "\\" and token[1].lower() in _SHORT:
            if token[1].isupper():
                raise ValueError(f"{self.dialect} has no words for {token} within a set")
            return _SHORT[token[1].lower()]
        if token in {"[", "&", "~", "|"}:
            # Elsewhere they join and cut sets.
            return "\\" + token
        return self._escape(token)

    def _group(self, token: str, place: int) -> str:
        flags = token[2:-1]
        if "m" in flags or "U" in flags:
            raise ValueError(f"the flags {token} are not judged by {self.dialect}")
        if token.endswith(">"):
            return "(?:"  # a search needs no names
        if not flags:
            return token
        if self.dialect is Dialect.POSTGRES or self.dialect is Dialect.PYTHON:
            return self._flags_at_start(token, flags, place)
        # Dots are spelled out, so that the flag would come too late.
        if "s" in flags:
            raise ValueError(f"the flags {token} are not judged by {self.dialect}")
        return token

    def _flags_at_start(self, token: str, flags: str, place: int) -> str:
        if place == 0 and token.endswith(")") and set(flags) <= {"i", "s"}:
            self.every = "s" in flags
            said = "".join(sorted(set(flags)))
            if self.dialect is Dialect.POSTGRES:
                return "(?i)" if "i" in flags else ""
            return f"(?{said})"
        if self.dialect is Dialect.PYTHON and token.endswith(":") and set(flags) <= {"i"}:
            return token
        raise ValueError(f"{self.dialect} has no words for {token} in the middle of a pattern")

    def _escape(self, token: str) -> str:
        if token.startswith((r"\p", r"\P", r"\C")) and self.dialect is not Dialect.JAVA:
            raise ValueError(f"{self.dialect} has no words for {token}")
        if token.startswith(r"\p{^"):
            return r"\P{" + token[4:]
        hexadecimal = re.fullmatch(r"\\x\{?([0-9a-fA-F]+)\}?", token)
        if hexadecimal:
            return re.escape(chr(int(hexadecimal[1], 16)))
        return token
