"""Counts what breaks a contract in a table, in a handful of queries however many checks there are.

1. What was known before: footers prove ranges without reading a row; the values of keys and the texts that break a rule
   are counted.
2. Everything not known, in one pass: nulls, failing rows, least and greatest values, distinct values.
3. Only where something fails: rows that break a range or any rule of a column, rows that share a key,
4. and the first few failing rows of each.

Expressions are made for what is asked only: where the first step answers all, nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from release_gate.contracts.contract import Contract, Metric
from release_gate.contracts.counts import Broken, ColumnCount, Counts, Effort, Fit, KeyCount
from release_gate.contracts.found import Found, declared
from release_gate.tables.asking import Asking
from release_gate.tables.checks import Check, ColumnChecks, checks_of, once, refused
from release_gate.tables.keys import Keys
from release_gate.tables.measures import Measures
from release_gate.tables.opening import format_of, open_files, unreadable
from release_gate.tables.relation import Counted, Relation, Unanswered
from release_gate.tables.samples import samples
from release_gate.tables.text_rules import answerable

ENOUGH = 2**30
"""The memory that is told to be the limit once the engine ran out of its own."""
RANGES = 2
"""With more range rules on a column than this, its least and greatest value are cheaper to ask for than each count."""


@dataclass(frozen=True)
class Scanned:
    """The counts, and the open table they were counted in, for whoever writes its rows; close it afterwards."""

    counts: Counts
    relation: Relation = field(repr=False)
    checks: tuple[ColumnChecks, ...] = field(repr=False, default=())

    def close(self) -> None:
        """Give back the table."""
        self.relation.close()


def scan(
    path: Path, contract: Contract, *, shown: str, memory: int | None = None, now: datetime | None = None,
    exact: bool = False,
) -> Scanned:  # fmt: skip
    """Open a file and count every breach of the contract; see `scanned`.

    Raises:
        BadInput: the file is missing or can't be read.
    """
    relation = open_files(path, shown, memory=memory, contract=None if exact else contract)
    try:
        return scanned(relation, contract, shown, now=now, exact=exact)
    except Unanswered as refusal:
        relation.close()
        raise unreadable(shown, format_of(path.name, shown), str(refusal), [path]) from refusal
    except BaseException:
        relation.close()
        raise


def scanned(
    relation: Relation, contract: Contract, shown: str, *, now: datetime | None = None, exact: bool = False
) -> Scanned:
    """Count every breach of the contract in an open table.

    `now` is the time that the age of the newest row is told against. With `exact` every check is counted, whatever
    the file's footer proves.

    Raises:
        Unanswered: the engine can't read the data.
    """
    relation.shape = replace(relation.shape, columns=tuple(_declared(relation, contract)))
    checks = tuple(checks_of(contract, relation))
    measures: dict[int, str] = {}
    while True:
        try:
            told = _Scan(relation, contract, checks, Measures(relation, contract, checks, now, measures), exact=exact)
            return Scanned(told.counts(shown), relation, checks)
        except Unanswered as refusal:
            if refusal.full and relation.shape.memory is None:
                # Groups go to disk where they don't fit, which distinct values in one query do not.
                relation.shape = replace(relation.shape, memory=ENOUGH)
                continue
            # One check or measure that the engine refuses must not hide what the others find.
            judgeable = refused(relation, checks)
            if judgeable is not None:
                checks = judgeable
                continue
            if measures:
                raise
            measures = Measures(relation, contract, checks, now).refused()
            if not measures:
                raise


def _declared(relation: Relation, contract: Contract) -> Iterator[Found]:
    for one in relation.shape.columns:
        column = contract.column(one.name)
        yield one if column is None else declared(one, column.kind)


class _Scan:
    """One pass over the phases; `known` holds every answer so far."""

    def __init__(
        self, relation: Relation, contract: Contract, checks: tuple[ColumnChecks, ...], measures: Measures,
        *, exact: bool,
    ) -> None:  # fmt: skip
        self.relation = relation
        self.contract = contract
        self.checks = checks
        self.exact = exact
        self.keys = Keys(relation, contract)
        self.measures = measures
        self.known: dict[Any, Any] = {}
        self.counted = Counted()
        self.proven = 0

    def counts(self, shown: str) -> Counts:
        """All phases, then what they came to."""
        columns = self.relation.shape.columns
        if columns and self.relation.shape.delimiter is None:
            if not self.exact:
                self._compile_meanwhile()
                self._know()
            self._count()
            self._count_what_fails()
        return self._told(shown)

    # The phases

    def _compile_meanwhile(self) -> None:
        """Make expressions of what no engine answers ahead, while it answers the rest."""
        left = [check for one in self.checks for check in one.checks if not (check.provable or answerable(check.rule))]
        for check in left:
            check.fails  # noqa: B018 - kept
        if any(one.metric not in {Metric.ROWS, Metric.QUERY} for one in self.contract.measures):
            self.relation.table  # noqa: B018 - opens what compiles

    def _know(self) -> None:
        shape, self.counted = self.relation.shape, self.relation.counted()
        if shape.rows is None:
            return
        self.known["rows"] = shape.rows
        for one in self.checks:
            held = one.judged.found.held
            if one.judged.plain and held in shape.ends:
                self.known[one.name, "least"], self.known[one.name, "most"] = shape.ends[held]
            # Asked for with the rest, missing values would make the engine read every row.
            if one.judged.plain and held in shape.nulls:
                self.known[one.name, "nulls"] = shape.nulls[held]
            for check in one.checks if one.judged.plain else ():
                if (rows := self.counted.broken.get((one.name, check.place))) is not None:
                    self.known[check.key] = rows
        self._prove()

    def _count(self) -> None:
        asking = Asking(self.relation)
        if "rows" not in self.known:
            asking.ask("rows", asking.table.count())
        for one in self.checks:
            self._count_column(asking, one)
        self.keys.ask(asking, self.known, self.counted)
        self.measures.ask(asking)
        self.known |= asking.answers()
        self._prove()

    def _count_column(self, asking: Asking, one: ColumnChecks) -> None:
        judged = one.judged
        if (one.name, "nulls") not in self.known:
            asking.count((one.name, "nulls"), judged.missing)
        for what, condition in (("unreadable", judged.unreadable), ("misfit", judged.misfit)):
            if condition is not None:
                asking.count((one.name, what), condition)
        if (one.name, "nulls") in self.known and self.known[one.name, "nulls"] == self.known["rows"]:
            # Another rule is asked all the same: whether an engine can judge it does not go by the data.
            self.known |= {check.key: 0 for check in one.checks if check.provable}
        open_ranges = [check for check in one.checks if check.provable and check.key not in self.known]
        unknown = (one.name, "least") not in self.known
        if not self.exact and unknown and len(open_ranges) > RANGES:
            self._ask_ends(asking, one)
        for check in one.checks:
            later = check.provable and (one.name, "least") in asking.wanted
            if check.key not in self.known and not later:
                asking.count(check.key, check.fails)

    def _count_what_fails(self) -> None:
        asking = Asking(self.relation)
        for one in self.checks:
            for check in one.checks:
                if check.key not in self.known:
                    asking.count(check.key, check.fails)
            failing = [check for check in one.checks if self.known.get(check.key, 1) and not check.rule.warns]
            if len(failing) + bool(self.known.get((one.name, "unreadable"))) > 1:
                conditions = [check.fails for check in failing]
                asking.count((one.name, "invalid"), once([*conditions, one.judged.unreadable]))
        self.known |= asking.answers()
        self.keys.count_shared(self.known)

    def _ask_ends(self, asking: Asking, one: ColumnChecks) -> None:
        plain = one.judged.plain
        value: Any = asking.table[one.judged.found.held] if plain else one.judged.value
        for end, expression in (("least", value.min()), ("most", value.max())):
            zoned = plain and one.judged.found.type.zone
            asking.ask((one.name, end), expression.cast("timestamp") if zoned else expression)

    def _prove(self) -> None:
        for one in self.checks:
            if (one.name, "least") not in self.known:
                continue
            least, most = self.known[one.name, "least"], self.known[one.name, "most"]
            for check in one.checks:
                if check.key not in self.known and check.proven(least, most):
                    self.known[check.key] = 0
                    self.proven += 1

    # What they came to

    def _told(self, shown: str) -> Counts:
        names = [one.name for one in self.relation.shape.columns]
        declared = [column.name for column in self.contract.columns]
        shape = self.relation.shape
        unread = not shape.columns or shape.delimiter is not None
        here = [name for name in names if name in declared and names.count(name) == 1]
        found = samples(self.relation, self.contract, self.checks, self.keys, self.known) if not unread else {}
        return Counts(
            table=shown,
            rows=int(self.known.get("rows", 0)),
            columns=() if unread else tuple(self._column(one, found) for one in self.checks),
            keys=() if unread else tuple(self._key(place, found) for place in range(len(self.keys.sets))),
            missing=tuple(
                column.name for column in self.contract.columns if column.required and column.name not in names
            ),
            undeclared=tuple(dict.fromkeys(name for name in names if name not in declared)),
            repeated=tuple(dict.fromkeys(name for name in names if names.count(name) > 1)),
            measures=() if unread else self.measures.told(self.known),
            misplaced=here != [name for name in declared if name in here],
            delimiter=shape.delimiter,
            effort=self._effort(),
        )

    def _effort(self) -> Effort:
        every = sum(len(one.checks) for one in self.checks)
        return Effort(self.relation.shape.engine, self.proven, every - self.proven, self.relation.queries)

    def _column(self, one: ColumnChecks, found: Mapping[Any, Any]) -> ColumnCount:
        misfit = int(self.known.get((one.name, "misfit"), 0))
        unreadable = int(self.known.get((one.name, "unreadable"), 0))
        broken = [Broken(None, unreadable, found.get((one.name, "unreadable"), ()))] if unreadable else []
        failing: list[Check] = [] if misfit else [check for check in one.checks if self.known.get(check.key)]
        broken += [Broken(check.rule, int(self.known[check.key]), found.get(check.key, ())) for check in failing]
        blocking = [one for one in broken if one.rule is None or not one.rule.warns]
        alone = blocking[0].rows if len(blocking) == 1 else 0
        return ColumnCount(
            name=one.name,
            found=one.judged.found.storage,
            fit=Fit.WRONG if misfit else one.judged.fit,
            misfits=misfit,
            misfit_examples=found.get((one.name, "misfit"), ()),
            nulls=int(self.known[one.name, "nulls"]),
            null_examples=found.get((one.name, "nulls"), ()),
            invalid=int(self.known[one.name, "invalid"]) if len(blocking) > 1 else alone,
            broken=tuple(broken),
            unjudgeable=one.unjudgeable,
        )

    def _key(self, place: int, found: Mapping[Any, Any]) -> KeyCount:
        key = ("key", place)
        return KeyCount(self.keys.sets[place], int(self.known.get((*key, "shared"), 0)), found.get(key, ()))
