"""Finds the pattern of texts that are codes (`EWR-0123`, a UUID, a checksum), and none where they are words."""

from __future__ import annotations

import re
from collections.abc import Sequence

ENOUGH = 20
"""Fewer different values show no pattern that the next one would keep."""
LONGEST = 64

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_WHOLE = (_UUID, _UUID.replace("a-f", "A-F"))
_MARKS = re.compile(r"([-_/.:#])")
_RUNS = re.compile(r"[A-Z]+|[a-z]+|[0-9]+")
_CLASSES = ("[A-Z]", "[a-z]", "[0-9]")
_MIXED = ("[0-9a-f]", "[0-9A-F]", "[A-Z0-9]", "[A-Za-z0-9]")
_SHORT = 6
"""A code without marks that mixes letters and digits is at least so long; `A1` and `2B` may go on to `C10`."""


def pattern(values: Sequence[str]) -> str | None:
    """A pattern (RE2) for the whole of each text that all the values keep, None where they show none.

    A code is made of parts with marks between them; a part that has one length everywhere keeps it.
    """
    different = list(dict.fromkeys(values))
    if len(different) < ENOUGH or any(len(value) > LONGEST for value in different) or not _are_codes(different):
        return None
    for whole in _WHOLE:
        if all(re.fullmatch(whole, value) for value in different):
            return f"^{whole}$"
    split = [_MARKS.split(value) for value in different]
    if any(parts[1::2] != split[0][1::2] for parts in split):
        return None  # other marks, or more of them
    alone = len(split[0]) == 1
    found = [_part([parts[place] for parts in split], alone=alone) for place in range(0, len(split[0]), 2)]
    marks = [mark.replace(".", r"\.") for mark in split[0][1::2]]
    if any(part is None for part in found):
        return None
    return f"^{''.join(f'{part}{mark}' for part, mark in zip(found, [*marks, ''], strict=True))}$"


def _are_codes(different: list[str]) -> bool:
    """Whether most hold a digit and not all are plain numbers, or all are capitals of one length; others are words."""
    one_length = len({len(value) for value in different}) == 1
    digits = sum(any("0" <= character <= "9" for character in value) for value in different)
    if digits * 2 < len(different):
        return one_length and all(re.fullmatch("[A-Z]+", value) for value in different)
    return one_length or not all(re.fullmatch("[0-9]+", value) for value in different)


def _part(texts: list[str], *, alone: bool) -> str | None:
    """What all texts between two marks match; None where they hold anything but letters and digits."""
    runs = [_RUNS.findall(text) for text in texts]
    if any("".join(found) != text for found, text in zip(runs, texts, strict=True)):
        return None
    classes = [_class(run) for run in runs[0]]
    if all([_class(run) for run in found] == classes for found in runs):
        return "".join(name + _length([found[place] for found in runs]) for place, name in enumerate(classes))
    if "" in texts or (alone and (len(texts[0]) < _SHORT or _length(texts) == "+")):
        return None
    return next(one for one in _MIXED if all(re.fullmatch(f"{one}+", text) for text in texts)) + _length(texts)


def _class(run: str) -> str:
    return next(name for name in _CLASSES if re.match(name, run))


def _length(texts: list[str]) -> str:
    lengths = {len(text) for text in texts}
    if len(lengths) > 1:
        return "+"
    (length,) = lengths
    return "" if length == 1 else f"{{{length}}}"
