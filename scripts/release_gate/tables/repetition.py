"""Whether texts repeat so often that each is best judged once, by rows from two places that are far apart.

How many texts of one place are met again at the other tells how many different ones there are: they were caught, and
are caught again (Lincoln and Petersen). Two places, since in sorted data neighbours are alike and all others are not.
"""

from __future__ import annotations

from collections.abc import Sequence

LOOKED_AT = 5_000
"""Rows of each place."""
FEWEST_ROWS = 1_000_000
"""In smaller tables two looks take as long as they may save."""
MOST = 256 << 10
"""Different texts of which finding each again in memory takes less time than a regular expression takes."""
SHARE = 16
"""Rows for each different text, at least, where grouping saves anything."""
HELD = 64 << 20
"""Bytes that all different texts may take."""
_ROOM = 48
"""Bytes that a text takes in a group beside its own."""


def question(held: str, first: str, later: str) -> str:
    """The SELECT whose only row `few` understands; `held` is the column in the two sources of rows."""
    looks = " UNION ALL ".join(
        f"(SELECT {place} AS place, {held} AS text FROM {source} LIMIT {LOOKED_AT})"  # noqa: S608 - names of ours
        for place, source in ((1, first), (2, later))
    )
    seen = f"SELECT text, bit_or(place) AS places FROM ({looks}) WHERE text IS NOT NULL GROUP BY text"  # noqa: S608
    counted = ", ".join(f"count(*) FILTER (WHERE places {among})" for among in ("<> 2", "<> 1", "= 3"))
    return f"SELECT {counted}, coalesce(avg(strlen(text)), 0) FROM ({seen})"  # noqa: S608


def few(found: Sequence[float], rows: int) -> bool:
    """Whether a table of so many rows has few different texts, by the answer to the question."""
    first, later, again, length = found
    different = first * later / again if again else rows
    return different <= min(MOST, rows / SHARE) and different * (length + _ROOM) <= HELD
