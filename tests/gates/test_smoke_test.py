"""What smoke-test concludes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from release_gate.findings import finding
from release_gate.gates.smoke_test import judge, unasked

AT = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://models.octo-air.example"


def test_no_result_at_all_is_no_pass() -> None:
    assert judge("m", URL, [], AT).outcome == "fail"
    assert judge("m", URL, [("a", 0.1, "fine", None)], AT, version="v 1").outcome == "pass"
    wrong = finding("smoke-status", "status 500 instead of 200")
    seen = judge("m", URL, [("a", 0.1, "fine", None), ("b", 0.1, "500", wrong)], AT, version="git:abc")
    assert (seen.outcome, [row[1] for row in seen.tables[0].rows]) == ("fail", ["pass", "fail"])
    assert seen.subjects[0].identity == "git:abc"


@pytest.mark.parametrize(
    ("missing", "restoring", "severities"),
    [
        (("golden", "version"), False, ["error", "error"]),
        (("golden", "version"), True, ["warning", "warning"]),
        (("golden",), False, ["warning"]),
        (("version", "malformed"), False, ["warning", "warning"]),
        ((), False, []),
    ],
)
def test_asking_for_neither_predictions_nor_version_blocks_a_release_and_never_a_rollback(
    missing: tuple[str, ...], restoring: bool, severities: list[str]
) -> None:
    assert [one.severity.value for one in unasked(missing, "smoke.yml", restoring=restoring)] == severities
