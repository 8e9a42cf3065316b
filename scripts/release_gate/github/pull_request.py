"""Finds the pull request a finished run belongs to, by what GitHub knows and never by what the run claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.event import Head


def find(api: Api, head: Head) -> int | None:
    """The number of the one open pull request with this head; None where there is none (any more).

    Raises:
        CannotJudge: `pull-request-ambiguous`, or GitHub could not be asked.
    """
    if head.owner is None or head.branch is None or head.repository is None:
        return None  # the fork was deleted
    asked = {"state": "open", "head": f"{head.owner}:{head.branch}"}
    numbers = [one["number"] for one in api.pages("{}/pulls", parameters=asked) if _has(one, head)]
    if len(numbers) > 1:
        told = ", ".join(str(number) for number in numbers[:10])
        raise CannotJudge.because("pull-request-ambiguous", f"{len(numbers)} open pull requests have this head: {told}")
    return numbers[0] if numbers else None


def _has(pull: Any, head: Head) -> bool:
    # GitHub ignores a `head` it can't parse and then lists every pull request: each is looked at.
    if not isinstance(pull, dict) or type(pull.get("number")) is not int:
        return False
    its: Any = pull.get("head")
    its = its if isinstance(its, Mapping) else {}
    origin = its.get("repo")
    return its.get("sha") == head.sha and isinstance(origin, Mapping) and origin.get("id") == head.repository
