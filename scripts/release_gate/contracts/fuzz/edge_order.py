"""In which order edges are tried, so that every one is in some row where the rows are enough for that.

>>> order = EdgeOrder(["plain", 1], [["a", "b"], [0]], 4)
>>> order.wish(0)
['plain', 1]
>>> order.wish(1)
['a', 1]
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from release_gate.contracts.allowed import Value

SHARE_OF_EDGES = 0.4
"""Of the cells of a row that tries several edges at once; the others are ordinary, unless rows are too few for that."""
SHARE_OF_ROWS = 0.5
"""Of the rows, those with several edges that a column may ask for which has more edges than there are rows."""


def identity(value: Value) -> tuple[type, str]:
    """What tells values apart by their type too: True is not 1, and -0.0 is not 0.0."""
    return type(value), repr(value)


_Left = list[dict[tuple[type, str], Value]]
"""Edges of each column that no row holds yet."""


class EdgeOrder:
    """The order in which edges are tried: alone, the first of every column first, while rows are left for all others.

    The last rows then hold several, as few as will do: the first edge that raises hides the others of its row.
    """

    def __init__(self, plain: Sequence[Value], edges: Sequence[Sequence[Value]], number: int) -> None:
        self._plain = list(plain)
        self._number = number
        self._width = max(2, round(SHARE_OF_EDGES * len(plain)))
        # A request carries no infinity: serving would not be asked about the edges beside one.
        self._finite, self._infinite = (
            [{identity(value): value for value in own if _is_infinite(value) is infinite} for own in edges]
            for infinite in (False, True)
        )
        self._turn = 0

    def wish(self, made: int) -> list[Value] | None:
        """The row that is to follow `made` others; None where every edge was tried."""
        if not made:
            return list(self._plain)
        count = sum(len(one) for one in (*self._finite, *self._infinite))
        if not count:
            return None
        left = max(1, self._number - made)
        longest = max(self._sizes(self._finite, left))
        rows_of_infinite = min(self._room(self._infinite, left), left - longest)
        if rows_of_infinite < max(self._sizes(self._infinite, left)):
            for place, edges_left in enumerate(self._infinite):
                self._finite[place].update(edges_left)
                edges_left.clear()
            rows_of_infinite = 0
        if count <= left or self._room(self._finite, left) + rows_of_infinite < left:
            return self._alone()
        if rows_of_infinite:
            return self._together(self._infinite, rows_of_infinite, made)
        return self._together(self._finite, left, made)

    def tried(self, row: tuple[Value, ...]) -> None:
        """Take what the row holds off the list, be it wished for or not."""
        for place, value in enumerate(row):
            for edges_left in (self._finite[place], self._infinite[place]):
                edges_left.pop(identity(value), None)

    def _room(self, group: _Left, left: int) -> int:
        """Rows that are needed if all that follow hold several edges: a column has one edge in each."""
        sizes = self._sizes(group, left)
        return max(*sizes, math.ceil(sum(sizes) / self._width))

    def _sizes(self, group: _Left, left: int) -> list[int]:
        most = min(left, int(SHARE_OF_ROWS * self._number))
        return [len(one) if len(one) <= left else most for one in group]

    def _alone(self) -> list[Value]:
        wish = list(self._plain)
        places = [(self._turn + step) % len(wish) for step in range(len(wish))]
        place = next(place for place in places if self._finite[place] or self._infinite[place])
        self._turn = place + 1
        wish[place] = _next(self._finite[place] or self._infinite[place], 0)
        return wish

    def _together(self, group: _Left, left: int, made: int) -> list[Value]:
        """One edge of each of the columns with the most, of so many columns as will be done in the rows left."""
        wish = list(self._plain)
        width = math.ceil(sum(min(len(one), left) for one in group) / left)
        for place in sorted(range(len(group)), key=lambda place: -len(group[place]))[:width]:
            if group[place]:
                # Turned by column: what comes first, such as a null, does not meet the first of every other column.
                wish[place] = _next(group[place], (made + place) % len(group[place]))
        return wish


def _next(edges_left: dict[tuple[type, str], Value], place: int) -> Value:
    """The edge at the place, which goes to the end of its column's: where its row can't be made, others come first."""
    name = list(edges_left)[place]
    edges_left[name] = edges_left.pop(name)
    return edges_left[name]


def _is_infinite(value: Value) -> bool:
    return isinstance(value, float) and math.isinf(value)
