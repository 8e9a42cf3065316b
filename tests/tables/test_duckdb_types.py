"""DuckDB's words for types mean what Ibis reads in them."""

from __future__ import annotations

import duckdb
import pytest

from release_gate.contracts.found import described
from release_gate.tables.compiled import dtype_of
from release_gate.tables.duckdb_types import PLAIN, ZONED, type_of
from release_gate.tables.relation import Unanswered

DECIMALS = ["DECIMAL(38,0)", "DECIMAL(18,3)", "DECIMAL(1,1)"]
NESTED = ["INTEGER[]", "INTEGER[3]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)", "JSON", "HUGEINT", "INTERVAL"]


@pytest.mark.parametrize("word", [*PLAIN, ZONED, *DECIMALS, *NESTED])
def test_a_word_means_what_ibis_reads_in_it(word: str) -> None:
    found = type_of(word)
    assert found == described(dtype_of(word))
    assert found.ibis() == dtype_of(word)


def test_the_words_are_those_that_duckdb_says() -> None:
    for word in [*PLAIN, ZONED, *DECIMALS]:
        (described_,) = duckdb.sql(f"DESCRIBE SELECT NULL::{word} AS a").fetchall()
        assert described_[1] == word


def test_a_type_that_ibis_does_not_know_keeps_duckdbs_own_word() -> None:
    assert (type_of("UHUGEINT").kind, type_of("UHUGEINT").word) == (None, "uhugeint")


def test_what_is_nested_too_deep_is_said_to_be() -> None:
    with pytest.raises(Unanswered, match="nested too deep"):
        type_of("STRUCT(a " * 5_000 + "INTEGER" + ")" * 5_000)
