from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import OnInvalid, OnNull
from release_gate.contracts.policy import on_invalid, on_null, policy


@pytest.mark.parametrize("spelled", ["drop row", "dropRow", "drop_row", "DROP-ROW", " Drop  Row "])
def test_a_word_may_be_spelled_in_any_usual_way(spelled: str) -> None:
    assert on_null(spelled) is OnNull.DROP_ROW


@pytest.mark.parametrize(
    "spelled", ["quarantine up to 5%", "quarantine 5 %", {"quarantine": "5%"}, {"quarantine": 0.05}]
)
def test_a_quarantine_carries_its_share(spelled: object) -> None:
    behaviour, share = on_invalid(spelled)
    assert behaviour is OnInvalid.QUARANTINE
    assert share == pytest.approx(0.05)


@pytest.mark.parametrize("spelled", ["set null up to 5%", {"setNull": "5%"}])
def test_other_behaviours_may_have_a_limit(spelled: object) -> None:
    behaviour, share = on_invalid(spelled)
    assert behaviour is OnInvalid.SET_NULL
    assert share == pytest.approx(0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        "quarantine",
        "quarantine up to 0%",
        {"quarantine": "100%"},
        {"quarantine": 5},
        "reject up to 5%",
        {"reject": "5%"},
        "fix",
        None,
    ],
)
def test_what_is_no_behaviour_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"quarantine|share"):
        on_invalid(wrong)


def test_everything_wrong_is_told_by_key() -> None:
    said, wrong = policy({"on_null": "x", "on_invalid": "y", "backfill": 1, "sensitive": "z"})
    assert set(wrong) == {"on_null", "on_invalid", "backfill", "sensitive"}
    assert (said.on_null, said.on_invalid, said.backfill, said.sensitive) == (None, None, None, False)


def test_an_empty_backfill_is_none() -> None:
    assert policy({"backfill": "  "})[0].backfill is None


@given(st.sampled_from(list(OnNull)), st.floats(0.001, 0.999))
def test_what_is_shown_reads_back(null: OnNull, share: float) -> None:
    assert on_null(null.value) is null
    said, wrong = policy({"on_invalid": {"quarantine": share}})
    assert not wrong
    assert on_invalid(said.invalid_words)[0] is OnInvalid.QUARANTINE
