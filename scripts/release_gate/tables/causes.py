"""Why DuckDB could not read or answer, in plain words: without the data's own values and the machine's paths."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_CSV = (
    ("Invalid unicode", "is not text in UTF-8"),
    ("unterminated quote", "has a quote that is not closed, or text after a closing one"),
    ("Maximum line size", "is longer than 2,000,000 bytes: a quote may not be closed"),
)
_LONGEST = 300


def cause_of(said: str, shown: Mapping[str, str]) -> str:
    """What DuckDB said, in one line; `shown` has the name for people of each path it may speak of."""
    csv = _LINE.search(said)
    if csv is not None:
        return f"{_file(said, shown)}line {int(csv[1]):,} {_of_line(said)}"
    if "'pytz'" in said:
        return "it gives a moment with a time zone"  # which DuckDB hands to Python by that package alone
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = lines[0].split(":", 1)[-1].strip() if lines else "no reason given"
    for path, name in shown.items():
        first = first.replace(path, name)
    return first[:_LONGEST]


def _file(said: str, shown: Mapping[str, str]) -> str:
    """The file that a line stands in, where there are several."""
    if len(shown) < 2:
        return ""
    return next((f"{name}: " for path, name in shown.items() if f"file = {path}\n" in said), "")


def _of_line(said: str) -> str:
    width = _WIDTH.search(said)
    if width is not None:
        values = int(width[2])
        return f"has {values:,} value{'s' * (values != 1)}, and the header {int(width[1]):,}"
    return next((words for mark, words in _CSV if mark in said), "is no CSV of quotes and commas")
