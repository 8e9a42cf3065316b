"""Patterns in the words of other engines find what RE2 finds; engines themselves are asked in tests/tables."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.pattern_dialects import Dialect, said_in

PATTERNS = [
    "^x$", "^a.b$", r"\bfoo\b", r"\Boo\B", "[[:alpha:]]+$", "[[:punct:]]", "^[]a]$", "^[^]a]$", r"^[\d\-x]+$",
    "(?i)^STRASSE$", r"^(?P<n>a)+b$", r"\Qa.b\E", "^[a&&b]+$", "^[a[b]+$", r"^\x{e9}\x41$", "^(?i:true|false)$",
    r"^\$[$.]$", r"\s", r"^\S+$",
    r"^\w+$", r"^\d{3}$", r"\A\w\z", "a{2,3}b", "a|b$", "^$", r"^[\s\w]*$", "[a~b]", "^a??b", "(?i)é",
]  # fmt: skip
WORDS = [
    "", "x", "x\n", "x\r", "a\nb", "a\rb", "a.b", "axb", "foo", "a foo b", "foofoo", "éfoo", "]", "a", "-", "12x",
    "١٢٣", "123", "straSSe", "aab", "é", "éA", "TRUE", "True\n", "$.", "$$", " ", "\v", "\u00a0", "\u2028", "a\u2028b",
    "[", "&", "b", "~", "aé", "_", "!", "É", "aaab", "b\n", "a\n", "\n", "foo_", "öoo", "AB",
]  # fmt: skip


def by_re2(pattern: str, words: list[str]) -> list[bool]:
    return [bool(found) for found in pc.match_substring_regex(pa.array(words), pattern).to_pylist()]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_python_finds_what_re2_finds(pattern: str) -> None:
    spoken = re.compile(said_in(pattern, Dialect.PYTHON))
    assert [spoken.search(word) is not None for word in WORDS] == by_re2(pattern, WORDS)


@given(st.text("ab\n\r .é_1-$", max_size=6), st.sampled_from(PATTERNS))
def test_python_finds_what_re2_finds_in_any_text(word: str, pattern: str) -> None:
    found = re.search(said_in(pattern, Dialect.PYTHON), word) is not None
    assert [found] == by_re2(pattern, [word])


@pytest.mark.parametrize(
    ("pattern", "dialect"),
    [
        ("(?m)^a$", Dialect.JAVA),
        ("(?U)a+", Dialect.JAVA),
        ("(?s)a.b", Dialect.JAVA),
        (r"[\Wa]", Dialect.JAVA),
        ("a(?i)b", Dialect.POSTGRES),
        ("(?i:a)b", Dialect.POSTGRES),
        (r"\pL", Dialect.POSTGRES),
        (r"\p{Greek}", Dialect.PYTHON),
        ("[[:^alpha:]]", Dialect.PYTHON),
    ],
)
def test_what_an_engine_has_no_words_for_is_refused(pattern: str, dialect: Dialect) -> None:
    with pytest.raises(ValueError, match=dialect.value):
        said_in(pattern, dialect)


def test_re2_is_asked_as_it_is_written() -> None:
    assert said_in("(?m)^a$", Dialect.RE2) == "(?m)^a$"
