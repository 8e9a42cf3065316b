"""What a gate concluded: the currency that passes between rooms, jobs and workflows.

A verdict crosses job boundaries as JSON, so reading one means reading a stranger's data:
`Verdict.parse` holds it to limits of size and shape before anything looks inside.

>>> verdict = Verdict(gate="schema-check", model="m", outcome=Outcome.PASS, started="2026-01-01T00:00:00Z")
>>> Verdict.parse(verdict.to_json()) == verdict
True
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA = 1
"""The schema this version writes; a reader refuses a newer one, because it can't know what it would miss."""

MAXIMUM_BYTES = 4 * 1024 * 1024
"""A verdict larger than this is refused unread: ours stay below 200 kB."""


class Value(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="strings")


class Outcome(StrEnum):
    """How a gate ended. Only `pass` and `skipped` let a release go on."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def exit_code(self) -> int:
        """0 pass or skipped, 1 fail, 3 inconclusive, 4 could not judge."""
        return {"pass": 0, "skipped": 0, "fail": 1, "inconclusive": 3, "error": 4}[self.value]

    @classmethod
    def worst(cls, outcomes: list[Outcome]) -> Outcome:
        """The outcome of several gates together; nothing judged at all is an error, never a pass."""
        order = [cls.FAIL, cls.ERROR, cls.INCONCLUSIVE, cls.PASS, cls.SKIPPED]
        return next((outcome for outcome in order if outcome in outcomes), cls.ERROR)


class Severity(StrEnum):
    """How much a finding weighs: an error blocks, a warning wants a look, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=20_000)]
Scalar = str | int | float | bool | None


class Where(Value):
    """The place a finding speaks of; `column` is a text column with `file`, a table's column with `table`."""

    file: Annotated[str, Field(max_length=1000)] | None = None
    line: int | None = None
    column: Annotated[str, Field(max_length=1000)] | int | None = None
    table: Annotated[str, Field(max_length=1000)] | None = None
    slice: Annotated[str, Field(max_length=1000)] | None = None
    metric: Annotated[str, Field(max_length=200)] | None = None
    step: Annotated[str, Field(max_length=200)] | None = None

    def __str__(self) -> str:
        """`file:line:column`, or the table, column, slice, metric and step that are known."""
        if self.file is not None:
            return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        named = (
            ("", self.table),
            ("column ", self.column),
            ("metric ", self.metric),
            ("slice ", self.slice),
            ("step ", self.step),
        )
        return ", ".join(f"{label}{value}" for label, value in named if value is not None)


class Finding(Value):
    """One reason inside a verdict. Make one with `findings.finding`, which knows every code."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)]
    severity: Severity
    message: Text
    remedy: Text
    where: Where = Where()
    evidence: Annotated[dict[Name, Scalar | list[Scalar]], Field(max_length=100)] = {}

    def __str__(self) -> str:
        """One line for a terminal: place, code, message."""
        place = str(self.where)
        return f"{place + ': ' if place else ''}{self.code}: {self.message}"


class Table(Value):
    """A table shown with a verdict: `columns` names, `rows` of as many scalars."""

    title: Text
    columns: Annotated[list[Text], Field(max_length=50)]
    rows: Annotated[list[list[Scalar]], Field(max_length=2000)]


class Plot(Value):
    """A drawing shown with a verdict; `data` is what the renderer of that `kind` needs."""

    title: Text
    kind: Name
    data: dict[Name, list[Scalar]]


SubjectKind = Literal["data", "contract", "model", "package", "policy", "production", "code"]


class Subject(Value):
    """A thing that was judged, named by an identity that changes when the thing does."""

    kind: SubjectKind
    name: Name
    identity: Annotated[str, Field(pattern=r"^[a-z0-9]+:\S+$", max_length=500)]


class Verdict(Value):
    """A gate's result. `seconds` is wall time; `tool` names the version that judged."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    gate: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)]
    model: Name
    outcome: Outcome
    findings: Annotated[list[Finding], Field(max_length=2000)] = []
    tables: Annotated[list[Table], Field(max_length=50)] = []
    plots: Annotated[list[Plot], Field(max_length=50)] = []
    subjects: Annotated[list[Subject], Field(max_length=500)] = []
    started: datetime
    seconds: Annotated[float, Field(ge=0)] = 0.0
    tool: Name = "release-gate"

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        ser_json_inf_nan="strings",
    )

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of one severity, in the order they were found."""
        return [finding for finding in self.findings if finding.severity is severity]

    def to_json(self) -> bytes:
        """The verdict as indented UTF-8 JSON with a final newline."""
        # A runner finds its old commands (`##[error]`) anywhere in a line of a log; JSON can write the bracket so.
        return (self.model_dump_json(indent=1).replace("##[", "##\\u005b") + "\n").encode()

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a verdict that a stranger may have written.

        Raises:
            VerdictUnreadable: too large, not JSON, of a newer schema, or not of the shape of a verdict.
        """
        if len(text) > MAXIMUM_BYTES:
            raise VerdictUnreadable("verdict-too-large", f"it holds {len(text):,} bytes; {MAXIMUM_BYTES:,} is the most")
        try:
            fields: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise VerdictUnreadable("verdict-broken", f"it is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise VerdictUnreadable("verdict-broken", f"it is a JSON {type(fields).__name__}, not an object")
        schema = fields.get("schema")
        if type(schema) is not int:  # `true` equals 1 in Python, and is no schema
            raise VerdictUnreadable("verdict-broken", "it names no schema")
        if schema > SCHEMA:
            raise VerdictUnreadable(
                "verdict-newer", f"it has schema {schema}; this version reads up to schema {SCHEMA}"
            )
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise VerdictUnreadable("verdict-broken", f"{place}: {first['msg']}"[:500]) from error


class VerdictUnreadable(ValueError):
    """Text that claims to be a verdict and is not one this version can trust; `code` says which way."""

    def __init__(self, code: str, cause: str) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = cause


def concluded(findings: list[Finding]) -> Outcome:
    """Fail if any finding is an error, else pass: for gates that can't be inconclusive."""
    return Outcome.FAIL if any(found.severity is Severity.ERROR for found in findings) else Outcome.PASS
