"""What a rollout does next: a pure plan over state, time and what was seen. Whoever carries it out decides nothing.

Every action is idempotent and leads from any point a kill can leave behind: `stepping` without `stepped` is done
again, `taking-back` without `taken-back` is done again, and the ledger's last sequence (the fence) is checked by
whoever acts before each effect. Promotion fails closed: no step is left behind unwatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from release_gate.findings import finding
from release_gate.lifecycle.events import Schedule, Stage
from release_gate.lifecycle.state import Progress, State
from release_gate.rollouts import Rollout
from release_gate.verdict import Finding

Standing = Literal["watching", "passed", "harmful", "starved", "blind"]


@dataclass(frozen=True)
class Watched:
    """What the looks of the present step say.

    `watching`: not long enough yet; `passed`: long enough, enough traffic, no harm; `harmful`: worse than production
    or than what is declared; `starved`: too little traffic for too long; `blind`: what must be measured can't be.
    """

    standing: Standing
    because: str = ""
    last_look: datetime | None = None


@dataclass(frozen=True)
class Begin:
    """Open the rollout (`deployed`)."""

    schedule: Schedule


@dataclass(frozen=True)
class Step:
    """Give the candidate a share (`stepping`, route, read back, smoke, `stepped`). `step` counts from 1.

    `because`: what was seen of the step before, empty for the first one and for one that is done again.
    """

    step: int
    share: float
    because: str = ""


@dataclass(frozen=True)
class Watch:
    """Look at the counters again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Promote:
    """The candidate is production (`promoted`); `because`: what was seen of the last step."""

    because: str = ""


@dataclass(frozen=True)
class TakeBack:
    """All traffic to what was production (`taking-back`, route, read back, smoke, `taken-back`)."""

    because: str
    blocks: bool


@dataclass(frozen=True)
class Ended:
    """Nothing is left to do: the finding says how it ended."""

    finding: Finding


Action = Begin | Step | Watch | Promote | TakeBack | Ended


def schedule_of(rollout: Rollout, *, first: bool) -> Schedule:
    """The stages of a rollout. A first release has nothing to share traffic with: it takes all of it and is watched.

    A table of predictions is replaced whole: it is compared before, and there is nothing to watch after.
    """
    if rollout.target.batch is not None:
        return Schedule(stages=(Stage(share=1.0, seconds=0.0),), lease=rollout.lease, watched=False)
    shares = () if first else tuple(Stage(share=share, seconds=rollout.watch) for share in rollout.steps)
    return Schedule(
        stages=(*shares, Stage(share=1.0, seconds=rollout.bake)),
        lease=rollout.lease,
        wait_at_most=rollout.wait_at_most,
        least_requests=rollout.least_requests,
    )


def next_action(
    state: State,
    package: str,
    rollout: Rollout,
    *,
    now: datetime,
    watched: Watched | None = None,
    behind: bool = False,
    again: bool = False,
    abort: str | None = None,
) -> Action:
    """What to do next for the rollout of `package`.

    `watched`: what was seen of the step under way, None before the first look. `behind`: the package's commit is
    older than production's, so that going on would deploy backwards. `again`: a person asks to begin once more what
    was given up. `abort`: why the rollout under way is to be taken back; none is begun.
    """
    going = state.rollout
    if state.restoring is not None and not (_abandoned(state, now) and going is not None and going.package == package):
        since = f"a rollback to {state.restoring.package} was begun at {state.restoring.since:%Y-%m-%d %H:%MZ}"
        return Ended(finding("deploy-overtaken", f"{since} and has not ended; it decides what serves"))
    if abort is not None and (going is None or going.package != package):
        return Ended(finding("deploy-nothing-under-way", f"no rollout of {package} is under way; nothing was changed"))
    if going is None:
        return _opening(state, package, rollout, behind=behind, again=again)
    if going.package != package:
        return Ended(finding("deploy-busy", f"{going.package} is being rolled out since {going.began:%Y-%m-%d %H:%MZ}"))
    if going.phase == "taking-back":
        return TakeBack(going.because, going.blocks)
    if abort is not None:
        return TakeBack(abort, blocks=False)
    return _stopped(state, going, now, watched) or _going_on(going, rollout, watched)


def _abandoned(state: State, now: datetime) -> bool:
    """Whether a rollback that was begun in the middle of a rollout was left for longer than the rollout's lease."""
    going, restoring = state.rollout, state.restoring
    if going is None or restoring is None:
        return False
    return (now - restoring.since).total_seconds() > going.schedule.lease


def _opening(state: State, package: str, rollout: Rollout, *, behind: bool, again: bool) -> Action:
    """Whether a rollout may begin."""
    if package == state.production:
        return Ended(finding("deploy-serves", f"{package} is production already"))
    against = _against(state, package, behind=behind)
    if against is None and package in state.given_up and not again:
        against = finding("deploy-given-up-before", f"the rollout of {package} was given up before")
    return Ended(against) if against else Begin(schedule_of(rollout, first=state.production is None))


def _against(state: State, package: str, *, behind: bool) -> Finding | None:
    if package not in state.registered:
        return finding("deploy-unregistered", f"{package} was never registered")
    if package in state.blocked:
        return finding("deploy-blocked", f"{package} is blocked")
    if state.hold is not None:
        return finding("deploy-held", f"releases are held since {state.hold.since:%Y-%m-%d %H:%MZ}: {held(state)}")
    order: Sequence[str] = state.registered
    older = state.production in order and order.index(package) < order.index(state.production)
    if behind or older:
        return finding("deploy-backwards", f"{package} is older than production, {state.production}")
    if (judged := state.compared.get(package, state.production)) != state.production:
        message = f"{package} was judged against {judged or 'nothing'}; production is now {state.production}"
        return finding("deploy-production-moved", message)
    return None


def held(state: State) -> str:
    """By whom and why releases are held; empty where they are not."""
    if state.hold is None:
        return ""
    return f"by {state.hold.by}, {state.hold.because or 'no reason given'}"


def _stopped(state: State, going: Progress, now: datetime, watched: Watched | None) -> TakeBack | None:
    """What stops a rollout from outside: a block, a hold, another production, nobody who watches it."""
    if state.restoring is not None:
        return TakeBack("a rollback was begun and never ended", blocks=False)
    if going.package in state.blocked:
        return TakeBack("it was blocked meanwhile", blocks=False)
    if state.hold is not None:
        return TakeBack(f"releases were held meanwhile: {held(state)}", blocks=False)
    if state.production != going.replaces:
        return TakeBack(f"production changed meanwhile to {state.production or 'nothing'}", blocks=False)
    latest = max(filter(None, (going.since, watched.last_look if watched else None)))
    alone = (now - latest).total_seconds()
    # Scoring a table may take hours, and until its pointer moves it serves nobody.
    if going.schedule.watched and alone > going.schedule.lease:
        return TakeBack(f"nobody watched it for {alone:.0f} s, longer than its lease", blocks=False)
    return None


def _going_on(going: Progress, rollout: Rollout, watched: Watched | None) -> Action:
    stages = going.schedule.stages
    if going.phase == "deployed":
        return Step(1, stages[0].share)
    if going.phase == "stepping":
        return Step(going.step, stages[going.step - 1].share)
    if not going.schedule.watched:
        return Promote()
    if watched is None or watched.standing == "watching":
        return Watch(rollout.look)
    if watched.standing != "passed":
        return TakeBack(watched.because, watched.standing == "harmful")
    if going.step < len(stages):
        return Step(going.step + 1, stages[going.step].share, watched.because)
    return Promote(watched.because)
