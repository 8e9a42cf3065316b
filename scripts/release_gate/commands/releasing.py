"""Makes the hands of a rollout or a rollback from the configuration: registry, target, source, smoke checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context
from release_gate.commands.hands import By, Hands, Looks
from release_gate.config import ModelConfig
from release_gate.counts import Counts
from release_gate.findings import BadInput
from release_gate.names import FILE
from release_gate.verdict import Finding, Severity

if TYPE_CHECKING:
    from release_gate.caller.server_secrets import ServerSecrets
    from release_gate.commands.staging import Staged
    from release_gate.lifecycle.package import Package
    from release_gate.registry.opened import Registry
    from release_gate.rollouts import Rollout
    from release_gate.serving.checks import Smoke
    from release_gate.serving.targets.target import Target, Version


def state_folder(context: Context, root: Path, model: ModelConfig, config: str = FILE) -> Path:
    """Where a model's target keeps what serves.

    Raises:
        BadInput: `no-rollout`: nothing is declared that could serve it.
    """
    named = declared(model).state
    return (root / named if named else default_state(context, root, config)) / model.model


def default_state(context: Context, root: Path, config: str = FILE) -> Path:
    """Where targets keep their state when nothing is said: the same for a job and for a person on one machine.

    A repository with a name has it below the home folder, which no checkout cleans; any other in its own folder. Each
    configuration of a repository has its own: two with a model of one name must not share what serves.
    """
    from release_gate.registry.repository import name_and_place

    name, inside = name_and_place(root)
    other = [config] if config != FILE else []
    known = context.environment
    if context.on_github:  # a job whose checkout failed has no repository, and must find what serves
        name = known.get("GITHUB_REPOSITORY") or name
        workspace = Path(known.get("GITHUB_WORKSPACE") or root).resolve()
        if inside is None and root.resolve().is_relative_to(workspace):
            inside = root.resolve().relative_to(workspace).parts
    if name is None:
        return (root / ".release-gate" / "target").joinpath(*(f"at__{one}" for one in other))
    home = Path(known.get("XDG_STATE_HOME") or Path(known.get("HOME", "/")) / ".local" / "state")
    base = home / "release-gate" / name.lower().replace("/", "__")  # GitHub's names are the same in any case
    parts = (*(root.parts[1:] if inside is None else inside), *other)
    return base / ("at__" + "__".join(parts)) if parts else base


def declared(model: ModelConfig) -> Rollout:
    """The rollout of a model.

    Raises:
        BadInput: `no-rollout`.
    """
    if model.rollout is None:
        raise BadInput.because("no-rollout", f"{model.model} declares no `rollout`: it is registered, never deployed")
    return model.rollout


UNKNOWN_START = 60.0
"""Seconds that a version may take to start where its smoke checks don't say."""
OWED = ("deployment", "comment", "revert")
"""What GitHub is owed when something happened to the traffic."""


def hands_for(
    context: Context,
    model: ModelConfig,
    root: Path,
    *,
    config: str = FILE,
    restoring: bool = False,
    aborting: bool = False,
) -> Hands:
    """Everything a rollout of this model acts with; `restoring`: a rollback; `aborting`: a rollout is only ended.

    Raises:
        BadInput: `secrets-broken`: a version is to be promoted, and secrets of its server can't be used.
        Refused: target or registry can't be opened.
    """
    from release_gate.caller.daemons import SystemDaemons
    from release_gate.commands.publish_artifact import actor, run_url
    from release_gate.commands.secrets_given import secrets_given
    from release_gate.commands.telling import mirrored
    from release_gate.registry.opened import open_registry
    from release_gate.serving.targets.opened import open_target

    rollout, state = declared(model), state_folder(context, root, model, config)
    secrets, broken = secrets_given(context, needed=not (restoring or aborting))
    registry = open_registry(model.registry, root=root, environment=context.environment, hurried=restoring)
    target = open_target(
        rollout,
        state=state,
        daemons=SystemDaemons(context.environment),
        runner=context.runner(),
        session=context.session(),
        clock=context.clock,
        cwd=root,
        restoring=restoring,
    )
    versions = Versions(context, state, registry, secrets=secrets, restoring=restoring)

    def start(digest: str) -> str | None:
        with secrets.unsaid():
            return target.start(versions.version(digest))

    def proven(digest: str, url: str, answering: Collection[str]) -> Sequence[Finding]:
        with secrets.unsaid():
            return [secrets.without(one) for one in versions.proven(digest, url, answering)]

    def counted(digests: Collection[str]) -> Mapping[str, Counts]:
        return _counted(context, rollout, target, digests, root)

    hands = Hands(
        ledger=registry.ledger(model.model),
        target=target,
        clock=context.clock,
        start=start,
        proven=proven,
        counted=counted,
        looks=_looks(registry, model, state),
        by=By(actor(context), run_url(context)),
        owed=OWED if mirrored(context) else (),
        say=lambda text: click.echo(text, err=True),
    )
    hands.aside.tell(*broken)
    if rollout.target.batch is None:
        return hands
    from release_gate.commands.batches import Batches

    tables = Batches(context, model, root, hands, versions.ready, restoring=restoring)
    return replace(hands, start=tables.start, proven=tables.proven, afterwards=tables.afterwards)


