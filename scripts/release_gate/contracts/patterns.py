"""Whether the engine can run a regular expression: RE2 takes linear time, and has no look-around or back-reference."""

from __future__ import annotations

import re
import warnings

_BEYOND = re.compile(r"\(\?(?:[=!>(]|<[=!]|P=|P>|&|R|\d)|\\[1-9gkZGKX]|[*+?}]\+")
"""What other engines have and RE2 does not; an escaped bracket or a set of characters may look like it."""


def unreadable(pattern: str) -> str | None:
    """Why RE2 can't run the pattern, None where it can.

    Only a pattern that looks wrong is compiled: importing RE2 takes longer than reading a contract.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[:alpha:]]` looks odd to Python, and RE2 reads it
            re.compile(pattern)
    except re.error:
        return _refusal(pattern)
    return _refusal(pattern) if _BEYOND.search(pattern) else None


def _refusal(pattern: str) -> str | None:
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, and hardly any contract needs it
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return None
