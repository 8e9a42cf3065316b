from __future__ import annotations

import re
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.shapes import ENOUGH, pattern

NUMBERS = range(ENOUGH)
SUMS = [f"{7**n:x}"[:9].ljust(9, "e") for n in range(30, 60)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([f"UA{n:04}" for n in NUMBERS], "^[A-Z]{2}[0-9]{4}$"),
        ([f"2026-{n:02}/x" for n in NUMBERS], "^[0-9]{4}-[0-9]{2}/[a-z]$"),
        ([f"N{n}" for n in NUMBERS], "^[A-Z][0-9]+$"),
        ([f"{chr(65 + n)}JF" for n in NUMBERS], "^[A-Z]{3}$"),
        ([f"{n:05}" for n in NUMBERS], "^[0-9]{5}$"),
        ([str(uuid.UUID(int=n)) for n in NUMBERS], f"^{'-'.join(f'[0-9a-f]{{{n}}}' for n in (8, 4, 4, 4, 12))}$"),
        (SUMS, "^[0-9a-f]{9}$"),
        ([f"2013-EWR-{'9E' if n % 2 else 'UA'}{n}" for n in NUMBERS], "^[0-9]{4}-[A-Z]{3}-[A-Z0-9]+$"),
        ([f"v1.{n}.{n % 3}" for n in NUMBERS], "^[a-z][0-9]\\.[0-9]+\\.[0-9]$"),
    ],
)
def test_codes_have_a_pattern(values: list[str], expected: str) -> None:
    assert pattern(values) == expected


@pytest.mark.parametrize(
    "values",
    [
        [f"{n}" for n in NUMBERS],
        [f"word{'s' * n}" for n in NUMBERS],
        [f"Name{chr(97 + n)}" for n in NUMBERS],
        [f"two words {n}" for n in NUMBERS],
        [f"é{n}" for n in NUMBERS],
        [f"a{n:099}" for n in NUMBERS],
        [f"A{n}" for n in range(ENOUGH - 1)],
        [f"A{n}" if n % 2 else f"{n}A" for n in NUMBERS],
        [f"a-{n}" if n else "a-" for n in NUMBERS],
        [f"well-known-{chr(97 + n)}" for n in NUMBERS],
        ["", *(f"{n}" for n in NUMBERS)],
        [f"A-{n}" if n % 2 else f"A_{n}" for n in NUMBERS],
    ],
)
def test_words_numbers_and_mixtures_have_none(values: list[str]) -> None:
    assert pattern(values) is None


@given(st.lists(st.from_regex(r"[A-Z]{1,2}[-_./:#]?[0-9a-f]{1,3}", fullmatch=True), min_size=ENOUGH, unique=True))
def test_a_pattern_holds_for_every_value_in_both_dialects(values: list[str]) -> None:
    found = pattern(values)
    if found is not None:
        assert all(re.fullmatch(found, value) for value in values)
        assert pc.all(pc.match_substring_regex(pa.array(values), found)).as_py()
