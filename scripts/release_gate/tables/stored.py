"""What the footers of Parquet files say of their columns: exact types, and whether all files have the same columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from release_gate.contracts.found import Found, Type, found
from release_gate.tables.relation import Unanswered
from release_gate.tables.spoken import globs

Ask = Callable[[str], list[tuple[Any, ...]]]
Nodes = Sequence[tuple[Any, ...]]
_UNITS = {"MILLIS": "ms", "MICROS": "us", "NANOS": "ns"}
_MOST_DIGITS = 38


def stored(ask: Ask, files: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Name and exact type of each top column, the type where DuckDB's own is wider or other.

    `files` are paths with their names for people.

    Raises:
        Unanswered: a file can't be read, or has other columns than the first.
    """
    paths = list(files)
    first = _columns(ask, paths[0])
    exact = [(name, _exact(nodes[0][1])) for name, nodes in first]
    if len(paths) > 1:
        shape = "hash(list((name, duckdb_type, num_children, logical_type) ORDER BY column_id))"
        shapes: dict[str, Any] = dict(ask(f"SELECT file_name, {shape} FROM parquet_schema({globs(paths)}) GROUP BY 1"))  # noqa: S608 - quoted
        others = {shapes.get(other): other for other in reversed(paths)}
        del others[shapes.get(paths[0])]
        for other in others.values():
            columns = _columns(ask, other)
            _same(f"{files[other]} differs from {files[paths[0]]}", first, columns)
            held = {name: _exact(nodes[0][1]) for name, nodes in columns}
            exact = [(name, _wider(one, held[name])) for name, one in exact]
    return exact


def _wider(one: str | None, other: str | None) -> str | None:
    """The exact type of a column that has two: the engine's own, but where it has not all digits."""
    if one == other:
        return one
    return next((each for each in (one, other) if each is not None and each.startswith("decimal256")), None)


@dataclass(frozen=True)
class Footer:
    """What the footers of all parts say of a column that is not nested.

    Attributes:
        values: how many values it has, those that are missing too.
        nulls: how many are missing; None where a footer doesn't say.
        unpacked: bytes of all its pages before they were packed.
        largest: bytes of the largest dictionary of a part, as stored; None where a part has none.
    """

    values: int
    nulls: int | None
    unpacked: int
    largest: int | None


def footers(ask: Ask, files: Iterable[str]) -> dict[str, Footer]:
    """What footers say of each top column that is not nested, by the name it is held under.

    Nothing at all where files have their columns in another order, or numbers that nobody can add.
    """
    try:
        return dict(_footers(ask, list(files)))
    except Unanswered:
        return {}


def _footers(ask: Ask, paths: Sequence[str]) -> Iterator[tuple[str, Footer]]:
    names = f"SELECT list(name ORDER BY column_id) AS names FROM parquet_schema({globs(paths)}) GROUP BY file_name"  # noqa: S608 - quoted
    order = f"SELECT count(DISTINCT names) FROM ({names})"  # noqa: S608
    if len(paths) > 1 and ask(order)[0][0] != 1:
        return
    size = "data_page_offset - dictionary_page_offset"
    told = (
        "SELECT column_id, sum(num_values)::BIGINT, "  # noqa: S608
        "CASE WHEN bool_and(stats_null_count IS NOT NULL) THEN sum(stats_null_count)::BIGINT END, "
        "sum(total_uncompressed_size)::BIGINT, "
        f"CASE WHEN bool_and(coalesce({size} > 0, false)) THEN max({size})::BIGINT END "
        f"FROM parquet_metadata({globs(paths)}) GROUP BY 1"
    )
    leaves = {leaf: Footer(*said) for leaf, *said in ask(told)}
    leaf = 0
    for place, (_, nodes) in enumerate(_columns(ask, paths[0])):
        if len(nodes) == 1 and leaf in leaves:
            yield f"c{place}", leaves[leaf]
        leaf += sum(1 for node in nodes if not node[2])


def of_parquet(place: int, given: Type, name: str, exact: str | None) -> Found:
    """A column of a Parquet file; no rule judges one whose digits the engine does not have."""
    column = found(name, f"c{place}", given, exact)
    return replace(column, kind=None) if exact is not None and exact.startswith("decimal256") else column


def _columns(ask: Ask, file: str) -> list[tuple[str, Nodes]]:
    """Every top column with its node and all that is nested in it."""
    asked = "SELECT name, logical_type, coalesce(num_children, 0), duckdb_type FROM parquet_schema"
    nodes = ask(f"{asked}({globs([file])}) ORDER BY column_id")[1:]
    columns: list[tuple[str, Nodes]] = []
    place = 0
    while place < len(nodes):
        after = _after(nodes, place)
        columns.append((nodes[place][0], nodes[place:after]))
        place = after
    return columns


def _same(differs: str, first: Sequence[tuple[str, Nodes]], second: Sequence[tuple[str, Nodes]]) -> None:
    """Refuse other columns, whatever their order."""
    types, others = ({name: [node[3] for node in nodes] for name, nodes in one} for one in (first, second))
    for name in [*types, *others]:
        if name not in others:
            raise Unanswered(f"{differs}: it lacks the column '{name}'", unreadable=True)
        if name not in types:
            raise Unanswered(f"{differs}: it also has the column '{name}'", unreadable=True)
        if types[name] != others[name]:
            kinds = f"{others[name][0] or 'nested values'}, not {types[name][0] or 'nested values'}"
            raise Unanswered(f"{differs}: its column '{name}' holds {kinds}", unreadable=True)


def _after(nodes: Nodes, place: int) -> int:
    """The place of the node after this one and all that is nested in it."""
    left = int(nodes[place][2])
    place += 1
    for _ in range(left):
        place = _after(nodes, place)
    return place


def _exact(written: str | None) -> str | None:
    """An exact type that DuckDB widens: milliseconds, half floats, too many digits, columns of nothing but null."""
    if written is None:
        return None
    if written.startswith("NullType"):
        return "null"
    if written.startswith("Float16"):
        return "halffloat"
    digits = re.search(r"DecimalType\(scale=(\d+), precision=(\d+)\)", written)
    if digits is not None and int(digits[2]) > _MOST_DIGITS:
        return f"decimal256({digits[2]}, {digits[1]})"
    unit = next((short for long, short in _UNITS.items() if f"{long}=<null>" not in written), None)
    if written.startswith("TimestampType") and unit:
        return f"timestamp[{unit}, tz=UTC]" if "isAdjustedToUTC=1" in written else f"timestamp[{unit}]"
    if written.startswith("TimeType") and unit:
        return f"time32[{unit}]" if unit == "ms" else f"time64[{unit}]"
    return None
