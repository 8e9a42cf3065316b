"""Whether a version that a rollback restored is still fed the features it was made with. It stands in no way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_gate.commands.context import Context, Place
from release_gate.config import ModelConfig
from release_gate.findings import Refused, finding
from release_gate.verdict import Finding

if TYPE_CHECKING:
    from release_gate.lifecycle.package import Contract


def unfed(context: Context, model: ModelConfig, place: Place, restored: str, replaced: str | None) -> list[Finding]:
    """A warning where the contract that the restored version needs is kept neither here nor by what it replaced.

    The checkout says what is promised now; where a rollback is pressed without one, what served until now does.
    """
    from release_gate.gates.feature_compatibility import broken
    from release_gate.registry.datasets import contract_of

    needed = _recorded(context, model, place, restored)
    if needed is None:
        return []
    here = contract_of(place.root, needed.name)
    if here is None and replaced is not None:
        other = _recorded(context, model, place, replaced)
        here = other if other is not None and other.name == needed.name else None
    cause = broken(needed, here)
    if cause is None:
        return []
    named = f"{needed.name} {needed.version or 'without a version'}"
    return [finding("rollback-features", f"{restored} was made with features by {named}; {cause}")]


def _recorded(context: Context, model: ModelConfig, place: Place, digest: str) -> Contract | None:
    """The feature contract that a version records: from where it is unpacked, else from the registry, else unknown."""
    from release_gate.commands.releasing import state_folder
    from release_gate.commands.versions import noted
    from release_gate.registry.opened import open_registry

    package = noted(state_folder(context, place.root, model, place.config), digest)
    if package is not None:
        return package.contents.features
    registry = open_registry(model.registry, root=place.root, environment=context.environment, hurried=True)
    try:
        return registry.describe(digest).features
    except (Refused, OSError):
        return None  # a package that is gone is told of by those who need more of it than this
