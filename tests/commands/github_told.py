"""A repository on GitHub that is told of releases: the test bed's double with the comments of its pull requests."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from release_gate.commands.context import Context
from release_gate.config import ModelConfig
from tests.commands.world import World
from tests.e2e.testbed import objects
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, Double, Request, serving
from tests.github.mirrored import HERE

BOT = "github-actions[bot]"
REFUSED = {"message": "Resource not accessible by integration", "documentation_url": "https://docs.github.com/rest"}
MODEL = ModelConfig.model_validate(
    {
        "model": "m",
        "owner": "@octo-air",
        "candidate": {"train": "x", "predict": "x"},
        "contracts": {"c.yml": "d.parquet"},
        "evaluation": {"data": "d.parquet", "key": "id", "label": "y"},
        "thresholds": [{"metric": "roc_auc", "at_least": 0.5}],
        "rollout": {
            "target": {"command": {"route": "x", "read": "x", "counts": "x", "url": "https://flights.example.com"}}
        },
    }
)


@dataclass
class GitHub:
    """What GitHub knows, and what it refuses: `down` answers 503 to a path that it matches."""

    mirror: Mirror = field(default_factory=Mirror)
    comments: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    down: str = ""
    branch: str = "main"
    double: Double | None = None

    def merged(self, number: int, commit: str) -> None:
        """A pull request that brought a commit."""
        self.mirror.add(objects.pull(HERE, number, head="a" * 40, branch=f"change-{number}", merged=commit), commit)

    def body(self, number: int) -> str:
        """The one comment on a pull request."""
        [one] = self.comments[number]
        return str(one["body"])

    def states(self) -> list[tuple[str, str | None]]:
        """Task and newest state of every deployment, oldest first."""
        return [(one["task"], self.mirror.state(one["id"])) for one in self.mirror.deployments]

    @property
    def asked(self) -> list[Request]:
        """What was asked so far."""
        assert self.double is not None
        return self.double.asked

    @property
    def written(self) -> list[Request]:
        """What was asked that changes something."""
        return [one for one in self.asked if one.method != "GET"]

    def answer(self, request: Request) -> Answer:
        if self.down and re.search(self.down, request.path):
            return Answer(503, {"message": "Service unavailable"})
        if request.path == "/user":
            return Answer(403, REFUSED)
        if request.path == f"/repos/{HERE}":
            return Answer(200, {**objects.repository(HERE), "default_branch": self.branch})
        if found := re.fullmatch(rf"/repos/{HERE}/issues/(\d+)/comments", request.path):
            return self._list(int(found[1]), request)
        if found := re.fullmatch(rf"/repos/{HERE}/issues/comments/(\d+)", request.path):
            return self._change(int(found[1]), request)
        reply = self.mirror.answer(request.method, request.path, request.query, request.body)
        if reply is None:
            return Answer(404, {"message": "Not Found"})
        return Answer(reply.status, reply.body, reply.headers)

    def _list(self, number: int, request: Request) -> Answer:
        there = self.comments.setdefault(number, [])
        if request.method == "GET":
            return Answer(200, there)
        if "pull_requests" in self.mirror.lacking:
            return Answer(403, REFUSED, {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"})
        identity = 9000 + sum(map(len, self.comments.values()))
        there.append(objects.comment(HERE, identity, BOT, request.body["body"]))
        return Answer(201, there[-1])

    def _change(self, identity: int, request: Request) -> Answer:
        for one in (one for there in self.comments.values() for one in there if one["id"] == identity):
            one["body"] = request.body["body"]
            return Answer(200, one)
        return Answer(404, {"message": "Not Found"})

    def context(self, world: World, run: int = 1, **environment: str) -> Context:
        """As a job of a workflow has it, the world's clock its own."""
        assert self.double is not None
        known = {
            "GITHUB_REPOSITORY": HERE,
            "GITHUB_API_URL": self.double.url,
            "GITHUB_TOKEN": "t",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": str(run),
            "GITHUB_ACTOR": "octocat",
            **environment,
        }

        def absent() -> object:
            raise AssertionError("telling needs neither")

        return Context(
            clock=world,
            runner=absent,  # type: ignore[arg-type]
            session=absent,  # type: ignore[arg-type]
            environment={name: value for name, value in known.items() if value},
            home=Path(),
        )


@contextlib.contextmanager
def github() -> Iterator[GitHub]:
    """A GitHub that listens until the block ends; every exchange is then found to have been one with GitHub."""
    told = GitHub()
    with serving(told.answer) as double:
        told.double = double
        yield told