class Versions:
    """Versions of one model: fetched, unpacked, proven, each once."""

    def __init__(
        self,
        context: Context,
        state: Path,
        registry: Registry,
        *,
        secrets: ServerSecrets | None = None,
        restoring: bool = False,
    ) -> None:
        self._context, self._state, self._registry, self._restoring = context, state, registry, restoring
        self._secrets = secrets
        self._known: dict[str, tuple[Package, Staged]] = {}

    def ready(self, digest: str) -> tuple[Package, Staged]:
        """A version unpacked, with its environment."""
        from release_gate.commands.versions import unpacked

        if digest not in self._known:
            package, staged = unpacked(self._context, self._state, digest, lambda: self._registry.open(digest))
            self._known[digest] = package, replace(staged, secrets=self._secrets)
        return self._known[digest]

    def version(self, digest: str) -> Version:
        """A version as a target starts it."""
        from release_gate.caller.commands import filled
        from release_gate.serving.targets.target import Version

        _, staged = self.ready(digest)
        smoke = self.smoke(digest)
        serve = staged.use.serve

        def words(port: int) -> tuple[str, ...]:
            return filled(serve or "", {"model": str(staged.model), "port": str(port), "host": "127.0.0.1"})

        health = smoke.health if smoke is not None else None
        return Version(
            digest=digest,
            folder=staged.code.parent,
            command=words if serve is not None else None,
            cwd=staged.code,
            variables=staged.variables,
            health=health.get if health is not None and health.get is not None else "/",
            start_within=smoke.start_within if smoke is not None else UNKNOWN_START,
        )

    def smoke(self, digest: str) -> Smoke | None:
        """The smoke checks sealed in a version; None where a rollback has to do without.

        Raises:
            BadInput: they are missing or broken, and a version is to be promoted by them.
        """
        from release_gate.serving.checks import load

        _, staged = self.ready(digest)
        named = staged.use.smoke or "smoke.yml"
        try:
            return load(staged.code / named, named)
        except BadInput:
            if self._restoring:
                return None
            raise

    def proven(self, digest: str, url: str, answering: Collection[str]) -> list[Finding]:
        """What an address does not do as the version's smoke checks ask; only errors stand in the way of a rollback."""
        from release_gate.commands.smoking import smoked
        from release_gate.gates.smoke_test import unasked

        package, staged = self.ready(digest)
        smoke = self.smoke(digest)
        if smoke is None:
            return []
        results = smoked(self._context, package, smoke, url, versions=answering)
        weak = unasked(smoke.unasked, staged.use.smoke or "smoke.yml", restoring=self._restoring)
        found = [*(one.finding for one in results if one.finding is not None), *weak]
        return [one for one in found if one.severity is Severity.ERROR]


def _looks(registry: Registry, model: ModelConfig, state: Path) -> Looks:
    """Where looks are kept: beside the ledger, but not on a branch, where each would be a commit and a push."""
    from release_gate.registries import Branch
    from release_gate.registry.stores.folder import FolderStore

    if isinstance(model.registry.ledger, Branch):
        return Looks(FolderStore(state), "looks")
    return Looks(registry.observations(model.model), "looks")


def _counted(
    context: Context, rollout: Rollout, target: Target, digests: Collection[str], root: Path
) -> Mapping[str, Counts]:
    if rollout.source is None:
        return target.counts()
    from release_gate.sources import reading

    return reading.read(
        rollout.source,
        session=context.session(),
        clock=context.clock,
        runner=context.runner(),
        cwd=root,
        versions=digests,
    )
