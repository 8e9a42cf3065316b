"""Holds the features that both transforms made of the sampled rows against the feature contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.findings import BadInput

if TYPE_CHECKING:
    from release_gate.change_kinds import ContractChanges
    from release_gate.contracts.contract import Contract, Reading
    from release_gate.contracts.counts import Counts
    from release_gate.gates.transform_facts import Agreement, Part, Side
    from release_gate.verdict import Finding


def promised(root: Path, contract: str) -> Reading:
    """The feature contract, whose name counts from `root`.

    Raises:
        BadInput: it is missing or no contract.
    """
    from release_gate.contracts.reading import read
    from release_gate.documents import read as read_document

    return read(read_document(root / contract, shown=contract))


def kept(
    context: Context,
    root: Path,
    reading: Reading,
    agreement: Agreement,
    outputs: Path,
    *,
    rules: ContractChanges | None = None,
) -> Part:
    """What is to be said of the features in the folder `outputs`, and of their contract.

    Raises:
        CannotJudge: `base-unanswered`.
    """
    from release_gate.commands.contract_revision import revision
    from release_gate.files import sha256
    from release_gate.gates.feature_contract import Features, for_sample, judge, unproven
    from release_gate.verdict import Subject

    contract = reading.contract.file
    path = root / contract
    counts: dict[Side, Counts] = {}
    problems: dict[Side, list[Finding]] = {}
    for output in agreement.outputs:
        if output.file is None:
            problems[output.side] = [unproven(output.side, output.error or "nothing was written")]
            continue
        try:
            counts[output.side] = _counted(outputs / output.file, for_sample(reading.contract), root)
        except BadInput as refusal:
            problems[output.side] = [unproven(output.side, one.message) for one in refusal.findings]
    if not counts and not problems and not (agreement.missing or agreement.raised or agreement.changed):
        # Where a transform failed its own finding says so; nothing else may leave the contract unjudged.
        problems["training"] = [unproven("training", agreement.failed or "no rows were transformed")]
    subject = Subject(kind="contract", name=contract, identity=f"sha256:{sha256(path)}")
    old = revision(context, path, reading.contract, None, rules=rules)
    differing = frozenset(one.column for one in agreement.disagreements)
    return judge(Features(reading, old, counts, differing, problems, subject))


def _counted(file: Path, contract: Contract, root: Path) -> Counts:
    """The breaches in one file of features, which is named as a person finds it."""
    from release_gate.tables.scan import scan

    shown = str(file.relative_to(root)) if file.is_relative_to(root) else file.name
    scanned = scan(file, contract, shown=shown)
    try:
        return scanned.counts
    finally:
        scanned.close()
