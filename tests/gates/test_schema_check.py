from __future__ import annotations

from datetime import UTC, datetime

from release_gate.contracts.comparison.changes import changes
from release_gate.contracts.counts import ColumnCount, Counts
from release_gate.contracts.reading import read
from release_gate.documents import parse
from release_gate.gates.schema_check import Judged, Revision, judge
from release_gate.verdict import Outcome, Severity, Subject, Verdict
from tests.contracts.written import column, odcs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = read(parse(odcs(column("a", "string"), column("b", "string")), "c.yml"))
NEW = read(parse(odcs(column("a", "string"), version="2.0.0"), "c.yml"))
SUBJECT = Subject(kind="data", name="t", identity="sha256:00")
GOOD = Counts("t", 5, (ColumnCount("a", "string"),))
BAD = Counts("t", 5, (ColumnCount("a", "string", nulls=2),), undeclared=("z",))
CHANGED = Revision("main", OLD.contract, changes(OLD.contract, NEW.contract))
ABSENT = Revision("", absent="it does not stand in a git repository")


def test_findings_come_worst_first_and_an_error_fails() -> None:
    verdict = judge("m", [Judged(NEW, BAD, CHANGED, (SUBJECT,))], started=NOW)
    assert verdict.outcome is Outcome.FAIL
    assert [one.code for one in verdict.findings] == ["null-rejected", "contract-breaking", "column-undeclared"]
    assert [one.severity for one in verdict.findings] == [Severity.ERROR, Severity.WARNING, Severity.WARNING]


def test_changes_are_a_table_of_their_own() -> None:
    verdict = judge("m", [Judged(NEW, GOOD, CHANGED)], started=NOW)
    assert [table.title for table in verdict.tables] == ["t against rides 2.0.0: 5 rows", "Changes of c.yml since main"]
    assert verdict.tables[1].rows == [
        ["column-removed", "b", "the column is removed", "breaking", "compatible", "breaking"]
    ]
    assert verdict.outcome is Outcome.PASS


def test_a_column_that_is_absent_has_a_row_without_numbers() -> None:
    verdict = judge("m", [Judged(OLD, GOOD, ABSENT)], started=NOW)
    assert verdict.tables[0].rows[1] == ["b", "string", None, None, "reject", None, "reject"]


def test_a_subject_judged_twice_is_named_once_and_the_verdict_crosses_as_json() -> None:
    pair = Judged(NEW, BAD, ABSENT, (SUBJECT,))
    verdict = judge("m", [pair, pair], started=NOW)
    assert verdict.subjects == [SUBJECT]
    assert Verdict.parse(verdict.to_json()) == verdict


def test_thousands_of_findings_and_columns_stay_within_what_a_verdict_holds() -> None:
    names = [f"c{n}" for n in range(2500)]
    wide = read(parse(odcs(*(column(name, "string", policy={"backfill": None}) for name in names)), "c.yml"))
    verdict = judge("m", [Judged(wide, Counts("t", 1, missing=tuple(names)), ABSENT)], started=NOW)
    assert (len(verdict.findings), len(verdict.tables[0].rows)) == (2000, 2000)
    assert verdict.outcome is Outcome.FAIL
