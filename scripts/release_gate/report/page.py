"""What a page about one model says, at a chosen level of detail; counts what that level leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote

from release_gate.gates.overall import Overall
from release_gate.report import cells, comparison, escape
from release_gate.report.cells import SIGN, Safe
from release_gate.verdict import Finding, Outcome, Scalar, Severity, Table, Verdict, Where


@dataclass(frozen=True)
class Origin:
    """Where verdicts come from: the judged commit, the run's page, and the address of files at that commit."""

    head: str | None = None
    run_url: str | None = None
    files_url: str | None = None


@dataclass(frozen=True)
class Detail:
    """How much a page tells: the most of each, and of each text in characters."""

    reasons: int
    remarks: int
    rows: int
    tables: int
    subjects: int
    evidence: int
    text: int


class Reason(NamedTuple):
    """A finding as a page shows it."""

    number: int
    sign: str
    message: Safe
    more: Safe | None
    indent: Safe
    where: Safe | None
    gate: str
    code: str
    remedy: str
    evidence: Safe | None


class Shown(NamedTuple):
    """A table as a page shows it."""

    title: str
    gate: str
    rows: str
    grid: Safe


class Row(NamedTuple):
    """A gate's line in the list of gates."""

    sign: str
    gate: str
    outcome: str
    found: str
    seconds: str


@dataclass
class Left:
    """What a page leaves out."""

    counts: dict[str, int] = field(default_factory=dict)

    def out(self, what: str, count: int) -> None:
        """Note that so many of a kind are left out."""
        if count > 0:
            self.counts[what] = self.counts.get(what, 0) + count

    def __str__(self) -> str:
        """`12 rows of tables, 3 notes`, or nothing."""
        return ", ".join(f"{count:,} {what}" for what, count in self.counts.items())


DECISION = {
    Outcome.PASS: "may be merged",
    Outcome.FAIL: "is blocked",
    Outcome.INCONCLUSIVE: "is blocked: not proven good enough",
    Outcome.ERROR: "is blocked: could not be judged",
}
_VERB = {
    Outcome.FAIL: ("fails", "fail"),
    Outcome.INCONCLUSIVE: ("is inconclusive", "are inconclusive"),
    Outcome.ERROR: ("could not judge", "could not judge"),
}
_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "💡"}


