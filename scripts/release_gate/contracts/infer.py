"""Drafts a contract in the open standard from the profile of a table: what the data shows, with some slack.

A draft is a start for people: its policies are the strictest that today's data keeps, and each backfill is marked
as a draft, which schema-check warns of until someone has written it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from release_gate.contracts import storage
from release_gate.contracts.contract import Bound, Kind
from release_gate.contracts.personal import by_name

SET_SIZE = 20
"""A text column with at most this many values, each met often, is taken for a set."""
ROWS_KEPT = 0.5
"""Part of today's rows that later data must have at least."""
SLACK = 0.1
"""Part of the span by which a range is widened on either side."""
SMALLEST_SPAN = 1e-290
"""Below this, floats have too few digits left to widen a range."""
DRAFT = "DRAFT: say how missing history is filled, who does it, and from when"

NULL_SLACK = 5
"""Percentage points by which the share of nulls may grow."""

_WRITTEN = {"float": "float32"}
"""Exact types whose name in Arrow means another one to SQL, and the name that means the same to all."""


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Attributes:
        least: the smallest of the finite numbers, or the first day (ISO 8601); None where there are none, or others.
        most: the largest of the finite numbers.
        values: all of its texts, where there are few.
        pattern: what all of its texts match, where they look like codes.
        personal: what its values look like where they seem to belong to people, such as `e-mail addresses`.
    """

    name: str
    kind: Kind
    storage: str | None = None
    zone: bool | None = None
    nulls: int = 0
    distinct: int = 0
    values: tuple[str, ...] = ()
    least: Bound | None = None
    most: int | float | None = None
    pattern: str | None = None
    personal: str | None = None

    @property
    def sensitive(self) -> bool:
        """Whether its name or its values say that they belong to people."""
        return self.personal is not None or by_name(self.name)


@dataclass(frozen=True)
class Profile:
    """What a table holds, and which of its columns no contract can describe.

    Attributes:
        left_out: columns of types that no contract describes.
        repeated: names that several columns have.
        nameless: places of columns without a name, from 1.
        pairs: two columns each that together name a row, looked for where no single column does.
    """

    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    left_out: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    nameless: tuple[int, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """Columns that could be the key, alone or as a pair, the likeliest first."""
        alone = tuple((one.name,) for one in self.columns if _names_rows(one, self.rows))
        return alone or self.pairs


def omissions(profile: Profile) -> Iterator[str]:
    """Which columns of the table are left out, and why: the words after `left out, ` for each cause."""
    if profile.left_out:
        yield f"since no contract describes their types: {', '.join(profile.left_out)}"
    if profile.repeated:
        yield f"since several columns have the same name: {', '.join(profile.repeated)}"
    if profile.nameless:
        places = f"column{'s' * (len(profile.nameless) > 1)} {', '.join(map(str, profile.nameless))}"
        yield f"since they have no name (pandas' index, unless written with `index=False`): {places}"


def draft(profile: Profile, source: str, owner: str | None = None) -> str:
    """A contract (YAML) that the profiled data keeps; `source` names the data in a comment."""
    key = profile.keys[0] if profile.keys else ()
    least = max(1, math.floor(profile.rows * ROWS_KEPT))
    table = {
        "name": profile.name,
        "logicalType": "object",
        "physicalType": "table",
        "quality": [{"name": "enough rows", "type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": least}],
        "properties": [_property(one, profile.rows, key) for one in profile.columns],
    }
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": re.sub(r"[^A-Za-z0-9]+", "-", profile.name).strip("-").lower() or "table",
        "name": profile.name,
        "version": "1.0.0",
        "status": "draft",
        **({"customProperties": [{"property": "owner", "value": owner}]} if owner else {}),
        "schema": [table],
    }
    comments = "".join(f"# {_one_line(line)}\n" for line in _remarks(profile, source))
    return comments + yaml.dump(contract, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=110)


def _one_line(text: str) -> str:
    """A text that can't leave its comment: no YAML file may hold control characters, not even there."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _remarks(profile: Profile, source: str) -> Iterator[str]:
    """What a reader should look at first."""
    rows = f"{profile.rows:,} row{'s' * (profile.rows != 1)}"
    yield f"Drafted from {source} ({rows}): read every line before you rely on it."
    yield "How fresh the data must be is for people to say: `slaProperties` with `property: freshness`."
    yield from (f"Left out, {one}" for one in omissions(profile))
    if len(profile.keys) > 1:
        others = "; ".join(", ".join(names) for names in profile.keys[1:6])
        yield f"The key is a guess: no two rows of this data share these either: {others}"
    marked = [f"{one.name} ({one.personal or 'by its name'})" for one in profile.columns if one.sensitive]
    if marked:
        yield f"Marked sensitive, so that no value of theirs is shown or written here: {', '.join(marked)}"


