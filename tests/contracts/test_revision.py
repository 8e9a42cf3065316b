from __future__ import annotations

from dataclasses import replace

import pytest

from release_gate.change_kinds import KINDS, Weight
from release_gate.contracts.comparison.change import Change
from release_gate.contracts.comparison.changes import changes
from release_gate.contracts.comparison.revision import changes_table, revision_findings
from release_gate.contracts.contract import Backfill, Column, Contract, Kind, OnNull, Policy
from release_gate.contracts.reading import read
from release_gate.documents import parse
from tests.contracts.written import column, odcs


def contract(version: str, *names: str) -> Contract:
    columns = (column(name, "string", policy={"onNull": "keep"}) for name in names)
    return read(parse(odcs(*columns, version=version), "c.yml")).contract


def codes(old: Contract, new: Contract) -> list[str]:
    return [one.code for one in revision_findings(new, old, changes(old, new), "main", None)]


def test_only_the_heaviest_unbumped_change_is_told() -> None:
    old = contract("1.0.0", "a", "b")
    new = replace(contract("1.1.0", "a", "c"), owner="@octo-air/data")
    (found,) = revision_findings(new, old, changes(old, new), "main", None)
    assert found.code == "contract-breaking-unbumped"
    assert "'b'" in found.message
    assert "'c'" not in found.message
    assert found.remedy == "Set the version to 2.0.0 or higher, or undo the change."


def test_before_the_first_major_version_the_minor_number_carries_breaks() -> None:
    assert codes(contract("0.3.1", "a", "b"), contract("0.4.0", "a")) == ["contract-breaking"]
    assert codes(contract("0.3.1", "a", "b"), contract("0.3.2", "a")) == ["contract-breaking-unbumped"]
    assert codes(contract("0.3.1", "a"), contract("0.3.2", "a", "b")) == ["contract-changed"]


@pytest.mark.parametrize(("old", "new"), [("first", "1.0.0"), ("1.0.0", "second")])
def test_without_semantic_versions_changes_are_told_all_the_same(old: str, new: str) -> None:
    assert codes(contract(old, "a", "b"), contract(new, "a")) == ["contract-breaking"]


def test_a_long_list_is_cut_and_says_so() -> None:
    new = contract("1.0.0", "a")
    many = tuple(Change("column-removed", "the column is removed", f"c{n}") for n in range(14))
    (found,) = revision_findings(new, contract("1.0.0", "a"), many, "main", None)
    assert found.message.endswith("4 more")
    assert "'c9'" in found.message


WHOLE = Backfill("load it again", "the data team", "2026-01-01")


@pytest.mark.parametrize(
    ("policy", "lacking"),
    [
        (Policy(), "how, who, since when"),
        (Policy(on_null=OnNull.REJECT, backfill=Backfill("load it again")), "who, since when"),
        (Policy(backfill=replace(WHOLE, since=None)), "since when"),
        (Policy(backfill=WHOLE), None),
        (Policy(on_null=OnNull.KEEP), None),
        (Policy(on_null=OnNull.IMPUTE), None),
    ],
)
def test_a_new_column_that_needs_a_value_says_who_fills_its_past(policy: Policy, lacking: str | None) -> None:
    old = contract("1.0.0", "a")
    new = replace(contract("1.1.0", "a"), columns=(*old.columns, Column("b", Kind.STRING, policy=policy)))
    found = [one for one in revision_findings(new, old, changes(old, new), "main", None) if "backfill" in one.code]
    told = [(one.code, one.message.rpartition(" does not say ")[2], one.where.file) for one in found]
    assert told == ([("contract-backfill-missing", lacking, "c.yml")] if lacking else [])


def test_a_column_that_may_be_absent_or_was_there_needs_no_past() -> None:
    old = replace(contract("1.0.0", "a"), columns=(Column("a", Kind.STRING),))
    new = replace(old, version="1.1.0", columns=(*old.columns, Column("b", Kind.STRING, required=False)))
    assert codes(old, new) == ["contract-changed"]


def test_the_table_shows_what_each_change_means_to_readers_and_to_writers() -> None:
    found = (
        Change("range-widened", "no longer `at most 9`", "a", given=Weight.EDITORIAL),
        Change("owner-changed", "x"),
    )
    table = changes_table("Changes", found)
    assert table.columns == ["change", "column", "what", "readers", "writers", "weight"]
    assert table.rows == [
        ["range-widened", "a", "no longer `at most 9`", "breaking", "compatible", "editorial"],
        ["owner-changed", "", "x", "editorial", "editorial", "editorial"],
    ]


def test_more_changes_than_a_verdict_takes_are_cut() -> None:
    assert len(changes_table("Changes", tuple(Change(kind, "x") for kind in KINDS) * 40).rows) == 2000
