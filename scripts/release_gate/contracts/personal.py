"""Tells columns that seem to hold what belongs to a person, by their name or by what their values look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_NAMES = re.compile(
    r"(^|_)("
    r"e_?mail|phone|mobile|fax|ssn|social_security|passport|iban|(credit_?)?card_?(number|no)|pan|tax_?id|national_?id|"
    r"birth(day|_?date)?|date_of_birth|dob|(street|home|postal|mail|billing|shipping)?_?address|"
    r"(first|last|full|middle|family|given|maiden)_?name|surname"
    r")(_|$)"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"[3-6][0-9]{12,18}")
_PHONE = re.compile(r"(\+|00)[1-9][0-9 ()./-]{6,20}[0-9]|\(?[0-9]{2,5}\)?[ ./-][0-9]{2,4}([ ./-][0-9]{2,5}){1,3}")
_DIGITS = range(9, 16)
"""How many digits a phone number has; a day written with eight is none."""

ENOUGH = 3
"""Fewer different values prove nothing: one number in ten passes the check of a card number by chance."""


def by_name(name: str) -> bool:
    """Whether a column's name says that its values belong to a person; `customerEmail` is read as `customer_email`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s.-]+", "_", name)
    return bool(_NAMES.search(words.lower()))


def by_values(values: Sequence[str]) -> str | None:
    """What the values look like, in the plural, None where they look like nothing of a person.

    Texts that only hold an e-mail address somewhere count too; of other kinds most values must be wholly one.
    """
    different = list(dict.fromkeys(values))
    if len(different) < ENOUGH:
        return None
    for named, test, least in _LOOKS:
        if sum(map(test, different)) >= least * len(different):
            return named
    return None


def _email(value: str) -> bool:
    return "@" in value and _EMAIL.search(value) is not None


def _iban(value: str) -> bool:
    """The check digits of ISO 13616: letters count from 10, and the remainder by 97 is 1."""
    plain = value.replace(" ", "").upper()
    if _IBAN.fullmatch(plain) is None:
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _card(value: str) -> bool:
    """The check digit of ISO/IEC 7812: from the right every second digit counts twice (Luhn)."""
    plain = re.sub(r"[ -]", "", value)
    if _CARD.fullmatch(plain) is None:
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(plain)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def _phone(value: str) -> bool:
    return _PHONE.fullmatch(value) is not None and sum(map(str.isdigit, value)) in _DIGITS


_LOOKS: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("e-mail addresses", _email, 0.1),
    ("IBANs", _iban, 0.5),
    ("card numbers", _card, 0.8),
    ("phone numbers", _phone, 0.8),
)
