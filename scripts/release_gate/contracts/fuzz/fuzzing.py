"""Rows that a contract allows, at its edges: first one edge at a time in an ordinary row, then edges together.

The same contract and seed give the same rows. What a type can store is known only where the data is: `domains` are
fitted to it (`Domain.fitted`) before `rows` are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from release_gate.contracts.allowed import Value, allows
from release_gate.contracts.contract import Column, Contract, OnNull
from release_gate.contracts.fuzz.edge_values import INSIDE, edges, ordinary

DEPTH = 40
"""Edges of a column that get a row of their own; a column without repeats has a value for every row."""
SHARE_OF_EDGES = 0.4
"""Of the cells of a row that tries several edges at once; the others are ordinary."""


@dataclass(frozen=True)
class Domain:
    """What a column may hold: `plain` is an ordinary value, `values` are the others, edges first, plainest first."""

    column: Column
    plain: Value
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    def fitted(self, stored: Callable[[Value], Value]) -> Domain | None:
        """With each value as its storage gives it back; None where none is left that can be stored and is allowed.

        `stored` raises ValueError, OverflowError or TypeError for what can't be stored.
        """
        kept: list[Value] = []
        for value in (self.plain, *self.values):
            with suppress(ValueError, OverflowError, TypeError):
                kept.append(stored(value))
        allowed = _distinct([value for value in kept if allows(self.column, value)])
        if not allowed:
            return None
        plain = next((value for value in allowed if value is not None), None)
        return replace(self, plain=plain, values=tuple(value for value in allowed if value is not plain))


def domains(contract: Contract, seed: int, number: int) -> tuple[Domain, ...]:
    """What each column may hold, of those for which values can be made: lists, objects and some patterns are left out.

    `number` is how many rows will be made: a column without repeats gets so many values.
    """
    return tuple(found for column in contract.columns if (found := _domain(column, contract, seed, number)) is not None)


def _domain(column: Column, contract: Contract, seed: int, number: int) -> Domain | None:
    # A generator for each column: a column that is added does not change what the others are tried with.
    random = Random(f"{seed} {column.name}")  # noqa: S311 - repeatable on purpose
    wanted = number if (column.name,) in contract.unique_sets else INSIDE
    try:
        found = [*ordinary(column), *edges(column, random, wanted)]
        allowed = _distinct([value for value in found if allows(column, value)])
    except ValueError:
        return None  # a bound or a pattern that can't be read: schema-check says so
    if not allowed:
        return None
    plain, others = allowed[0], allowed[1:]
    if column.policy.on_null is OnNull.KEEP:
        others.insert(0, None)
    # A missing value that is imputed reaches the transforms as what takes its place.
    if column.policy.on_null is OnNull.IMPUTE and column.policy.impute is not None:
        others.insert(0, column.policy.impute)
    return Domain(column, plain, tuple(others))


def _distinct(values: Sequence[Value]) -> list[Value]:
    """Each value once, by its type too: True is not 1, and -0.0 is not 0.0."""
    return list({(type(value), repr(value)): value for value in values}.values())


def rows(contract: Contract, found: Sequence[Domain], seed: int, number: int) -> list[tuple[Value, ...]]:
    """Up to `number` rows, a value for each domain in their order; no key and no value that must be unique twice.

    Fewer where the contract leaves fewer: a unique column of three values has three rows.
    """
    if not found:
        return []
    random = Random(f"{seed} rows")  # noqa: S311 - repeatable on purpose
    unique = _Unique(contract, found)
    made: list[tuple[Value, ...]] = []
    for wish in islice(_wishes(found, random), 4 * number):
        row = unique.taken(wish, random)
        if row is not None:
            made.append(row)
        if len(made) >= number:
            break
    return made


def _wishes(found: Sequence[Domain], random: Random) -> Iterator[list[Value]]:
    """Rows without end: the ordinary one, each edge alone (the first of every column first), then several at once."""
    plain = [domain.plain for domain in found]
    yield list(plain)
    for depth in range(DEPTH):
        for place, domain in enumerate(found):
            if depth < len(domain.values):
                yield [*plain[:place], domain.values[depth], *plain[place + 1 :]]
    while True:
        yield [
            # Squared: nulls and bounds stand before values from within, and are to meet each other more often.
            domain.values[int(len(domain.values) * random.random() ** 2)]
            if domain.values and random.random() < SHARE_OF_EDGES
            else domain.plain
            for domain in found
        ]


class _Unique:
    """Holds rows to what must be unique: takes another value for one that is used up."""

    def __init__(self, contract: Contract, found: Sequence[Domain]) -> None:
        self._domains = found
        names = [domain.name for domain in found]
        # A set with a column that we don't fill is filled from the data: nothing is known of it here.
        self._sets = [
            tuple(names.index(name) for name in one) for one in contract.unique_sets if set(one) <= set(names)
        ]
        self._used: dict[tuple[int, ...], set[tuple[object, ...]]] = {places: set() for places in self._sets}

    def taken(self, wish: list[Value], random: Random) -> tuple[Value, ...] | None:
        """The row, with what is used already changed; None where nothing is left."""
        for places in self._sets:
            if self._is_used(places, wish) and not self._changed(places, wish, random):
                return None
        if any(self._is_used(places, wish) for places in self._sets):
            return None
        for places in self._sets:
            self._used[places].add(self._named(places, wish))
        return tuple(wish)

    def _changed(self, places: tuple[int, ...], wish: list[Value], random: Random) -> bool:
        """Other values of the last column of the set, then random ones of all of them."""
        last = places[-1]
        for value in (*self._domains[last].values, self._domains[last].plain):
            wish[last] = value
            if not self._is_used(places, wish):
                return True
        for _ in range(20):
            for place in places:
                wish[place] = random.choice((self._domains[place].plain, *self._domains[place].values))
            if not self._is_used(places, wish):
                return True
        return False

    def _is_used(self, places: tuple[int, ...], wish: list[Value]) -> bool:
        return self._named(places, wish) in self._used[places]

    @staticmethod
    def _named(places: tuple[int, ...], wish: list[Value]) -> tuple[object, ...]:
        return tuple(wish[place] for place in places)
