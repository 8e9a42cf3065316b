from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import Backfill, Kind, OnInvalid, OnNull
from release_gate.contracts.standards.policy import backfill, on_invalid, on_null, policy, since


@pytest.mark.parametrize("spelled", ["drop row", "dropRow", "drop_row", "DROP-ROW", " Drop  Row "])
def test_a_word_may_be_spelled_in_any_usual_way(spelled: str) -> None:
    assert on_null(spelled) == (OnNull.DROP_ROW, None)


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
    said, wrong = policy({"on_null": "x", "on_invalid": "y", "backfill": 1, "sensitive": "z", "null_share_drift": "2"})
    assert set(wrong) == {"on_null", "on_invalid", "backfill", "sensitive", "null_share_drift"}
    assert (said.on_null, said.on_invalid, said.backfill, said.sensitive) == (None, None, None, False)


def test_an_empty_backfill_is_none() -> None:
    assert policy({"backfill": "  "})[0].backfill is None


@given(st.sampled_from(list(OnNull)), st.floats(0.001, 0.999))
def test_what_is_shown_reads_back(null: OnNull, share: float) -> None:
    assert on_null(null.value) == (null, None)
    said, wrong = policy({"on_invalid": {"quarantine": share}})
    assert not wrong
    assert on_invalid(said.invalid_words)[0] is OnInvalid.QUARANTINE


@pytest.mark.parametrize(
    ("spelled", "kind", "value"),
    [
        ("impute", Kind.NUMBER, None),
        ("impute 0", Kind.INTEGER, 0),
        ("Impute  -1.5", Kind.NUMBER, -1.5),
        ("impute 0", Kind.STRING, "0"),
        ("impute 'not known'", Kind.STRING, "not known"),
        ("impute not known", Kind.STRING, "not known"),
        ("impute true", Kind.BOOLEAN, True),
        ("impute 2020-01-01", Kind.DATE, "2020-01-01"),
        ("impute many", Kind.INTEGER, "many"),
        ({"impute": 0}, Kind.INTEGER, 0),
        ({"Impute": "x"}, Kind.STRING, "x"),
        ({"impute": False}, Kind.BOOLEAN, False),
    ],
)
def test_imputing_may_carry_its_value(spelled: object, kind: Kind, value: object) -> None:
    behaviour, read = on_null(spelled, kind)
    assert behaviour is OnNull.IMPUTE
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("wrong", [{"impute": None}, {"impute": [1]}, {"keep": 0}, {"impute": 1, "x": 2}, "keep 0", 3])
def test_what_is_no_null_behaviour_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"impute|null behaviour"):
        on_null(wrong)


def test_a_backfill_is_a_sentence_or_says_how_who_and_since() -> None:
    assert backfill(" Load again. ") == Backfill("Load again.")
    assert backfill({"how": "load again", "who": "@octo-air", "since": 2020}) == Backfill(
        "load again", "@octo-air", "2020"
    )
    assert str(backfill({"how": "load again", "since": "2020"})) == "load again, since 2020"


@pytest.mark.parametrize("wrong", [7, ["x"], {}, {"who": "x"}, {"how": "x", "when": "y"}])
def test_what_is_no_backfill_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="backfill"):
        backfill(wrong)


def test_the_version_that_brought_a_column_is_a_semantic_one() -> None:
    assert (since("1.2.0"), since(None)) == ("1.2.0", None)
    with pytest.raises(ValueError, match="three numbers"):
        since("1.2")
