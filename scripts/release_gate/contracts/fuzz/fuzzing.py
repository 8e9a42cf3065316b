"""Rows that a contract allows, at its edges: first one edge at a time in an ordinary row, then edges together.

Every edge is in some row where the rows are enough for that (`untried` names those in none): where they are too few for
each to come alone, the last rows hold several. The same contract and seed give the same rows. What a type can store is
known only where the data is: `domains` are fitted to it (`Domain.fitted`) before `rows` are made of them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from release_gate.contracts.allowed import Value, allows, typed
from release_gate.contracts.contract import Column, Contract, OnInvalid, OnNull
from release_gate.contracts.fuzz.edge_order import SHARE_OF_EDGES, EdgeOrder, identity
from release_gate.contracts.fuzz.edge_values import INSIDE, edges, ordinary


@dataclass(frozen=True)
class Domain:
    """What a column may hold: `plain` is an ordinary value, `values` are the others, edges first, plainest first.

    `edges` are the values that are to be tried, each in a row at least: all of them, but of a column without repeats
    not those from within, of which it has one for every row.
    """

    column: Column
    plain: Value
    values: tuple[Value, ...]
    edges: tuple[Value, ...]

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    def fitted(self, stored: Callable[[Value], Value]) -> Domain | None:
        """With each value as its storage gives it back; None where none is left that can be stored and is allowed.

        `stored` raises ValueError, OverflowError or TypeError for what can't be stored.
        """
        allowed = self._kept((self.plain, *self.values), stored)
        if not allowed:
            return None
        plain = next((value for value in allowed if value is not None), None)
        values, own = (
            tuple(value for value in kept if identity(value) != identity(plain))
            for kept in (allowed, self._kept(self.edges, stored))
        )
        return replace(self, plain=plain, values=values, edges=own)

    def _kept(self, values: Iterable[Value], stored: Callable[[Value], Value]) -> list[Value]:
        kept: list[Value] = []
        for value in values:
            with suppress(ValueError, OverflowError, TypeError):
                kept.append(stored(value))
        return [value for value in _distinct(kept) if _may_hold(self.column, value)]


def domains(contract: Contract, seed: int, number: int) -> tuple[Domain, ...]:
    """What each column may hold, of those for which values can be made: lists, objects and some patterns are left out.

    `number` is how many rows will be made: a column without repeats gets so many values.
    """
    return tuple(found for column in contract.columns if (found := _domain(column, contract, seed, number)) is not None)


def _domain(column: Column, contract: Contract, seed: int, number: int) -> Domain | None:
    # A generator for each column: a column that is added does not change what the others are tried with.
    random = Random(f"{seed} {column.name}")  # noqa: S311 - repeatable on purpose
    alone = (column.name,) in contract.unique_sets
    try:
        own = _distinct([*ordinary(column), *edges(column, random, 0)])
        found = _distinct([*own, *edges(column, random, number if alone else INSIDE)])
        allowed = [value for value in found if allows(column, value)]
    except ValueError:
        return None  # a bound or a pattern that can't be read: schema-check says so
    if not allowed:
        return None
    plain, others = allowed[0], allowed[1:]
    if _may_hold(column, None):
        others.insert(0, None)
    # A missing value that is imputed reaches the transforms as what takes its place.
    if column.policy.on_null is OnNull.IMPUTE and column.policy.impute is not None:
        with suppress(ValueError):  # no value of the column: schema-check says so
            others.insert(0, typed(column.kind, column.policy.impute))
    within = {identity(value) for value in found[len(own) :]} if alone else set()
    return Domain(column, plain, tuple(others), tuple(value for value in others if identity(value) not in within))


def _may_hold(column: Column, value: Value) -> bool:
    """Whether the transforms may meet the value: nulls that are kept, and those that invalid values become."""
    if value is not None or column.policy.on_null is OnNull.KEEP:
        return allows(column, value)
    # What becomes null is then imputed, or its row dropped, as if it had been missing from the first.
    stays = column.policy.on_null not in {OnNull.IMPUTE, OnNull.DROP_ROW}
    sets = column.policy.on_invalid is OnInvalid.SET_NULL and any(not rule.warns for rule in column.rules)
    return stays and sets


def _distinct(values: Sequence[Value]) -> list[Value]:
    """Each value once, by its type too: True is not 1, and -0.0 is not 0.0."""
    return list({identity(value): value for value in values}.values())


def rows(contract: Contract, found: Sequence[Domain], seed: int, number: int) -> list[tuple[Value, ...]]:
    """Up to `number` rows, a value for each domain in their order; no key and no value that must be unique twice.

    Fewer where the contract leaves fewer: a unique column of three values has three rows.
    """
    if not found:
        return []
    random = Random(f"{seed} rows")  # noqa: S311 - repeatable on purpose
    unique = _Unique(contract, found)
    order = EdgeOrder([one.plain for one in found], [one.edges for one in found], unique.most(number))
    made: list[tuple[Value, ...]] = []
    for _ in range(4 * number):
        row = unique.taken(order.wish(len(made)) or _several(found, random), random)
        if row is not None:
            made.append(row)
            order.tried(row)
        if len(made) >= number:
            break
    return made


def untried(found: Sequence[Domain], made: Sequence[tuple[Value, ...]]) -> dict[str, int]:
    """How many edges of each column stand in none of the rows; columns of which all do are left out."""
    held = [{identity(row[place]) for row in made} for place in range(len(found))]
    missing = {
        domain.name: sum(identity(value) not in cells for value in domain.edges)
        for domain, cells in zip(found, held, strict=True)
    }
    return {name: count for name, count in missing.items() if count}


def _several(found: Sequence[Domain], random: Random) -> list[Value]:
    """A row of several values drawn at random."""
    return [
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
        # What takes the place of a value that is used up comes from within: edges have rows of their own.
        self._others = {places: deque(_within_first(found[places[-1]])) for places in self._sets}

    def most(self, number: int) -> int:
        """Of so many rows those that there can be, whatever they hold."""
        sizes = [len(domain.values) + 1 for domain in self._domains]
        return min([number, *(math.prod(sizes[place] for place in places) for places in self._sets)])

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
        last, others = places[-1], self._others[places]
        # What a column without repeats has used up stays so: to look at it again for each row takes long.
        while others and len(places) == 1 and (others[0],) in self._used[places]:
            others.popleft()
        for value in others:
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


def _within_first(domain: Domain) -> tuple[Value, ...]:
    own = {identity(value) for value in domain.edges}
    return (*(value for value in domain.values if identity(value) not in own), *domain.edges, domain.plain)
