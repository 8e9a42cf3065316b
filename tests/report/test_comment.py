"""The pull request's comment: golden files, what it must say first, and its limit."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release_gate.gates.overall import Overall
from release_gate.report.comment import LEVELS, LIMIT, comment
from release_gate.report.page import Origin
from release_gate.verdict import Finding, Outcome, Scalar, Table, Where
from tests.conftest import Golden
from tests.report import cases
from tests.report.rendering import assert_ours

GOLDEN = Path(__file__).parent / "golden"
MARKER = f"<!-- release-gate:comment v1 model=flight-delay head={cases.HEAD} run=9001.1 -->"
CASES = {
    "good": cases.good,
    "unit_changed": cases.unit_changed,
    "first_release": cases.first_release,
    "crashed": cases.crashed,
    "oversized": cases.oversized,
    "hostile": cases.hostile,
}


@pytest.mark.parametrize("name", CASES)
def test_comment_as_reviewed(name: str, golden: Golden) -> None:
    text = comment(CASES[name](), cases.ORIGIN, MARKER)
    assert_ours(text)
    golden(GOLDEN / f"comment_{name}.md", text)


@pytest.mark.parametrize("name", CASES)
def test_the_first_lines_hold_the_marker_and_the_decision(name: str) -> None:
    overall = CASES[name]()
    first, second = comment(overall, cases.ORIGIN, MARKER).split("\n")[:2]
    assert first == MARKER
    assert second.startswith("### ")
    assert ("may be merged" in second) == (overall.outcome is Outcome.PASS)
    assert ("is blocked" in second) == (overall.outcome is not Outcome.PASS)


def test_only_one_hidden_comment_and_it_is_ours() -> None:
    text = comment(cases.hostile(), cases.ORIGIN, MARKER)
    assert len(assert_ours(text).comments) == 1
    assert assert_ours(comment(cases.hostile(), cases.ORIGIN)).comments == []


@pytest.mark.parametrize("limit", [LIMIT, 30_000, 8_000, 2_000, 600])
def test_a_comment_is_cut_to_fit_and_never_in_its_outcome(limit: int) -> None:
    overall = cases.oversized()
    text = comment(overall, cases.ORIGIN, MARKER, limit)
    assert len(text.encode()) <= limit
    assert "`flight-delay` is blocked" in text
    assert "`schema-check` fails" in text
    assert "did not fit" in text or "do not fit" in text
    assert_ours(text)


def test_what_is_cut_is_counted_and_said_where_it_stands() -> None:
    text = comment(cases.oversized(), cases.ORIGIN)
    assert "reasons" in text.split("**Shortened:**")[1]
    assert "rows of tables" in text.split("**Shortened:**")[1]
    assert f"[the run]({cases.ORIGIN.run_url})" in text


def test_nothing_is_said_to_be_cut_where_nothing_is() -> None:
    assert "Shortened" not in comment(cases.good(), cases.ORIGIN)


def test_the_worst_stands_first() -> None:
    text = comment(cases.unit_changed(), cases.ORIGIN)
    table = text.split("#### Candidate against its bars")[1].split("####")[0]
    outcomes = [line.split("|")[1].strip() for line in table.strip().split("\n")[2:]]
    assert outcomes == ["❌ fail", "❌ fail", "🟡 inconclusive"]


def test_a_link_leads_to_the_judged_commit_and_never_out_of_the_repository() -> None:
    assert f"blob/{cases.HEAD}/flight_delay/features.py#L41" in comment(cases.unit_changed(), cases.ORIGIN)
    assert "evil/" not in "".join(assert_ours(comment(cases.hostile(), cases.ORIGIN)).addresses)
    assert "](" not in comment(cases.unit_changed(), Origin())


def test_each_level_of_detail_tells_less() -> None:
    for more, less in itertools.pairwise(LEVELS):
        assert all(one >= other for one, other in zip(vars(more).values(), vars(less).values(), strict=True))


TEXTS = st.text(max_size=40) | st.sampled_from([cases.ATTACK, "| x |", "```", "</details>", ""])
SCALARS = TEXTS | st.integers() | st.floats() | st.none() | st.booleans()
FINDINGS = st.builds(
    lambda message, remedy, file, name, value: cases.found(
        "error", "value-range", message, remedy, Where(file=file, line=-1), **{name: value}
    ),
    TEXTS,
    TEXTS,
    TEXTS,
    st.text(min_size=1, max_size=20),
    SCALARS,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(
    st.lists(FINDINGS, max_size=12),
    st.lists(st.lists(SCALARS, max_size=10), max_size=5),
    TEXTS,
    st.integers(min_value=700, max_value=20_000),
)
def test_no_verdict_whatever_it_says_breaks_the_comment(
    findings: list[Finding], rows: list[list[Scalar]], title: str, limit: int
) -> None:
    table = Table(title=title, columns=[*cases.COLUMNS, title], rows=rows)
    verdicts = (
        cases.verdict("schema-check", "fail", findings=findings, tables=[table]),
        cases.verdict("threshold-comparison", "pass", tables=[table]),
    )
    text = comment(Overall("flight-delay", Outcome.FAIL, verdicts), cases.ORIGIN, limit=limit)
    assert len(text.encode()) <= limit
    assert_ours(text)
