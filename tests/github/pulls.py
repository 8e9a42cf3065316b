"""Pull requests on the emulated GitHub, for tests and for the benchmark that counts requests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from release_gate.github.api import Api
from release_gate.github.comments import post
from release_gate.github.marker import Marker
from tests.e2e.testbed import emulator
from tests.github.double import FakeClock

REPOSITORY = "octo-air/flight-delay"


@dataclass(frozen=True)
class Pull:
    """A pull request on the emulated GitHub, and the API as the bot and as a maintainer."""

    running: emulator.Emulator
    repository: str
    number: int
    head: str

    def api(self, token: str = emulator.TOKEN) -> Api:
        return Api(self.repository, token, FakeClock(), self.running.url)

    def ask(self, method: str, path: str, body: dict[str, object] | None = None, token: str = emulator.TOKEN) -> object:
        return self.running.ask(method, path.replace("{}", f"/repos/{self.repository}"), body, token)

    def comments(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for page in itertools.count(1):
            some = self.running.ask(
                "GET", f"/repos/{self.repository}/issues/{self.number}/comments?per_page=100&page={page}"
            )
            found += some
            if len(some) < 100:
                return found
        raise AssertionError


def opened(emulated: emulator.Emulator, branch: str) -> Pull:
    """A pull request from a new branch."""
    base = emulated.ask("GET", f"/repos/{REPOSITORY}/git/ref/heads/main")["object"]["sha"]
    emulated.ask("POST", f"/repos/{REPOSITORY}/git/refs", {"ref": f"refs/heads/{branch}", "sha": base})
    content = {"message": "m", "content": "eA==", "branch": branch}
    emulated.ask("PUT", f"/repos/{REPOSITORY}/contents/{branch}.txt", content)
    made = emulated.ask("POST", f"/repos/{REPOSITORY}/pulls", {"title": branch, "head": branch, "base": "main"})
    return Pull(emulated, REPOSITORY, made["number"], made["head"]["sha"])


def requests_of_a_comment() -> tuple[int, int, int]:
    """Requests to post a first comment, an unchanged one, and a changed one behind 150 others."""
    with emulator.running() as running:
        pull = opened(running, "counted")
        counts = []
        for run, text in ((1, "first"), (2, "first"), (3, "second")):
            if run == 3:
                pull.ask("DELETE", f"{{}}/issues/comments/{pull.comments()[0]['id']}")
                for index in range(150):
                    talk: dict[str, object] = {"body": f"talk {index}"}
                    pull.ask("POST", f"{{}}/issues/{pull.number}/comments", talk, emulator.MAINTAINER_TOKEN)
            api = pull.api()
            post(api, pull.number, [f"{Marker('m', pull.head, (1 if run == 2 else run, 1))}\n{text}\n"])
            counts.append(api.requests)
        return counts[0], counts[1], counts[2]
