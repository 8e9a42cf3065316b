"""What the ledger of this checkout has in production, held against what the build says it was compared with.

build.json is written in a job where the caller's code runs: alone it could make any candidate a first release.
"""

from __future__ import annotations

from release_gate.commands.context import Context, Place
from release_gate.config import ModelConfig
from release_gate.findings import finding
from release_gate.verdict import Finding, Where


def doubts(context: Context, model: ModelConfig, place: Place, built: str | None) -> list[Finding]:
    """An error where ledger and build disagree, a warning where a runner has no ledger; `built` is a digest or None.

    Raises:
        CannotJudge: `ledger-broken`.
    """
    from release_gate.commands.base_revision import rewritten
    from release_gate.lifecycle.state import fold
    from release_gate.registry.opened import open_registry

    registry = open_registry(model.registry, root=place.root, environment=context.environment)
    folder = registry.ledger_folder
    if folder is not None and (lost := rewritten(folder, context.environment)):
        text = f"{len(lost)} file{'s' * (len(lost) > 1)} of the ledger altered or deleted: {', '.join(lost[:3])}"
        return [finding("ledger-rewritten", text, where=Where(file=f"{model.registry.ledger}/ledger"))]
    if folder is not None and not folder.is_dir():
        return [_not_kept(model, built)] if context.on_github else []
    known = fold(registry.ledger(model.model).read()).production
    if known == built:
        return []
    said, stands = (digest or "no version" for digest in (built, known))
    text = f"build.json names {said} as production, but the ledger in {model.registry.ledger} has {stands} there"
    return [finding("production-disagrees", text, where=Where(file="build.json"))]


def _not_kept(model: ModelConfig, built: str | None) -> Finding:
    absent = f"the registry {model.registry.ledger} is not in this checkout"
    if built is None:
        text = (
            f"{absent}, so nothing is known of production and every candidate counts as a first release; commit it "
            "(`registry: releases`) unless this is the first"
        )
    else:
        text = f"{absent}, so only build.json says that {built} is in production; commit it (`registry: releases`)"
    return finding("registry-not-kept", text, where=Where(file=str(model.registry.ledger)))
