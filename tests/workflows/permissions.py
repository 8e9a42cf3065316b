"""Does every job get the permissions it asks for, from the caller down through nested workflows?

GitHub only shrinks permissions on the way down, and a nested job that asks for more than its caller grants fails
the whole run at startup, even when its `if:` is false. act does not look. This walks caller -> reusable workflow
-> its jobs -> the workflows those call, and collects every such job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SCOPES = (
    "actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions", "id-token",
    "issues", "models", "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
LEVELS = ("none", "read", "write")
MOST_NESTING = 10

# A workflow that says nothing gets what the repository's settings give; the restricted setting is the default
# of new repositories, so a caller must not lean on more.
RESTRICTED = {"contents": "read", "packages": "read"}

Grant = dict[str, str]
Workflow = dict[Any, Any]


@dataclass(frozen=True)
class Excess:
    """A job that asks for more than it can get, and the way there."""

    path: tuple[str, ...]
    scope: str
    asked: str
    granted: str

    def __str__(self) -> str:
        """One line: the way, what is asked, what is granted."""
        return f"{' -> '.join(self.path)}: asks {self.scope}: {self.asked}, its caller grants {self.granted}"


class UnreadablePermissionsError(ValueError):
    """`permissions:` is not of a form GitHub knows; `place` says where."""


def level(grant: Mapping[str, str], scope: str) -> int:
    """How much a grant gives of a scope: 0 none, 1 read, 2 write."""
    return LEVELS.index(grant.get(scope, "none"))


def stated(permissions: Any, place: str) -> Grant | None:
    """What a `permissions:` key states; None when the key is absent."""
    if permissions is None:
        return None
    if permissions in ("read-all", "write-all"):
        return dict.fromkeys(SCOPES, permissions.removesuffix("-all"))
    if not isinstance(permissions, dict):
        raise UnreadablePermissionsError(f"{place}: permissions: {permissions!r} is neither a mapping nor *-all")
    for scope, given in permissions.items():
        if scope not in SCOPES or given not in LEVELS:
            raise UnreadablePermissionsError(f"{place}: {scope}: {given!r} is no permission")
    return dict(permissions)


def excesses(
    name: str,
    workflow: Workflow,
    find: Callable[[str, str], tuple[str, Workflow] | None],
    granted: Grant | None = None,
    way: tuple[str, ...] = (),
) -> Iterator[Excess]:
    """Yield every job, here or nested, that asks for more than `granted`.

    `find(name, uses)` returns the workflow that `uses:` in the workflow `name` names, or None for a stranger's.
    `granted` is None for a workflow that is started by an event: nobody above it limits it.
    """
    if len(way) > MOST_NESTING:
        raise RecursionError(f"{' -> '.join(way)}: workflows call each other in a circle, or too deep")
    whole = stated(workflow.get("permissions"), name)
    for key, job in (workflow.get("jobs") or {}).items():
        place = (*way, f"{name}:{key}")
        asked = stated(job.get("permissions"), place[-1])
        if asked is None:
            asked = whole
        if asked is not None and granted is not None:
            for scope in asked:
                if level(asked, scope) > level(granted, scope):
                    yield Excess(place, scope, asked[scope], granted.get(scope, "none"))
        effective = next(one for one in (asked, granted, RESTRICTED) if one is not None)
        called = find(name, job["uses"]) if "uses" in job else None
        if called is not None:
            yield from excesses(*called, find, effective, place)


def read(text: str) -> Workflow:
    """Read a workflow file."""
    found = yaml.safe_load(text)
    if not isinstance(found, dict):
        raise TypeError("a workflow file must hold keys and values")
    return found


def triggers(workflow: Workflow) -> set[str]:
    """The events a workflow is started by; YAML reads the key `on` as true."""
    on = workflow.get("on", workflow.get(True))
    return {on} if isinstance(on, str) else set(on or ())
