"""Patterns that are said as GLOB find what RE2 finds, and what Python's `re` finds of ASCII."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.tables.text_rules import glob_of

CHARACTERS = "aZ5_-. /:@#%,;=<>!&'\"~"
PIECES = st.one_of(
    st.sampled_from(["[0-9]", "[a-z]", "[A-Za-z0-9_]", "[abc]", "[5]", r"\d", r"\.", r"\-", r"\/", "é"]),
    st.sampled_from([one for one in CHARACTERS if one != "."]),
)
PATTERNS = st.lists(st.tuples(PIECES, st.sampled_from(["", "{1}", "{2}", "{3}"])), max_size=4).map(
    lambda pieces: "^" + "".join(piece + times for piece, times in pieces) + "$"
)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=300)
@given(pattern=PATTERNS, texts=st.lists(st.text(CHARACTERS + "bé\n0A[]*?\\", max_size=12), max_size=8), data=st.data())
def test_a_glob_finds_what_the_pattern_finds(
    engine: duckdb.DuckDBPyConnection, pattern: str, texts: list[str], data: st.DataObject
) -> None:
    glob = glob_of(pattern)
    assert (glob is None) is ("é" in pattern or pattern == "^$")
    if glob is None:
        return
    texts = [*texts, data.draw(st.from_regex(pattern.replace("$", r"\Z"), alphabet=st.characters(codec="ascii")))]
    rows = engine.execute(
        "SELECT t, t GLOB $glob, regexp_matches(t, $pattern) FROM unnest($texts) AS given(t)",
        {"glob": glob, "pattern": pattern, "texts": texts},
    ).fetchall()
    for text, globbed, matched in rows:
        assert globbed is matched is (re.fullmatch(pattern[1:-1], text, re.ASCII) is not None), text


@pytest.mark.parametrize(
    "pattern",
    [
        "", "^", "$", "^$", "a", "^a", "a$", "^a+$", "^a*$", "^a?$", "^(a|b)$", "^a|b$", "^.$", "^[^a]$", "^[z-a]$",
        "^a{0}$", "^a{1,2}$", "^a{2}{2}$", "^a{100}$", r"^\w$", r"^\D$", r"^\.", r"^[\d]$", "^[-a]$", "^[]$", "^é$",
        "^" + "[0-9]{99}" * 3 + "$", r"^a\$", "^[[:alpha:]]$", "(?i)^a$", "^a$\n", r"^\n$", "^*$", "^[a$",
    ],
)  # fmt: skip
def test_what_has_no_words_in_glob_stays_a_pattern(pattern: str) -> None:
    assert glob_of(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        ("^SKU-[0-9]{3}$", "SKU-[0-9][0-9][0-9]"),
        (r"^\d{4}-\d{2}$", "[0-9][0-9][0-9][0-9]-[0-9][0-9]"),
        (r"^v[0-9]\.[0-9]$", "v[0-9].[0-9]"),
    ],
)
def test_a_pattern_of_one_length_is_a_glob(pattern: str, glob: str) -> None:
    assert glob_of(pattern) == glob
