"""Every kind of change between two versions of a contract: one table of stable ids, weighed for readers and writers.

Readers are code that consumes the data, writers code that produces it. A promise taken back may break a reader and
asks nothing of a writer; more that is promised asks something of a writer and can't break a reader. Ids never change
their meaning; docs/reference/contract-changes.md is made from this table.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from release_gate.verdict import Value


class Weight(StrEnum):
    """What a change means to whoever relies on the old contract."""

    BREAKING = "breaking"
    COMPATIBLE = "compatible"
    EDITORIAL = "editorial"


@dataclass(frozen=True)
class ChangeKind:
    """What a kind of change means, to code that reads the data and to code that writes it."""

    readers: Weight
    writers: Weight
    meaning: str


_BREAKING, _COMPATIBLE, _EDITORIAL = Weight


def _tighter(meaning: str) -> ChangeKind:
    """More is promised: readers lose nothing, writers must keep it from now on."""
    return ChangeKind(_COMPATIBLE, _BREAKING, meaning)


def _looser(meaning: str) -> ChangeKind:
    """Less is promised: readers may meet what they never met, writers may go on as before."""
    return ChangeKind(_BREAKING, _COMPATIBLE, meaning)


def _other(meaning: str) -> ChangeKind:
    """Neither contains the other: both sides may have to change."""
    return ChangeKind(_BREAKING, _BREAKING, meaning)


def _harmless(meaning: str) -> ChangeKind:
    """The promise differs, and nobody has to change."""
    return ChangeKind(_COMPATIBLE, _COMPATIBLE, meaning)


def _words(meaning: str) -> ChangeKind:
    """Only words differ."""
    return ChangeKind(_EDITORIAL, _EDITORIAL, meaning)


# A table reads best with a row a line, however long.
# fmt: off
KINDS: Mapping[str, ChangeKind] = {
    # -- the columns --
    "column-removed": _looser("A column is gone; the contract still lets data carry it."),
    "column-removed-from-closed": _other("A column is gone from a closed contract: data may no longer carry it."),
    "column-added": _tighter("A column is new, and every table must have it."),
    "column-added-optional": _harmless("A column is new, and a table may lack it."),
    "column-required": _tighter("A column may no longer be absent."),
    "column-optional": _looser("A column may be absent now."),
    "table-closed": _tighter("Columns that the contract does not declare are refused now."),
    "table-opened": _looser("Columns that the contract does not declare are no longer refused."),
    "order-demanded": _tighter("The columns must stand in the declared order now."),
    "order-freed": _looser("The columns may stand in any order now."),
    "order-changed": _other("The declared order, which data must keep, changes."),
    # -- their types --
    "type-widened": _looser("Integers become numbers: an integer is still one of them."),
    "type-changed": _other("The type is another one."),
    "storage-demanded": _tighter("An exact type is named where any of the logical type would do."),
    "storage-freed": _looser("The exact type is no longer named."),
    "storage-changed": _other("The exact type is another one."),
    "zone-demanded": _tighter("It is said now whether times carry a time zone."),
    "zone-freed": _looser("It is no longer said whether times carry a time zone."),
    "zone-changed": _other("Times must carry a time zone and must not before, or the other way round."),
    # -- the rules of values --
    "range-narrowed": _tighter("A bound is new or moves inwards."),
    "range-widened": _looser("A bound is gone or moves outwards."),
    "range-changed": _other("Two bounds that can't be ordered."),
    "set-narrowed": _tighter("Fewer values are valid, or a set of valid or forbidden values is new."),
    "set-widened": _looser("More values are valid, or a set of valid or forbidden values is gone."),
    "set-changed": _other("Some values become valid and others invalid."),
    "pattern-narrowed": _tighter("A pattern, a beginning or an ending is demanded in addition, or a longer one."),
    "pattern-widened": _looser("A pattern, a beginning or an ending is no longer demanded, or a shorter one."),
    "pattern-changed": _other("Another pattern, beginning or ending: patterns are compared as texts only."),
    "length-narrowed": _tighter("A bound of the length of texts is new or moves inwards."),
    "length-widened": _looser("A bound of the length of texts is gone or moves outwards."),
    "items-narrowed": _tighter("A bound of the number of items is new or moves inwards, or items must differ."),
    "items-widened": _looser("A bound of the number of items is gone or moves outwards, or items may repeat."),
    "step-narrowed": _tighter("A step is new, or a multiple of the one before."),
    "step-widened": _looser("A step is gone, or one that the one before is a multiple of."),
    "step-changed": _other("Another step, of which neither is a multiple of the other."),
    "rule-rewritten": _words("The same values are allowed, written in another way."),
    "check-softened": _looser("A rule, measure or custom check that blocked only warns now."),
    "check-hardened": _tighter("A rule, measure or custom check that only warned blocks now."),
    "warning-changed": _words("What only warns changes."),
    # -- what happens to bad values --
    "null-allowed": _looser("Missing values, which were rejected, are kept, imputed, or dropped with their row."),
    "null-rejected": _tighter("Missing values are rejected now."),
    "null-handling-changed": _looser("Something else happens to missing values: another value, none, or no row."),
    "null-declared": _words("That missing values are rejected is said now, or no longer: it is so without a word."),
    "impute-changed": _looser("Another value takes the place of a missing one."),
    "null-drift-tightened": _tighter("The share of missing values may move less, or only so far."),
    "null-drift-loosened": _looser("The share of missing values may move further, or as far as it likes."),
    "invalid-allowed": _looser("Invalid values, which were rejected, are clipped, set to null or quarantined."),
    "invalid-rejected": _tighter("Invalid values are rejected now."),
    "invalid-handling-changed": _other("Something else happens to invalid values, up to another share."),
    "invalid-share-lowered": _tighter("Fewer values may be invalid before the data is rejected."),
    "invalid-share-raised": _looser("More values may be invalid before the data is rejected."),
    "invalid-declared": _words("That invalid values are rejected is said now, or no longer: it is so without a word."),
    "sensitive-marked": _harmless("The column's values no longer appear in any output."),
    "sensitive-unmarked": _other("The column's values may appear in outputs now."),
    "backfill-changed": _words("How missing history is filled, by whom or from when is told in another way."),
    # -- the table as a whole --
    "unique-added": _tighter("Columns must name a row at most once now, alone or together."),
    "unique-removed": _looser("Columns need no longer name a row at most once."),
    "key-named": _harmless("Columns that were unique already become the key."),
    "key-changed": _looser("Other columns are the key, or none; as many are unique as before."),
    "rows-narrowed": _tighter("A bound of the number of rows is new or moves inwards."),
    "rows-widened": _looser("A bound of the number of rows is gone or moves outwards."),
    "measure-added": _tighter("A number counted over the table must lie within bounds now."),
    "measure-removed": _looser("A number counted over the table may be anything now."),
    "measure-tightened": _tighter("The bounds of a measure are closer."),
    "measure-loosened": _looser("The bounds of a measure are wider."),
    "measure-changed": _other("Bounds of a measure of which neither contain the other."),
    "measure-renamed": _words("A measure is called otherwise."),
    "custom-check-added": _tighter("A check in Python is new; what it does is not compared, only its name and column."),
    "custom-check-removed": _looser("A check in Python is gone."),
    "reference-changed": _words("The schema in Python, whose checks are named above, lies elsewhere."),
    # -- its words --
    "name-changed": _words("The contract is called otherwise."),
    "table-renamed": _words("The table is called otherwise in the contract; the data is found by its path."),
    "owner-changed": _words("Somebody else owns the contract."),
    "description-changed": _words("A column is described otherwise."),
    "since-changed": _words("Another version is said to have brought the column."),
}
# fmt: on
"""Id → what it stands for. A configuration may give each another weight."""


def _known(kind: str) -> str:
    if kind in KINDS:
        return kind
    near = difflib.get_close_matches(kind, list(KINDS), n=1)
    hint = f"did you mean '{near[0]}'?" if near else "docs/reference/contract-changes.md lists all"
    raise ValueError(f"there is no change of the kind '{kind}'; {hint}")


KindName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(KINDS)})]


class ContractChanges(Value):
    """Whom the version of a contract warns, and how much a kind of change weighs here."""

    for_: Annotated[
        Literal["readers", "writers", "both"],
        Field(
            alias="for",
            description="whose break asks for a major version: code that reads the data, that writes it, or both",
        ),
    ] = "readers"
    severities: dict[KindName, Literal["breaking", "compatible", "editorial"]] = Field(
        default_factory=dict, description="id of a kind of change: what it weighs here, whoever is asked"
    )

    def weight(self, kind: str) -> Weight:
        """What a kind of change weighs here: the worst over those who are asked, unless it is given.

        Raises:
            KeyError: an id that the table does not have: a mistake of ours, never of a user.
        """
        known = KINDS[kind]
        if kind in self.severities:
            return Weight(self.severities[kind])
        asked = {"readers": [known.readers], "writers": [known.writers], "both": [known.readers, known.writers]}
        return min(asked[self.for_], key=list(Weight).index)
