"""GitHub's deployments: what serves where, as the repository's environment page shows it. A mirror, never the truth.

A rollback is a deployment of its own: `task` is `rollback`, `ref` the commit restored, and the payload names the
package restored and the one that lost its traffic.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from release_gate.github.api import Api
from release_gate.github.refusals import Unreachable

NEEDS = ("deployments: write",)
LONGEST = 140
"""Characters of a description."""
MOST_LOOKED_AT = 20
"""Earlier deployments whose state is asked for, a request each, when a new one takes over."""

Task = Literal["deploy", "rollback"]
Sent = Literal["in_progress", "success", "failure", "error", "inactive", "queued", "pending"]


@dataclass(frozen=True)
class Payload:
    """What a deployment is of: model, package, the ledger's event, and the package that loses its traffic by it."""

    model: str
    digest: str
    sequence: int
    replaces: str | None = None

    def fields(self) -> dict[str, Any]:
        """As it is sent."""
        told = {"model": self.model, "digest": self.digest, "sequence": self.sequence}
        return {"release-gate": 1, **told, **({"replaces": self.replaces} if self.replaces else {})}

    @classmethod
    def of(cls, payload: object) -> Payload | None:
        """Of what GitHub gives back, an object or its JSON; None where it is not ours."""
        if isinstance(payload, str):
            try:
                payload = json.loads(payload)
            except (ValueError, RecursionError):
                return None
        if not isinstance(payload, dict) or payload.get("release-gate") != 1:
            return None
        model, digest, sequence = payload.get("model"), payload.get("digest"), payload.get("sequence")
        if not isinstance(model, str) or not isinstance(digest, str) or type(sequence) is not int:
            return None
        replaces = payload.get("replaces")
        return cls(model, digest, sequence, replaces if isinstance(replaces, str) else None)

    def names_the_same(self, other: Payload) -> bool:
        """Whether both are of one event of one model's ledger."""
        return (self.model, self.digest, self.sequence) == (other.model, other.digest, other.sequence)


def begin(
    api: Api,
    *,
    ref: str,
    task: Task,
    environment: str,
    payload: Payload,
    description: str,
) -> int:
    """The id of the deployment of this event: of one made before, or of a new one.

    Checks and automatic merges are left out: the ledger has decided already.

    Raises:
        PermissionMissing, with `deployments: write`; CannotJudge: GitHub could not be asked, or refused.
    """
    asked = {"ref": ref, "task": task, "environment": environment}
    for one in api.pages("{}/deployments", parameters=asked, needs=NEEDS):
        found = Payload.of(one.get("payload")) if isinstance(one, dict) else None
        if found is not None and found.names_the_same(payload) and type(one.get("id")) is int:
            return int(one["id"])
    body = {
        **asked,
        "auto_merge": False,
        "required_contexts": [],
        "payload": payload.fields(),
        "description": cut(description),
        "transient_environment": False,
        "production_environment": True,
    }
    # Sent once: an answer that was lost may have made it, and the next run finds it by its payload.
    made = api.ask("POST", "{}/deployments", body=body, needs=NEEDS, once=True)
    identity = made.get("id") if isinstance(made, dict) else None
    if type(identity) is not int:
        raise Unreachable.because("github-unreachable", "a strange answer to POST deployments: it has no id")
    return identity


def tell(
    api: Api,
    deployment: int,
    state: Sent,
    *,
    log_url: str | None = None,
    environment_url: str | None = None,
    description: str = "",
    look: bool = True,
) -> Literal["told", "unchanged", "over"]:
    """Add a state to a deployment, unless it has it already or another one has taken its place (`inactive`).

    The same state with another description is told. `look`: False where this very run told the state before, and
    nothing is asked first.

    Raises:
        PermissionMissing, with `deployments: write`; CannotJudge: GitHub could not be asked, or refused.
    """
    newest = _newest_state(api, deployment) if look else None
    told = cut(description)
    if newest == (state, told):
        return "unchanged"
    if newest is not None and newest[0] == "inactive":
        return "unchanged" if state == "inactive" else "over"
    # Earlier ones are made inactive by `retire`, and only those of this model: an environment may hold several.
    body = {"state": state, "description": told, "auto_inactive": False}
    addresses = {"log_url": log_url, "environment_url": environment_url}
    body.update({name: url for name, url in addresses.items() if url})
    api.ask("POST", f"{{}}/deployments/{deployment}/statuses", body=body, needs=NEEDS)
    return "told"


def retire(api: Api, *, environment: str, model: str, keep: int, description: str) -> list[int]:
    """Make the model's earlier deployments in an environment inactive; those that were, newest first.

    GitHub does not do so by itself for production environments. It ends at the first that is inactive already, or
    that served: when that one took over, those before it were retired. The oldest goes first, so that a run that is
    killed leaves nothing behind which the next would not look at.

    Raises:
        PermissionMissing, with `deployments: write`; CannotJudge: GitHub could not be asked, or refused.
    """
    found: list[int] = []
    looked = 0
    for one in api.pages("{}/deployments", parameters={"environment": environment}, needs=NEEDS):
        payload = Payload.of(one.get("payload")) if isinstance(one, dict) else None
        if payload is None or payload.model != model or type(one.get("id")) is not int or one["id"] >= keep:
            continue
        newest = _newest_state(api, one["id"])
        looked += 1
        if (newest is not None and newest[0] == "inactive") or looked > MOST_LOOKED_AT:
            break
        if newest is None or newest[0] not in ("failure", "error"):
            found.append(one["id"])
        if newest is not None and newest[0] == "success":
            break
    for identity in reversed(found):
        tell(api, identity, "inactive", description=description, look=False)
    return found


def cut(description: str) -> str:
    """On one line, in the length GitHub takes."""
    line = " ".join(description.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _newest_state(api: Api, deployment: int) -> tuple[str, str] | None:
    states = [
        one
        for one in api.pages(f"{{}}/deployments/{deployment}/statuses", needs=NEEDS)
        if isinstance(one, dict) and type(one.get("id")) is int
    ]
    if not states:
        return None
    newest = max(states, key=lambda one: int(one["id"]))
    return str(newest.get("state")), str(newest.get("description") or "")
