"""The stateful GitHub API of the test bed, one for all tests of this folder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from release_gate.github.api import Api
from tests.e2e.testbed import emulator
from tests.e2e.testbed.part import UnavailableError
from tests.github.double import FakeClock


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


@pytest.fixture(scope="session")
def emulated() -> Iterator[emulator.Emulator]:
    try:
        with emulator.running() as running:
            yield running
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def pull(emulated: emulator.Emulator) -> Callable[[str], Pull]:
    """Make a pull request from a new branch."""

    def make(branch: str) -> Pull:
        repository = "octo-air/flight-delay"
        base = emulated.ask("GET", f"/repos/{repository}/git/ref/heads/main")["object"]["sha"]
        emulated.ask("POST", f"/repos/{repository}/git/refs", {"ref": f"refs/heads/{branch}", "sha": base})
        content = {"message": "m", "content": "eA==", "branch": branch}
        emulated.ask("PUT", f"/repos/{repository}/contents/{branch}.txt", content)
        made = emulated.ask("POST", f"/repos/{repository}/pulls", {"title": branch, "head": branch, "base": "main"})
        return Pull(emulated, repository, made["number"], made["head"]["sha"])

    return make
