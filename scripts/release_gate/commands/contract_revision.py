"""What became of a contract since the base of a change: read from git, compared, for the gate that judges it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.base_revision import at_base
from release_gate.commands.context import Context
from release_gate.findings import BadInput

if TYPE_CHECKING:
    from release_gate.change_kinds import ContractChanges
    from release_gate.contracts.contract import Contract
    from release_gate.gates.schema_check import Revision


def revision(
    context: Context,
    path: Path,
    new: Contract,
    table: str | None,
    asked: str | None = None,
    *,
    rules: ContractChanges | None = None,
) -> Revision:
    """The contract that `new` replaces, and every change as the model's rules weigh it.

    `table` chooses among several of one file, `asked` names another base than the change's own.

    Raises:
        BadInput: `base-unknown`.
        CannotJudge: `base-unanswered`.
    """
    from release_gate.contracts.comparison.changes import changes
    from release_gate.contracts.reading import read
    from release_gate.documents import parse
    from release_gate.gates.schema_check import Revision

    base = at_base(path, asked, context.environment)
    if base.content is None:
        return Revision(base.name, absent=base.absent)
    try:
        old = read(parse(base.content, f"{new.file} at {base.name}"), table).contract
    except BadInput as refusal:
        return Revision(base.name, absent=f"at {base.name}: {refusal.findings[0].message}", broken=True)
    return Revision(base.name, old, changes(old, new, rules))
