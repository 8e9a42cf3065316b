"""How many different texts two looks find in a table, against what numpy counts in all of it."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from release_gate.tables import repetition

ROWS = 200_000
DRAW = np.random.default_rng(7)


def looked(numbers: np.ndarray, *, length: int = 8) -> bool:
    """Whether two looks take the texts of these numbers for few."""
    data = pa.table({"c0": pa.array([f"{one:0{length}d}" for one in numbers.tolist()])})  # noqa: F841 - DuckDB finds it
    question = repetition.question("c0", "data", f"(SELECT * FROM data OFFSET {len(numbers) // 2})")
    (found,) = duckdb.sql(question).fetchall()
    return repetition.few(found, len(numbers))


def uniform(different: int) -> Callable[[], np.ndarray]:
    return lambda: DRAW.integers(0, different, ROWS)


LOOKS: dict[str, tuple[Callable[[], np.ndarray], bool]] = {
    "one": (uniform(1), True),
    "a hundred": (uniform(100), True),
    "ten thousand": (uniform(10_000), True),  # 20 rows each
    "fifteen thousand": (uniform(15_000), False),  # 13 rows each
    "all of them": (lambda: DRAW.permutation(ROWS), False),
    "all of them, sorted": (lambda: np.arange(ROWS), False),
    "each often, sorted": (lambda: np.sort(DRAW.integers(0, 20_000, ROWS)), False),
    "half of them one, half unique": (lambda: np.where(DRAW.random(ROWS) < 0.5, 0, np.arange(ROWS)), False),
    "ever new ones": (lambda: (np.arange(ROWS) * DRAW.uniform(0.9, 1, ROWS)).astype(int) // 4, False),
}


@pytest.mark.parametrize("name", LOOKS)
def test_two_looks_see_whether_texts_repeat(name: str) -> None:
    drawn, few = LOOKS[name]
    assert looked(drawn()) is few


@pytest.mark.parametrize("different", [500, 2_000, 8_000, 50_000])
def test_the_number_of_texts_is_found_within_a_third(different: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "SHARE", 0.001)
    numbers = uniform(different)()
    for share, few in ((0.67, False), (1.5, True)):
        monkeypatch.setattr(repetition, "MOST", int(len(np.unique(numbers)) * share))
        assert looked(numbers) is few


def test_what_would_not_fit_is_not_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "HELD", 1_000_000)
    assert looked(uniform(5_000)(), length=100) is True
    assert looked(uniform(5_000)(), length=300) is False


def test_a_table_without_a_text_is_no_matter() -> None:
    data = pa.table({"c0": pa.array([None] * 10, pa.string())})  # noqa: F841 - DuckDB finds it
    (found,) = duckdb.sql(repetition.question("c0", "data", "data")).fetchall()
    assert found == (0, 0, 0, 0)
    assert repetition.few(found, 10) is False
