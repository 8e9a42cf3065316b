"""What a version's processes are given in production and nowhere else: passwords and keys, from one dotenv text.

Such a text is a secret whole, misspelt lines among it: what is wrong with it is told by its line, never quoted.

>>> read("DATABASE_URL=postgres://flights\\nMODE='a b'").variables
{'DATABASE_URL': 'postgres://flights', 'MODE': 'a b'}
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from release_gate.findings import Refused, finding
from release_gate.verdict import Finding

NAME = "RELEASE_GATE_ENV"
"""Variable of our own process that holds the text."""
OURS = ("PATH", "VIRTUAL_ENV", "PYTHON*", "LD_*", "DYLD_*", "RELEASE_GATE_*")
"""Names that decide which programs, libraries and modules are loaded, or that we set ourselves."""
SHORT = 8
"""Characters below which a value is hidden as a whole word only: `1` must not take a digest apart."""
HIDDEN = "***"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ServerSecrets:
    """The variables, and what is wrong with the lines that give none."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[Finding, ...] = ()

    def lines(self) -> list[str]:
        """Every line of every value, the longest first: a log is read, masked and searched line by line."""
        pieces = (piece.strip() for value in self.variables.values() for piece in re.split(r"[\r\n]+", value))
        return sorted({piece for piece in pieces if piece}, key=lambda piece: (-len(piece), piece))

    def hidden(self, text: str) -> str:
        """A text without them: a server that fails may print what it was given."""
        for piece in self.lines():
            found = re.escape(piece)
            text = re.sub(found if len(piece) >= SHORT else rf"(?<!\w){found}(?!\w)", HIDDEN, text)
        return text

    def without(self, found: Finding) -> Finding:
        """A finding that does not hold them."""
        return found.model_copy(update={"message": self.hidden(found.message)}) if self.variables else found

    @contextmanager
    def unsaid(self) -> Iterator[None]:
        """What is refused in the block is refused without them."""
        try:
            yield
        except Refused as refusal:
            if not self.variables:
                raise
            # Not `from refusal`: a traceback would print its words.
            raise type(refusal)(*(self.without(one) for one in refusal.findings)) from None


def read(text: str) -> ServerSecrets:
    """The variables of a dotenv text; a line that gives none is a problem and changes nothing about the others.

    As python-dotenv reads it: comments, `export`, quotes, values of several lines. `$` stands for itself.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - costs 0.03 s, and most runs have nothing to read

    variables: dict[str, str] = {}
    problems = []
    for one in parse_stream(io.StringIO(text)):
        # What the parser took includes the empty lines before.
        taken = one.original.string
        line = one.original.line + taken[: len(taken) - len(taken.lstrip())].count("\n")
        if not one.error and one.key is None:
            continue  # a comment, or nothing
        problem = "is no NAME=value" if one.error else _problem(one.key or "", one.value, variables)
        if problem is None:
            variables[one.key or ""] = one.value or ""
        else:
            problems.append(finding("secrets-broken", f"line {line} of {NAME} {problem}"))
    if text and not variables and not problems:
        problems.append(finding("secrets-broken", f"{NAME} is set and holds no NAME=value"))
    return ServerSecrets(variables, tuple(problems))


def _problem(name: str, value: str | None, before: Mapping[str, str]) -> str | None:
    """Why a line can't be used. Its name may be a piece of a key that was not quoted: only names of ours are told."""
    if value is None:
        return "is no NAME=value"
    if _NAME.fullmatch(name) is None:
        return "begins with something that is no name: letters, digits and `_` make one, no digit first"
    ours = next((one for one in OURS if name == one or (one.endswith("*") and name.startswith(one[:-1]))), None)
    if ours is not None:
        return f"sets {ours}, which decides what the server loads and is set by release-gate alone"
    if not value:
        return "gives its variable no value"
    return "sets a variable that a line before it sets" if name in before else None
