"""What `emulate` lacks of GitHub and a release needs, kept in memory.

Deployments and their states, the pull requests of a commit, and the mutation that reverts one. It answers as GitHub
does, refusals included; tests/github holds every exchange with it against GitHub's own descriptions.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e.testbed import objects
from tests.e2e.testbed.objects import API, WHEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REPOSITORY = r"/repos/(?P<repository>[^/]+/[^/]+)"
_DEPLOYMENTS = re.compile(rf"{_REPOSITORY}/deployments")
_STATES = re.compile(rf"{_REPOSITORY}/deployments/(?P<id>\d+)/statuses")
_BROUGHT = re.compile(rf"{_REPOSITORY}/commits/(?P<sha>[0-9a-f]+)/pulls")
_COMMIT = re.compile(rf"{_REPOSITORY}/commits/(?P<sha>[0-9a-f]+)")
_PULLS = re.compile(rf"{_REPOSITORY}/pulls")
_PULL = re.compile(rf"{_REPOSITORY}/pulls/(?P<number>\d+)")
_FILTERS = ("sha", "ref", "task", "environment")
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Mirror:
    """The state behind the answers; tests set what GitHub should know and what it should refuse."""

    deployments: list[dict[str, Any]] = field(default_factory=list)
    states: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    pulls: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    brought: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Repository and commit to the numbers of the pull requests that GitHub shows for it."""
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    commits: dict[int, int] = field(default_factory=dict)
    """How many commits a pull request had, 1 where it is not said."""
    lacking: set[str] = field(default_factory=set)
    """Permissions the token does not have: `deployments`, `pull_requests`, `contents`."""
    reverts_refused: str = ""
    """GitHub's words where it does not revert: settings, workflow files, conflicts."""
    reverts_kind: str = "UNPROCESSABLE"
    beside: bool = False
    """Whether another API answers what is not asked of merged pull requests."""
    opening: Callable[[str, str], int] | None = None
    """Makes a pull request known to that API: repository and title to its number."""

    def __post_init__(self) -> None:
        self._number = itertools.count(501)

    def add(self, pull: Mapping[str, Any], *commits: str) -> None:
        """Let GitHub know a pull request, and the commits it brought."""
        repository, number = pull["base"]["repo"]["full_name"], pull["number"]
        self.pulls[repository, number] = dict(pull)
        for sha in commits:
            self.brought.setdefault((repository, sha), []).append(number)

    def state(self, deployment: int) -> str | None:
        """The newest state of a deployment."""
        told = self.states.get(deployment, [])
        return str(told[-1]["state"]) if told else None

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Reply | None:
        """Answer a request, or nothing where it is not one of ours."""
        if path == "/graphql" and method == "POST":
            return self._graphql(body)
        for shape, what in (
            (_DEPLOYMENTS, self._deployments),
            (_STATES, self._of_deployment),
            (_BROUGHT, self._brought),
            (_COMMIT, self._commit),
            (_PULLS, self._pulls),
            (_PULL, self._pull),
        ):
            if found := shape.fullmatch(path):
                return what(method, found, query, body)
        return None

    def _deployments(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        repository = found["repository"]
        if refused := self._refused("deployments", "read" if method == "GET" else "write"):
            return refused
        if method == "GET":
            return _page(
                [
                    one
                    for one in reversed(self.deployments)
                    if one["url"].startswith(f"{API}/repos/{repository}/")
                    and all(query[name] in (one[name], "none") for name in _FILTERS if name in query)
                ],
                path=found.string,
                query=query,
            )
        if not isinstance(body, dict) or not body.get("ref"):
            return _invalid("Deployment", "ref")
        if body.get("auto_merge", True) or body.get("required_contexts") != []:
            return Reply(409, {"message": "Conflict: Commit status checks failed for the ref."})
        number = next(self._number)
        url = f"{API}/repos/{repository}/deployments/{number}"
        made = {
            "id": number,
            "node_id": f"DE_{number}",
            "url": url,
            "statuses_url": f"{url}/statuses",
            "repository_url": f"{API}/repos/{repository}",
            "ref": body["ref"],
            "sha": body["ref"] if re.fullmatch(r"[0-9a-f]{40}", body["ref"]) else "a" * 40,
            "task": body.get("task", "deploy"),
            "environment": body.get("environment", "production"),
            "original_environment": body.get("environment", "production"),
            "production_environment": body.get("production_environment", False),
            "transient_environment": body.get("transient_environment", False),
            "payload": body.get("payload", ""),
            "description": body.get("description"),
            "creator": objects.user("github-actions[bot]"),
            "created_at": WHEN,
            "updated_at": WHEN,
        }
        self.deployments.append(made)
        return Reply(201, made)

    def _of_deployment(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        number = int(found["id"])
        if refused := self._refused("deployments", "read" if method == "GET" else "write"):
            return refused
        if number not in [one["id"] for one in self.deployments]:
            return _missing()
        told = self.states.setdefault(number, [])
        if method == "GET":
            return _page(list(reversed(told)), path=found.string, query=query)
        if not isinstance(body, dict) or body.get("state") not in STATES or len(body.get("description", "")) > 140:
            return _invalid("DeploymentStatus", "state")
        url = f"{API}/repos/{found['repository']}/deployments/{number}"
        identity = next(self._number)
        made = {
            "id": identity,
            "node_id": f"DES_{identity}",
            "url": f"{url}/statuses/{identity}",
            "deployment_url": url,
            "repository_url": f"{API}/repos/{found['repository']}",
            "state": body["state"],
            "description": body.get("description", ""),
            "target_url": body.get("log_url", ""),
            "log_url": body.get("log_url", ""),
            "environment_url": body.get("environment_url", ""),
            "creator": objects.user("github-actions[bot]"),
            "created_at": WHEN,
            "updated_at": WHEN,
        }
        told.append(made)
        return Reply(201, made)

    def _brought(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        if refused := self._refused("pull_requests", "read"):
            return refused
        repository = found["repository"]
        numbers = self.brought.get((repository, found["sha"]), [])
        return _page([self.pulls[repository, number] for number in numbers], path=found.string, query=query)

    def _commit(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        if found["sha"] not in self.parents:
            return None
        if refused := self._refused("contents", "read"):
            return refused
        return Reply(200, objects.commit(found["repository"], found["sha"], self.parents[found["sha"]]))

    def _pulls(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        wanted = query.get("state", "open")
        if method != "GET" or (self.beside and wanted != "all"):
            return None
        known = [one for (repository, _), one in self.pulls.items() if repository == found["repository"]]
        shown = [one for one in known if wanted in ("all", one["state"])]
        shown.sort(key=lambda one: int(one["number"]), reverse=query.get("direction", "desc") == "desc")
        return self._refused("pull_requests", "read") or _page(shown, path=found.string, query=query)

    def _pull(self, method: str, found: re.Match[str], query: Mapping[str, str], body: Any) -> Reply | None:
        number = int(found["number"])
        one = self.pulls.get((found["repository"], number))
        if one is None or method != "GET":
            return None
        return Reply(200, objects.whole(one, commits=self.commits.get(number, 1)))

    def _graphql(self, body: Any) -> Reply | None:
        """The one mutation; a refusal has status 200 and `errors`, as GraphQL answers."""
        if not isinstance(body, dict) or "revertPullRequest(input: $input)" not in body.get("query", ""):
            return None
        asked = body["variables"]["input"]
        place = {"path": ["revertPullRequest"], "locations": [{"line": 2, "column": 3}]}
        if self.lacking & {"contents", "pull_requests"}:
            words = "Resource not accessible by integration"
            return _errors({"type": "FORBIDDEN", "message": words, **place})
        node = asked["pullRequestId"]
        one = next((one for one in self.pulls.values() if one["node_id"] == node), None)
        if one is None:
            words = f"Could not resolve to a node with the global id of '{node}'"
            return _errors({"type": "NOT_FOUND", "message": words, **place})
        if self.reverts_refused:
            return _errors({"type": self.reverts_kind, "message": self.reverts_refused, **place})
        repository = one["base"]["repo"]["full_name"]
        number = max(known for _, known in self.pulls) + 1
        if self.opening is not None:
            number = self.opening(repository, asked["title"])
        made = objects.pull(
            repository,
            number,
            head="9" * 40,
            branch=f"revert-{one['number']}-{one['head']['ref']}",
            title=asked["title"],
            body=asked["body"],
        )
        self.add(made)
        shown = {"number": number, "url": made["html_url"]}
        return Reply(200, {"data": {"revertPullRequest": {"revertPullRequest": shown}}})

    def _refused(self, scope: str, level: str) -> Reply | None:
        if scope not in self.lacking:
            return None
        words = {
            "message": "Resource not accessible by integration",
            "documentation_url": "https://docs.github.com/rest",
        }
        return Reply(403, {**words, "status": "403"}, {"X-Accepted-GitHub-Permissions": f"{scope}={level}"})


def _page(items: list[dict[str, Any]], *, path: str, query: Mapping[str, str]) -> Reply:
    size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
    more = len(items) > size * page
    headers = {"Link": f'<{API}{path}?per_page={size}&page={page + 1}>; rel="next"'} if more else {}
    return Reply(200, items[size * (page - 1) : size * page], headers)


def _invalid(resource: str, name: str) -> Reply:
    errors = [{"resource": resource, "field": name, "code": "invalid"}]
    documentation = "https://docs.github.com/rest/deployments"
    return Reply(422, {"message": "Validation Failed", "errors": errors, "documentation_url": documentation})


def _missing() -> Reply:
    return Reply(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"})


def _errors(one: dict[str, Any]) -> Reply:
    return Reply(200, {"data": {"revertPullRequest": None}, "errors": [one]})
