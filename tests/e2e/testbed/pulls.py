"""Pull requests on the emulated GitHub, and the events GitHub sends about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.testbed import objects
from tests.e2e.testbed.emulator import FORKS_TOKEN, MAINTAINER_TOKEN

if TYPE_CHECKING:
    from tests.e2e.testbed.emulator import Emulator
    from tests.e2e.testbed.front import Front


@dataclass(frozen=True)
class Pulls:
    """The pull requests of one repository."""

    api: Emulator
    front: Front
    repository: str

    def open(self, branch: str, *, fork: str | None = None) -> int:
        """Open a pull request for a new branch, of a fork by that person if named; return its number."""
        owner, token = self.repository, MAINTAINER_TOKEN
        if fork:
            token = FORKS_TOKEN
            owner = f"{fork}/{self.repository.split('/')[1]}"
            self.api.ask("POST", f"/repos/{self.repository}/forks", {}, token=token)
        main = self.api.ask("GET", f"/repos/{owner}/git/ref/heads/main", token=token)["object"]["sha"]
        self.api.ask("POST", f"/repos/{owner}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main}, token=token)
        change = {"message": "a change", "content": "YQ==", "branch": branch}
        self.api.ask("PUT", f"/repos/{owner}/contents/{branch}.txt", change, token=token)
        head = f"{fork}:{branch}" if fork else branch
        pull = {"title": branch, "head": head, "base": "main", "body": ""}
        return int(self.api.ask("POST", f"/repos/{self.repository}/pulls", pull, token=token)["number"])

    def event(self, number: int, head: str) -> dict[str, Any]:
        """Return the payload of `pull_request`; from now on `head` is the pull request's newest commit."""
        self.front.heads[self.repository, number] = head
        pull = self.api.ask("GET", f"/repos/{self.repository}/pulls/{number}")
        pull["head"]["sha"] = head
        return {"action": "synchronize", "number": number, "pull_request": pull, "repository": pull["base"]["repo"]}

    def merge(self, number: int, commit: str, *, parents: tuple[str, ...] = ()) -> None:
        """Have it merged as that commit of main; from now on GitHub says that it brought the commit."""
        there = self.api.ask("GET", f"/repos/{self.repository}/pulls/{number}")
        merged = objects.pull(
            self.repository,
            number,
            head=self.front.heads.get((self.repository, number), there["head"]["sha"]),
            branch=there["head"]["ref"],
            merged=commit,
            title=there["title"],
        )
        self.front.mirror.add(merged, commit)
        if parents:
            self.front.mirror.parents[commit] = parents
        self.api.ask("PATCH", f"/repos/{self.repository}/pulls/{number}", {"state": "closed"})

    def finished(self, number: int, run: int, conclusion: str) -> dict[str, Any]:
        """Return the payload of `workflow_run` about a run of that pull request's newest commit."""
        pull = self.api.ask("GET", f"/repos/{self.repository}/pulls/{number}")
        head = pull["head"]
        return {
            "action": "completed",
            "repository": pull["base"]["repo"],
            "workflow_run": {
                "id": run,
                "run_attempt": 1,
                "name": "release-gate",
                "event": "pull_request",
                "status": "completed",
                "conclusion": conclusion,
                "head_branch": head["ref"],
                "head_sha": self.front.heads[self.repository, number],
                "head_repository": head["repo"],
                "repository": pull["base"]["repo"],
                "pull_requests": [],  # empty for forks, as on GitHub
                "html_url": f"https://github.com/{self.repository}/actions/runs/{run}",
            },
        }