def _property(column: ColumnProfile, rows: int, key: tuple[str, ...]) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, "logicalType": column.kind.value}
    if column.storage:
        said["physicalType"] = _WRITTEN.get(column.storage, column.storage)
    if column.name in key:
        said |= {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
        said |= {"unique": True} if len(key) == 1 else {}
    said["required"] = column.nulls == 0
    known = _is_set(column, rows)
    # What is said of values shows some of them.
    options: dict[str, Any] = {} if column.sensitive else _range(column, rows)
    if column.pattern and not known and not column.sensitive:
        options["pattern"] = column.pattern
    if column.zone is not None:
        options["timezone"] = column.zone
    if options:
        said["logicalTypeOptions"] = options
    if quality := _quality(column, rows, known=known):
        said["quality"] = quality
    policies = {"onNull": "reject" if column.nulls == 0 else "keep", "onInvalid": "reject", "backfill": DRAFT}
    said["customProperties"] = [{"property": name, "value": value} for name, value in policies.items()]
    if column.sensitive:
        said["customProperties"].append({"property": "sensitive", "value": True})
    return said


def _is_set(column: ColumnProfile, rows: int) -> bool:
    """Whether its texts are few, all known, and each met often."""
    whole = 0 < len(column.values) == column.distinct
    return column.kind is Kind.STRING and whole and _often(column, rows) and not column.sensitive


def _often(column: ColumnProfile, rows: int) -> bool:
    """Whether each of its values is met many times."""
    return column.distinct * SET_SIZE <= rows


def _quality(column: ColumnProfile, rows: int, *, known: bool) -> list[dict[str, Any]]:
    """Rules of the standard's library: the values that are known, and how many may be null."""
    found: list[dict[str, Any]] = []
    if known:
        rule = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": list(column.values)}}
        found.append({"name": f"{column.name} is known", **rule, "mustBe": 0})
    most = math.ceil(100 * column.nulls / rows) + NULL_SLACK if column.nulls else 100
    if most < 100:
        share = {"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": most}
        found.append({"name": f"{column.name} is null no more often", "type": "library", **share})
    return found


def _names_rows(column: ColumnProfile, rows: int) -> bool:
    """Whether a column could be the key: one value a row, and of a type that keys have."""
    return rows > 1 and column.distinct == rows and column.kind in {Kind.STRING, Kind.INTEGER}


def _range(column: ColumnProfile, rows: int) -> dict[str, Bound]:
    """A widened range; what is a share, a flag or a code stays one, what is never negative stays so."""
    least, most = column.least, column.most
    if isinstance(least, str):
        # Days go on: only their beginning is known.
        return {"minimum": f"{least[:4]}-01-01"}
    if least is None or most is None:
        return {}
    if column.kind in {Kind.NUMBER, Kind.INTEGER} and least >= 0 and most <= 1:
        return {"minimum": 0, "maximum": 1}
    if column.kind is Kind.INTEGER and column.distinct == most - least + 1 and _often(column, rows):
        return {"minimum": least, "maximum": most}  # every one from 1 to 12, each many times: months, not a sample
    span = float(most - least) or float(abs(most)) or 1.0
    widened = (least - span * SLACK, most + span * SLACK)
    if span < SMALLEST_SPAN or not all(map(math.isfinite, widened)):
        return {}
    step = 10.0 ** math.floor(math.log10(span * SLACK))
    low, high = math.floor(widened[0] / step) * step, math.ceil(widened[1] / step) * step
    if column.kind is Kind.INTEGER:
        low, high = math.floor(low), math.ceil(high)
    low = max(low, 0) if least >= 0 else low
    # Rounding must never leave out what was seen, nor slack go beyond what the exact type holds.
    low, high = min(_tidy(low), least), max(_tidy(high), most)
    if limits := storage.limits(column.storage):
        low, high = max(low, limits[0]), min(high, limits[1])
    # Numbers that name rows go on, as days do.
    return {"minimum": low} if _names_rows(column, rows) else {"minimum": low, "maximum": high}


def _tidy(value: float) -> int | float:
    """A whole number without `.0`, so that a contract reads as people would write it."""
    return int(value) if value == int(value) else float(f"{value:.12g}")


class _Quoting(yaml.SafeDumper):
    """Quotes each text that a reader of YAML 1.1 or 1.2 could take for a number, a date or a word such as `no`."""


def _text(dumper: _Quoting, text: str) -> yaml.ScalarNode:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_ .\[\],=/-]*", text) and text.isprintable()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Quoting.add_representer(str, _text)
