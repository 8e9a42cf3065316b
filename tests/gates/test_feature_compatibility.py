"""Whether a version that comes back is still fed what it was made with, by the versions of the feature contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.gates.feature_compatibility import broken
from release_gate.lifecycle.package import Contract


def contract(version: str | None, digit: str = "a") -> Contract:
    return Contract(name="contracts/features.yml", version=version, identity=f"sha256:{digit * 64}")


@pytest.mark.parametrize(
    ("needed", "here"),
    [("1.2.0", "1.2.0"), ("1.2.0", "1.2.1"), ("1.2.0", "1.9.0"), ("0.2.0", "0.2.7"), ("1.2.0", "1.2.0-rc.1")],
)
def test_a_version_that_promises_no_less_is_enough(needed: str, here: str) -> None:
    assert broken(contract(needed), contract(here, "b")) is None


@pytest.mark.parametrize(
    ("needed", "here", "says"),
    [
        ("1.2.0", "2.0.0", "here it is 2.0.0, which took back a promise of 1.2.0"),
        ("0.2.0", "0.3.0", "here it is 0.3.0, which took back a promise of 0.2.0"),
        ("0.9.0", "1.0.0", "which took back a promise of 0.9.0"),
        ("1.2.0", "1.1.9", "here it is 1.1.9, older than 1.2.0"),
        ("2.0.0", "1.9.0", "older than 2.0.0"),
        (None, "1.0.0", "the versions (None and 1.0.0) don't say what changed"),
        ("1.0.0", "first", "don't say what changed"),
    ],
)
def test_a_version_that_promises_less_or_does_not_say_is_not(needed: str | None, here: str, says: str) -> None:
    assert says in str(broken(contract(needed), contract(here, "b")))


def test_a_contract_that_is_gone_is_not_enough() -> None:
    assert broken(contract("1.0.0"), None) == "here is no contract of that name"


@given(st.one_of(st.none(), st.text(max_size=100)))
def test_the_same_file_is_enough_whatever_its_version_says(version: str | None) -> None:
    assert broken(contract(version), contract(version)) is None
