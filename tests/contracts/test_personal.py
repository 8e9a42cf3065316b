from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.personal import by_name, by_values


@pytest.mark.parametrize(
    "name", ["email", "customerEmail", "E-Mail", "phone_number", "Full Name", "iban", "date_of_birth", "card_number"]
)
def test_names_of_what_belongs_to_a_person(name: str) -> None:
    assert by_name(name)


@pytest.mark.parametrize("name", ["mail_count_total", "carrier", "filename", "name", "telephony", "distance", "pane"])
def test_names_that_only_sound_alike(name: str) -> None:
    assert not by_name(name)


# Numbers of the standards' own examples, of test cards that every payment provider documents, and of films.
PERSONAL = {
    "e-mail addresses": ["ana@example.org", "b.c+d@mail.example.com", "see bo@example.net", "none", "of", "these"],
    "IBANs": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "NO9386011117947", "unknown"],
    "card numbers": ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "6011000000000004"],
    "phone numbers": ["+47 22 12 34 56", "(212) 555-0100-22", "0047 22123456", "212-555-0123"],
}


@pytest.mark.parametrize("looks", PERSONAL)
def test_values_that_look_personal_are_told_by_what_they_look_like(looks: str) -> None:
    assert by_values(PERSONAL[looks]) == looks


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-02", "02-01-2026", "2026.01.02", "02/01/2026"],
        ["20130101-0515-EWR-UA1545", "20130101-0529-LGA-UA1714", "20130101-0540-JFK-AA1141"],
        ["4111111111111112", "5500000000000005", "340000000000008"],
        ["DE89370400440532013001", "GB83WEST12345698765432", "NO9386011117948"],
        ["a@b", "@here", "me@", "3 @ 5"],
        ["10.1.2.3", "192.168.0.1", "172.16.254.1"],
        ["4111111111111111"] * 9,
        [],
    ],
)
def test_values_that_are_something_else(values: list[str]) -> None:
    assert by_values(values) is None


@given(st.lists(st.text()))
def test_any_texts_are_looked_at_without_harm(values: list[str]) -> None:
    assert by_values(values) in {None, *PERSONAL}
