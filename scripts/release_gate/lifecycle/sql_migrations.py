"""SQL migrations: whether each has a way back, and what it drops that no way back returns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from release_gate.lifecycle.migration_files import Migration, Problem, partner, way

_SECTION = re.compile(r"^[ \t]*--[ \t]*(?:migrate:|\+goose[ \t]+|\+migrate[ \t]+)(up|down)\b.*$", re.IGNORECASE | re.M)
_SILENT = re.compile(
    # Comments and texts hold no statements; bodies between dollar signs do.
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:''[^']*)*(?:'|\Z)",
    re.DOTALL,
)
_DROPS = re.compile(
    r"\b(?:DROP\s+(?:FOREIGN\s+)?TABLE|TRUNCATE|DELETE\s+FROM|DROP\s+(?:DATABASE|SCHEMA))\b", re.IGNORECASE
)
_ALTERS = re.compile(r"\bALTER\s+TABLE\b", re.IGNORECASE)
_DROPS_COLUMN = re.compile(
    r"\bDROP\s+(?!(?:CONSTRAINT|INDEX|KEY|PRIMARY|FOREIGN|CHECK|DEFAULT|NOT|EXPRESSION|IDENTITY|PARTITION|SYSTEM|"
    r"TRIGGER|POLICY|RULE)\b)(?:COLUMN\b|[\w\"`\[])",
    re.IGNORECASE,
)
_RAISES = re.compile(r"\b(?:RAISE\s+EXCEPTION|SIGNAL\s+SQLSTATE|THROW\s+[0-9])", re.IGNORECASE)
_NOTHING = re.compile(r"(?:\s|;|\bBEGIN\b|\bCOMMIT\b|\bSELECT\s+(?:1|NULL|TRUE)\b)*", re.IGNORECASE)
_NUMBERED = re.compile(r"(^|/)(?:[VvBb]?[0-9]+[._-][^/]*|migration)\.sql$")


def read(name: str, text: str, texts: Mapping[str, str | None], *, named: bool) -> Migration | None:
    """One SQL file; None for a way back, and for what is no migration."""
    if way(name) == "down":
        return None
    sections = list(_SECTION.finditer(text))
    if sections:
        return _in_sections(name, text, sections)
    back = partner(name)
    if back is not None:
        tool = "Flyway" if back.rpartition("/")[2].startswith("U") and "__" in back else "SQL"
        if back not in texts:
            return _judged(name, tool, silenced(text), None, f"there is no {back}")
        there = texts[back]
        if there is None:
            return Migration(name, tool, (Problem("unreadable", 1, f"{back} can't be read as text"),))
        return _judged(name, tool, silenced(text), silenced(there), f"{back} holds no statement")
    if named or _NUMBERED.search(name):
        return _judged(name, "SQL", silenced(text), None, "it has neither a file nor a section that takes it back")
    return None


def losses(text: str) -> Iterator[tuple[int, str]]:
    """Offset and words of each statement that drops rows, tables or columns; `text` is silenced already."""
    start = 0
    for statement in text.split(";"):
        found = _DROPS.search(statement)
        altered = _ALTERS.search(statement)
        if found is None and altered is not None:
            found = _DROPS_COLUMN.search(statement, altered.end())
        if found is not None:
            words = " ".join(statement[found.start() : found.start() + 60].split())
            yield start + found.start(), words
        start += len(statement) + 1


def silenced(text: str) -> str:
    """The text with blanks for comments and quoted texts; every line and offset stays where it was."""
    return _SILENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def line(text: str, offset: int) -> int:
    """The number of the line at an offset."""
    return text.count("\n", 0, offset) + 1


def _in_sections(name: str, text: str, sections: list[re.Match[str]]) -> Migration:
    """dbmate, goose, sql-migrate: both ways in one file."""
    parts: dict[str, str] = {"up": "", "down": ""}
    silent = silenced(text)
    for found, following in zip(sections, [*sections[1:], None], strict=True):
        way_ = found[1].lower()
        end = following.start() if following else len(text)
        # Blank lines before a part keep its line numbers.
        before = "\n" * (line(text, found.end()) - 1 - parts[way_].count("\n"))
        parts[way_] += before + silent[found.end() : end]
    has_down = any(found[1].lower() == "down" for found in sections)
    absent = "its section for the way back holds no statement" if has_down else "it has no section for the way back"
    return _judged(name, "SQL", parts["up"], parts["down"] if has_down else None, absent)


def _judged(name: str, tool: str, up: str, down: str | None, absent: str) -> Migration:
    if _NOTHING.fullmatch(up):
        return Migration(name, tool)
    problems = []
    if down is None or _NOTHING.fullmatch(down):
        first = len(up) - len(up.lstrip())
        problems.append(Problem("irreversible", line(up, first), absent))
    elif (raised := _RAISES.search(down)) is not None:
        problems.append(Problem("irreversible", 1, f"its way back raises an error: {raised[0].split()[0]}"))
    problems += [Problem("loses", line(up, offset), words) for offset, words in losses(up)]
    return Migration(name, tool, tuple(problems))
