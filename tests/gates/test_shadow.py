"""Shadow tables: what they must hold, how change is counted, and every way in which rows can differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.gates.shadow import QUANTILES, Compared, Pair, Scores, judge

NAN = float("nan")


def scores(keys: Sequence[object], values: Sequence[float]) -> Scores:
    return Scores(np.array(list(keys), dtype=object), np.array(values, dtype=float))


def compared(
    shadow: Scores, used: Scores | None, *, at_most: float = 0.5, probability: bool = True, gone: Sequence[str] = ()
) -> Compared:
    return judge([Pair("day", shadow, used)], gone=gone, change=0.1, at_most=at_most, probability=probability)


def codes(found: Compared) -> list[str]:
    return [one.code for one in (*found.problems, *found.notes)]


def test_the_same_scores_in_another_order_did_not_change() -> None:
    found = compared(scores("abc", [0.1, 0.2, 0.3]), scores("cba", [0.3, 0.2, 0.1]))
    assert codes(found) == ["shadow-compared"]
    assert found.notes[0].evidence["share_changed"] == 0.0


@pytest.mark.parametrize(("at_most", "code"), [(0.5, "shadow-compared"), (0.49, "shadow-changed")])
def test_the_share_that_may_change_is_the_last_that_may(at_most: float, code: str) -> None:
    found = compared(scores("abcd", [0.1, 0.2, 0.9, 0.9]), scores("abcd", [0.1, 0.1, 0.3, 0.4]), at_most=at_most)
    assert codes(found) == [code]
    (one,) = (*found.problems, *found.notes)
    assert "50.00% of 4 rows changed by more than 0.1" in one.message
    assert one.evidence["largest_difference"] == pytest.approx(0.6)
    assert found.table is not None


def test_a_first_table_is_judged_by_itself() -> None:
    assert codes(compared(scores("ab", [0.1, 0.2]), None)) == ["shadow-first"]
    assert codes(compared(scores("ab", [0.1, NAN]), None)) == ["shadow-not-finite", "shadow-first"]
    assert codes(judge([], change=0.1, at_most=0.5, probability=True)) == ["shadow-empty", "shadow-first"]


CASES: dict[str, tuple[Scores, Scores, list[str]]] = {
    "a row less": (scores("ab", [0, 0]), scores("abc", [0, 0, 0]), ["shadow-rows-missing"]),
    "a row more": (scores("abc", [0, 0, 0]), scores("ab", [0, 0]), ["shadow-rows-extra"]),
    "other keys": (scores("ab", [0, 0]), scores([1, 2], [0, 0]), ["shadow-rows-missing", "shadow-rows-extra"]),
    "a row twice": (scores("aab", [0, 0, 0]), scores("ab", [0, 0]), ["shadow-rows-duplicated"]),
    "a row twice in use": (scores("ab", [0, 0]), scores("abb", [0, 0, 0]), ["shadow-rows-duplicated"]),
    "no number": (scores("ab", [0, NAN]), scores("ab", [0, 0]), ["shadow-not-finite"]),
    "infinite": (scores("ab", [0, np.inf]), scores("ab", [0, 0]), ["shadow-not-finite"]),
    "above 1": (scores("ab", [0, 1.1]), scores("ab", [0, 0]), ["shadow-out-of-range"]),
    "below 0": (scores("ab", [0, -0.1]), scores("ab", [0, 0]), ["shadow-out-of-range"]),
    "nothing": (scores("", []), scores("", []), ["shadow-empty"]),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_and_scores_that_can_not_be_are_named(case: str) -> None:
    shadow, used, expected = CASES[case]
    found = compared(shadow, used)
    assert [one.code for one in found.problems] == expected
    assert found.table is None, "nothing is weighed where rows differ"


def test_scores_that_are_no_probabilities_have_no_range() -> None:
    assert codes(compared(scores("ab", [20, -3]), scores("ab", [20, -3]), probability=False)) == ["shadow-compared"]


def test_lost_partitions_are_named() -> None:
    gone = [f"2026-01-{day:02}" for day in range(1, 9)]
    found = compared(scores("a", [0]), scores("a", [0]), gone=gone)
    assert codes(found) == ["shadow-partitions-gone"]
    assert found.problems[0].evidence["partitions"] == gone
    assert "2026-01-05 and 3 more" in found.problems[0].message


def test_a_score_in_use_that_is_no_number_counts_as_changed() -> None:
    found = compared(scores("ab", [0.1, 0.2]), scores("ab", [0.1, NAN]))
    assert found.notes[0].evidence["share_changed"] == 0.5
    assert found.notes[0].evidence["mean_after"] == pytest.approx(0.1)
    assert codes(compared(scores("a", [0.1]), scores("a", [NAN]))) == ["shadow-changed"]


def test_the_partitions_that_moved_most_come_first() -> None:
    pairs = [Pair(str(n), scores("ab", [n / 10, n / 10]), scores("ab", [0, 0])) for n in range(8)]
    found = judge(pairs, change=0.45, at_most=1, probability=True)
    assert found.notes[0].evidence["changed_most"] == ["5", "6", "7", "0", "1"]


rows = st.dictionaries(st.integers(0, 500), st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


@given(rows, st.floats(0.001, 0.9), st.randoms())
def test_the_numbers_are_those_of_pandas(given_rows: dict[int, tuple[float, float]], change: float, random) -> None:  # type: ignore[no-untyped-def]
    frame = pd.DataFrame.from_dict(given_rows, orient="index", columns=["new", "old"])
    order = random.sample(list(frame.index), len(frame))
    shadow = Scores(frame.index.to_numpy(), frame["new"].to_numpy())
    used = Scores(np.array(order), frame["old"].loc[order].to_numpy())
    found = judge([Pair("day", shadow, used)], change=change, at_most=1.0, probability=True)
    evidence = found.notes[0].evidence
    difference = frame["new"] - frame["old"]
    assert evidence["share_changed"] == pytest.approx((difference.abs() > change).mean())
    assert evidence["difference_at_quantiles"] == pytest.approx(difference.quantile(list(QUANTILES)).tolist())
    assert evidence["mean_before"] == pytest.approx(frame["old"].mean())
    assert evidence["mean_after"] == pytest.approx(frame["new"].mean(), abs=1e-12)
