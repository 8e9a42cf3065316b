"""The answers of rollback-readiness in words: each fits a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence

from release_gate.config import ModelConfig
from release_gate.lifecycle.deciders import Deciders
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.migration_files import Migration
from release_gate.lifecycle.state import proves, serves
from release_gate.owners import Owners
from release_gate.rollouts import Rollout

_PROOF = {"promoted": "by a rollout that it passed", "rolled-back": "by its smoke test after a rollback"}


def proven(events: Sequence[Event], digest: str) -> str:
    """A version that proved itself: since when it serves or served last, and by what it is proven."""
    proof = next(event for event in reversed(events) if event.package == digest and proves(event))
    run = f" ({proof.run})" if proof.run else ""
    return f"{digest}, proven {proof.at:%Y-%m-%d %H:%MZ} {_PROOF.get(proof.kind, f'by {proof.kind}')}{run}"


def unproven(events: Sequence[Event], production: str) -> str:
    """The version in production that nothing proved."""
    since = next((event for event in reversed(events) if event.package == production and serves(event)), None)
    when = f" since {since.at:%Y-%m-%d %H:%MZ}" if since else ""
    return f"none is proven; {production} is production{when}"


def delivery(model: ModelConfig) -> str:
    """How the model's predictions reach users."""
    return model.delivery or ("endpoint" if model.candidate.serve else "none")


def way_back(model: ModelConfig) -> str:
    """How traffic goes back, and the exact command."""
    if model.rollout is None:
        return (
            "nothing is deployed by release-gate: the pointer in the ledger goes back when the version before is "
            "published again (git revert, merge, release-gate publish-artifact)"
        )
    return f"{_target(model.rollout)}; release-gate rollback --model {model.model}"


def _target(rollout: Rollout) -> str:
    target = rollout.target
    if target.caddy is not None:
        return f"Caddy at {target.caddy.admin} routes {target.caddy.listen} back"
    if target.haproxy is not None:
        return f"HAProxy sets the weights of backend {target.haproxy.backend} back ({target.haproxy.socket})"
    if target.command is not None:
        return f"a command of the repository routes back: {target.command.route[:120]}"
    if target.batch is not None:
        return f"the pointer {target.batch.pointer} names the table of the version before"
    raise ValueError("a target is one of the four")


def migrations(found: Sequence[Migration], since: str) -> str:
    """How many are new, since what, and whether they reverse."""
    if not found:
        return f"none is new ({since})"
    stuck = sum(not one.reverses for one in found)
    losing = sum(any(problem.kind == "loses" for problem in one.problems) for one in found)
    tools = ", ".join(sorted({one.tool for one in found}))
    told = "all can be taken back" if not stuck else f"{stuck} can't be taken back"
    lost = f"; {losing} drop{'s' * (losing == 1)} data for good" if losing else ""
    return f"{len(found)} new ({tools}; {since}): {told}{lost}"


def deciding(owner: Owners, now: Deciders) -> str:
    """Who decides now, and who at any other hour."""
    if owner.hours is None:
        return f"{', '.join(owner.people)}, at all hours"
    others = f"{owner.hours}: {', '.join(owner.people)}; at night and on holidays: {', '.join(owner.out_of_hours)}"
    return f"now ({now.reason}): {', '.join(now.people)}; {others}"
