"""Opens the target that a rollout declares."""

from __future__ import annotations

from pathlib import Path

from release_gate.edges import Clock, Daemons, Runner, Session
from release_gate.rollouts import Rollout
from release_gate.serving.standing import PATIENCE, StandingFile
from release_gate.serving.targets.target import Target


def open_target(
    rollout: Rollout,
    *,
    state: Path,
    daemons: Daemons,
    runner: Runner,
    session: Session,
    clock: Clock,
    cwd: Path | None = None,
    restoring: bool = False,
) -> Target:
    """The declared target. `state` is the folder of this model; `cwd` that of the configuration.

    `restoring`: for a rollback, which may take over what another folder of state steers.

    Nothing is started or asked yet.
    """
    declared = rollout.target
    if declared.command is not None:
        from release_gate.serving.targets.commands import Commands  # noqa: PLC0415 - one of four is needed

        # Whoever holds the lock may be waiting for two commands.
        file = StandingFile(state, clock, patience=PATIENCE + 2 * declared.command.limit)
        return Commands(declared.command, file, runner, clock, cwd=cwd or Path.cwd())
    if declared.batch is not None:
        from release_gate.serving.targets.batch import Batch  # noqa: PLC0415 - one of four is needed

        return Batch(declared.batch, StandingFile(state, clock), clock, root=cwd or Path.cwd())
    from release_gate.serving.targets.instances import Instances  # noqa: PLC0415 - one of four is needed

    file = StandingFile(state, clock)
    instances = Instances(file, daemons, session, clock)
    if declared.haproxy is not None:
        from release_gate.serving.targets.haproxy import HAProxy  # noqa: PLC0415 - one of four is needed

        return HAProxy(declared.haproxy, file, instances, clock)
    from release_gate.rollouts import Caddy as Declared  # noqa: PLC0415
    from release_gate.serving.targets.caddy import Caddy  # noqa: PLC0415 - one of four is needed

    slow = rollout.slow.above if rollout.slow is not None else None
    caddy = declared.caddy or Declared()
    return Caddy(caddy, file, instances, daemons=daemons, session=session, clock=clock, slow=slow, restoring=restoring)