class Page:
    """The parts of a page, each escaped; `left` fills while they are asked for."""

    def __init__(self, overall: Overall, origin: Origin, detail: Detail) -> None:
        self.overall, self.origin, self.detail = overall, origin, detail
        self.left = Left()

    @property
    def sign(self) -> str:
        """The decision's sign."""
        return SIGN[self.overall.outcome]

    @property
    def decision(self) -> str:
        """The decision in a few words, after the model's name."""
        return DECISION[self.overall.outcome]

    @property
    def because(self) -> str:
        """The decision's ground in one sentence: which gates stand in the way."""
        told = []
        for outcome, (one, many) in _VERB.items():
            gates = [verdict.gate for verdict in self.overall.verdicts if verdict.outcome is outcome]
            if gates:
                told.append(f"{_and(gates)} {one if len(gates) == 1 else many}")
        if self.overall.missing:
            told.append(f"{_and(list(self.overall.missing))} left no verdict")
        elif any(one.severity is Severity.ERROR for one in self.overall.findings):
            told.append("the verdicts can't be relied on")
        if told:
            sentence = "; ".join(told)
            return f"{sentence}."
        passed = [verdict for verdict in self.overall.verdicts if verdict.outcome is Outcome.PASS]
        return f"All {len(passed)} gates pass." if len(passed) > 1 else "The gate passes."

    @cached_property
    def reasons(self) -> list[Reason]:
        """Why it is blocked, worst first."""
        found = self.overall.errors
        self.left.out("reasons", len(found) - self.detail.reasons)
        return [self._reason(index, gate, one) for index, (gate, one) in enumerate(found[: self.detail.reasons], 1)]

    @cached_property
    def remarks(self) -> list[Reason]:
        """Warnings, then notes."""
        found = [
            (gate, one)
            for severity in (Severity.WARNING, Severity.NOTE)
            for gate, findings in self._by_gate()
            for one in findings
            if one.severity is severity
        ]
        self.left.out("warnings and notes", len(found) - self.detail.remarks)
        return [self._reason(index, gate, one) for index, (gate, one) in enumerate(found[: self.detail.remarks], 1)]

    @property
    def remarks_counted(self) -> str:
        """`1 warning, 3 notes` of all there are."""
        return counted([one for _, findings in self._by_gate() for one in findings], errors=False)

    def _by_gate(self) -> list[tuple[str, list[Finding]]]:
        judged = [(verdict.gate, verdict.findings) for verdict in self.overall.verdicts]
        return [*judged, ("report", list(self.overall.findings))]

    def _reason(self, index: int, gate: str, found: Finding) -> Reason:
        most = self.detail.text
        first, _, rest = found.message.strip().partition("\n")
        indent = " " * len(f"{index}. ")  # what belongs to an item of a numbered list stands under its text
        return Reason(
            number=index,
            sign=_SIGNS[found.severity],
            message=Safe(escape.text(first, most) or "(no message)"),
            more=Safe(_indented(escape.block(rest, 2 * most), indent)) if rest.strip() else None,
            indent=Safe(indent),
            where=self._place(found.where),
            gate=gate,
            code=found.code,
            remedy=escape.cut(found.remedy, most),
            evidence=self._evidence(found),
        )

    def _place(self, where: Where) -> Safe | None:
        shown = str(where)
        if not shown:
            return None
        label = escape.code(shown, 200)
        file = where.file or ""
        if not self.origin.files_url or not file or file.startswith("/") or ".." in file.split("/"):
            return Safe(label)
        line = f"#L{where.line}" if where.line and where.line > 0 else ""
        address = quote(file[:500].encode("utf-8", "replace"), safe="/")
        return Safe(f"[{label}]({self.origin.files_url}/{address}{line})")

    def _evidence(self, found: Finding) -> Safe | None:
        shown = list(found.evidence.items())[: self.detail.evidence]
        parts = [f"{escape.text(name, 80)} {_values(value)}" for name, value in shown]
        return Safe(" · ".join(parts)) if parts else None

    @cached_property
    def comparisons(self) -> list[Shown]:
        """The thresholds that matter at a glance: those not passed, and those of all rows."""
        return [
            self._shown(verdict, table, *comparison.glance(table))
            for verdict, table in self._tables()
            if comparison.is_one(verdict, table) and table.rows
        ][:3]

    @cached_property
    def tables(self) -> list[Shown]:
        """Every other table, and the whole of those shown in part."""
        rest = [
            (verdict, table)
            for verdict, table in self._tables()
            if table.rows and not (comparison.is_one(verdict, table) and comparison.is_whole(table))
        ]
        kept = rest[: self.detail.tables] if self.detail.rows else []
        self.left.out("tables", len(rest) - len(kept))
        for _, table in kept:
            self.left.out("rows of tables", len(table.rows) - self.detail.rows)
        return [
            self._shown(verdict, table, *comparison.outcome_first(table, self.detail.rows)) for verdict, table in kept
        ]

    def _tables(self) -> list[tuple[Verdict, Table]]:
        return [(verdict, table) for verdict in self.overall.verdicts for table in verdict.tables]

    def _shown(self, verdict: Verdict, table: Table, columns: list[str], rows: list[list[Scalar]]) -> Shown:
        count = f"{len(rows):,} of {len(table.rows):,} rows" if len(rows) < len(table.rows) else rows_of(len(rows))
        shown = cells.grid(columns, rows, min(300, self.detail.text))
        return Shown(escape.cut(table.title, 200), verdict.gate, count, shown)

    @property
    def gates(self) -> list[Row]:
        """One line for each gate, also for one without a verdict."""
        rows = [
            Row(
                SIGN[verdict.outcome],
                verdict.gate,
                verdict.outcome.value,
                "waits for a package" if verdict.gate in self.overall.waiting else counted(verdict.findings),
                f"{verdict.seconds:,.1f} s",
            )
            for verdict in self.overall.verdicts[:50]
        ]
        return rows + [Row("❓", gate, "no verdict", "", "") for gate in self.overall.missing]

    @cached_property
    def subjects(self) -> Safe | None:
        """What was judged, each thing once."""
        seen = dict.fromkeys(
            (one.kind, one.name, one.identity) for verdict in self.overall.verdicts for one in verdict.subjects
        )
        self.left.out("subjects", len(seen) - self.detail.subjects)
        rows = [
            f"| {kind} | {escape.text(name, 200)} | {escape.code(identity)} |"
            for kind, name, identity in list(seen)[: self.detail.subjects]
        ]
        return Safe("\n".join(["| What | Name | Identity |", "|:--|:--|:--|", *rows])) if rows else None

    @property
    def tools(self) -> str:
        """The versions that judged."""
        return ", ".join(sorted({verdict.tool for verdict in self.overall.verdicts})[:3]) or "release-gate"


def counted(findings: list[Finding], *, errors: bool = True) -> str:
    """`2 errors, 1 warning`, or nothing."""
    told = []
    for severity in Severity if errors else (Severity.WARNING, Severity.NOTE):
        count = sum(one.severity is severity for one in findings)
        if count:
            told.append(f"{count:,} {severity.value}{'s' * (count > 1)}")
    return ", ".join(told)


def rows_of(count: int) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} row{'s' * (count != 1)}"


def _values(value: Scalar | list[Scalar]) -> str:
    several = value if isinstance(value, list) else [value]
    shown = [one if isinstance(one, str) else cells.scalar(one) for one in several[:8]]
    more = f" … {len(several) - 8:,} more" if len(several) > 8 else ""
    return escape.code(", ".join(shown) + more, 300)


def _and(names: list[str]) -> str:
    coded = [f"`{name}`" for name in names]
    return coded[0] if len(coded) == 1 else f"{', '.join(coded[:-1])} and {coded[-1]}"


def _indented(block: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}" for line in block.split("\n"))
