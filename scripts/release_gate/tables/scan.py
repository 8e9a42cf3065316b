"""Counts what breaks a contract in one file: nulls, rules, keys and rows, each with a few failing rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from release_gate.contracts.contract import Column, Contract, OnInvalid
from release_gate.contracts.counts import Broken, ColumnCount, Counts, Example, Fit, KeyCount
from release_gate.contracts.expressions import check
from release_gate.tables import values
from release_gate.tables.reading import Read, read
from release_gate.tables.values import Mask, Values

EXAMPLES = 5
"""Failing rows shown for each rule."""


@dataclass(frozen=True)
class Scanned:
    """The counts, and for each column declared to be quarantined the reason by row."""

    counts: Counts
    read: Read = field(repr=False)
    reasons: dict[str, dict[int, str]] = field(repr=False, default_factory=dict)


def scan(path: Path, contract: Contract, *, shown: str) -> Scanned:
    """Read the declared columns of a file and count every breach of the contract.

    Raises:
        BadInput: the file is missing or can't be read.
    """
    names = tuple(column.name for column in contract.columns)
    return counted(read(path, shown, names), contract, shown)


def counted(given: Read, contract: Contract, shown: str) -> Scanned:
    """Count every breach of the contract in a table that is read already."""
    declared = [column.name for column in contract.columns]
    repeated = tuple(dict.fromkeys(name for name in given.names if given.names.count(name) > 1))
    here = [column for column in contract.columns if given.names.count(column.name) == 1]
    scanner = _Scanner(given, contract)
    counts = Counts(
        table=shown,
        rows=given.table.num_rows,
        columns=tuple(scanner.column(column) for column in here),
        keys=tuple(scanner.key(names) for names in contract.unique_sets if all(map(scanner.has, names))),
        missing=tuple(name for name in declared if name not in given.names),
        undeclared=tuple(dict.fromkeys(name for name in given.names if name not in declared)),
        repeated=repeated,
        delimiter=given.delimiter,
    )
    return Scanned(counts, given, scanner.reasons)


class _Scanner:
    """Counts column by column, so that only one column at a time is held as pandas values."""

    def __init__(self, given: Read, contract: Contract) -> None:
        self.table = given.table
        self.typed = given.typed
        self.contract = contract
        self.reasons: dict[str, dict[int, str]] = {}
        self.key_columns = [name for name in contract.key if self.has(name) and name not in contract.sensitive]

    def has(self, name: str) -> bool:
        return bool(self.table.schema.names.count(name) == 1)

    def column(self, column: Column) -> ColumnCount:
        held = values.of(column, self.table.column(column.name), typed=self.typed)
        found = self._broken(column, held)
        invalid = np.zeros(self.table.num_rows, dtype=bool)
        for _, mask in found.masks:
            invalid |= mask
        if column.policy.on_invalid is OnInvalid.QUARANTINE:
            self._remember(column, found.masks)
        secret = column.policy.sensitive
        return ColumnCount(
            name=column.name,
            found=held.found,
            fit=held.fit,
            nulls=int(held.nulls.sum()),
            null_examples=self._examples(held.nulls, None),
            invalid=int(invalid.sum()),
            broken=tuple(
                Broken(rule, int(mask.sum()), self._examples(mask, None if secret else column.name))
                for rule, mask in found.masks
            ),
            unjudgeable=tuple(found.unjudgeable),
        )

    def key(self, names: tuple[str, ...]) -> KeyCount:
        """Rows whose values of `names` occur more than once; rows with a null among them are not compared."""
        frame = self.table.select(list(names)).to_pandas()
        present = frame.notna().all(axis=1)
        repeated: Mask = np.array(present)
        repeated[repeated] = frame[present].duplicated(keep=False).to_numpy()
        secret = bool(self.contract.sensitive.intersection(names))
        return KeyCount(names, int(repeated.sum()), self._examples(repeated, None if secret else names[0]))

    def _broken(self, column: Column, held: Values) -> _Found:
        found = _Found()
        if held.unreadable.any():
            found.masks.append((None, held.unreadable))
        if held.series is None or held.fit is Fit.WRONG:
            return found
        for rule in column.rules:
            try:
                judge = check(column, rule)
                passed = judge(held.series).check_output if len(held.series) else []
            except (ValueError, TypeError, pa.ArrowException) as error:
                found.unjudgeable.append((rule, str(error).splitlines()[0][:200]))
                continue
            mask = np.zeros(self.table.num_rows, dtype=bool)
            mask[held.series.index[~np.asarray(passed, dtype=bool)]] = True
            if mask.any():
                found.masks.append((rule, mask))
        return found

    def _remember(self, column: Column, masks: Iterable[tuple[Any, Mask]]) -> None:
        reasons = self.reasons.setdefault(column.name, {})
        for rule, mask in masks:
            why = f"{column.name}: not {rule}" if rule is not None else f"{column.name}: not a {column.kind}"
            for row in np.flatnonzero(mask):
                reasons[int(row)] = f"{reasons[int(row)]}; {why}" if int(row) in reasons else why

    def _examples(self, mask: Mask, column: str | None) -> tuple[Example, ...]:
        """The first failing rows; `column` names the column whose value may be shown."""
        examples = []
        for row in np.flatnonzero(mask)[:EXAMPLES]:
            key = ", ".join(f"{name}={self._value(name, int(row))}" for name in self.key_columns)
            value = None if column is None else self._value(column, int(row))
            examples.append(Example(int(row) + 1, key or None, value))
        return tuple(examples)

    def _value(self, name: str, row: int) -> str:
        return str(self.table.column(name)[row].as_py())[:80]


@dataclass
class _Found:
    """Rows that break each rule, and the rules that could not be judged, with the cause."""

    masks: list[tuple[Any, Mask]] = field(default_factory=list)
    unjudgeable: list[tuple[Any, str]] = field(default_factory=list)
