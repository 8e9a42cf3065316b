from __future__ import annotations

from dataclasses import replace

import pytest

from release_gate.contracts.changes import Change, Weight, changes
from release_gate.contracts.contract import Contract
from release_gate.contracts.reading import read
from release_gate.contracts.revision import revision_findings
from release_gate.documents import parse
from tests.contracts.written import column, odcs


def contract(version: str, *names: str) -> Contract:
    return read(parse(odcs(*(column(name, "string") for name in names), version=version), "c.yml")).contract


def codes(old: Contract, new: Contract) -> list[str]:
    return [one.code for one in revision_findings(new, old, changes(old, new), "main", None)]


def test_only_the_heaviest_unbumped_change_is_told() -> None:
    old = contract("1.0.0", "a", "b")
    new = replace(contract("1.1.0", "a", "c"), owner="@octo-air")
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
    many = tuple(Change(Weight.BREAKING, "the column is removed", f"c{n}") for n in range(14))
    (found,) = revision_findings(new, contract("1.0.0", "a"), many, "main", None)
    assert found.message.endswith("4 more")
    assert "'c9'" in found.message
