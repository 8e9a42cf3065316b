"""One model behind one HAProxy for one test: clones that release it, users that ask, and what can be known of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import cast

import requests

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.commands.context import Context
from release_gate.commands.hands import Hands
from release_gate.commands.releasing import hands_for
from release_gate.config import ModelConfig, load
from release_gate.edges import Session
from release_gate.gates.overall import ORDER
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import State, fold
from release_gate.registry.ledger import Ledger
from release_gate.registry.opened import Registry, open_registry
from release_gate.registry.stores.bucket import BucketStore
from release_gate.serving.server import free_port
from release_gate.verdict import Outcome, Subject, Verdict
from tests.release.project import GATE, MODEL, Built, git

LIMIT = 60.0
"""Seconds a command may take before a test gives it up."""
HAPROXY = """
global
  stats socket {folder}/ha.sock mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 3s
  retries 0
frontend users
  bind 127.0.0.1:{port}
  default_backend model
backend model
  balance roundrobin
  server-template slot 1-4 127.0.0.1:1 disabled
"""
FULL = (
    sys.executable,
    "-c",
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); os.execv(sys.argv[1], sys.argv[1:])",
)
"""Before a command: no file takes a byte more, as on a full disk. Python ignores the signal that would tell it."""
ROLLOUT = """\
registry: {registry}
rollout:
  target: {{haproxy: {{socket: {folder}/ha.sock, backend: model, url: "http://127.0.0.1:{port}"}}}}
  steps: ["50%"]
  watch: 0.5s
  bake: 0.5s
  look: 0.2s
  least_requests: 5
  wait_at_most: 100
  lease: 100s
  errors: {{at_most: 0.5}}
"""
STATE = "  state: {folder}/state\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    text: str
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What a user saw, and when by the machine's steady clock."""

    at: float
    status: int
    version: str


class Users:
    """A client of 200 requests a second in a process of its own."""

    def __init__(self, log: Path, process: subprocess.Popen[bytes]) -> None:
        self._log, self._process = log, process

    def seen(self) -> list[Answer]:
        """Every answer so far."""
        lines = [line.split() for line in self._log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [Answer(float(at), int(status), version) for at, status, version in lines]

    def failed(self) -> list[Answer]:
        """Requests without a good answer."""
        return [one for one in self.seen() if one.status != 200]

    def end(self) -> None:
        """Send no more, and have the last answers."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=15)


@dataclass
class Scene:
    """A registry, a proxy, and clones of the repository that share both.

    `registry` is as it is written; `shared`: all clones steer the same target, else one does from its default place.
    """

    folder: Path
    built: Built
    registry: str
    port: int
    known: Mapping[str, str]
    shared: bool = True
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    # -- the places --
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    @property
    def one(self) -> Path:
        return self.folder / "one"

    @property
    def state_folder(self) -> Path:
        return (self.folder / "state" if self.shared else self.one / ".release-gate" / "target") / MODEL

    def clone(self, name: str) -> Path:
        """One more clone, as another job has it."""
        git(self.folder, "clone", "-q", str(self.remote), name)
        config = self.folder / name / "release-gate.yml"
        rollout = ROLLOUT + (STATE if self.shared else "")
        said = rollout.format(registry=self.registry, folder=self.folder, port=self.port)
        config.write_text(config.read_text().partition("rollout:\n")[0] + said)
        return self.folder / name

    def environ(self, at: Path) -> dict[str, str]:
        """What a command gets: each clone has caches of its own, as on a machine of its own."""
        return {**self.known, "XDG_CACHE_HOME": str(self.folder / f"cache of {at.name}")}

    # -- what stands --
    @cached_property
    def config(self) -> ModelConfig:
        return load(self.one / "release-gate.yml", shown="release-gate.yml").models[0]

    def context(self) -> Context:
        environment, session = self.environ(self.one), cast("Session", requests.Session())
        return Context(
            clock=SystemClock(),
            runner=lambda: Processes(environment),
            session=lambda: session,
            environment=environment,
            home=self.one,
        )

    @contextmanager
    def hands(self) -> Iterator[Hands]:
        made = hands_for(self.context(), self.config, self.one)
        try:
            yield made
        finally:
            made.target.close()

    def opened(self) -> Registry:
        return open_registry(self.config.registry, root=self.one, environment=self.environ(self.one))

    @cached_property
    def ledger(self) -> Ledger:
        return self.opened().ledger(MODEL)

    def events(self) -> list[Event]:
        """The history, its chain verified."""
        return self.ledger.read()

    @property
    def state(self) -> State:
        return fold(self.events())

    def written(self) -> int:
        """How much the ledger holds, as cheaply as can be told: what a test that waits for an event looks at."""
        if self.registry.startswith("branch:"):
            reference = self.remote / "refs" / "heads" / self.registry.partition(":")[2]
            return hash(reference.read_text()) if reference.exists() else 0
        if self.registry.startswith("s3:"):
            return sum(1 for _ in self._store.keys(f"ledger/{MODEL}/"))
        return sum(1 for _ in (Path(self.registry) / "ledger" / MODEL).glob("[0-9]*.json"))

    @cached_property
    def _store(self) -> BucketStore:
        return BucketStore(self.registry, self.environ(self.one), cache=self.folder / "cache of the test")

    def routed(self) -> dict[str, float]:
        """What HAProxy itself says."""
        with self.hands() as hands:
            return hands.target.routed()

    def standing(self) -> dict[str, object]:
        return dict(json.loads((self.state_folder / "target.json").read_bytes()))

    def servers(self) -> dict[str, list[int]]:
        """The processes that serve, by version, whatever anyone wrote down."""
        found: dict[str, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    variables = (entry / "environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                known = dict(one.decode(errors="replace").partition("=")[::2] for one in variables)
                if known.get("RELEASE_GATE_DAEMON", "").startswith(f"{self.folder}/"):
                    found.setdefault(known["RELEASE_GATE_VERSION"], []).append(int(entry.name))
        return found

    # -- what happens --
    def happened(self, kind: str, number: int | None = None, **fields: object) -> None:
        """An event of the past."""
        digest = None if number is None else self.built.digests[number]
        draft = Draft.model_validate(
            {"at": datetime.now(UTC), "actor": "octocat", "kind": kind, "package": digest, **fields}
        )
        self.ledger.append(lambda _: draft)

    def registered(self, number: int, compared: int | None = None) -> None:
        """A version stored and registered, as `publish-artifact` leaves it."""
        self.opened().store(self.built.sealed(number))
        against = {} if compared is None else {"compared": self.built.digests[compared]}
        commit = self.built.commits[number]
        self.happened("registered", number, commit=commit, serves="after-rollout", **against)

    def serves(self, number: int) -> None:
        """A version promoted, that serves all traffic and was good."""
        digest = self.built.digests[number]
        self.happened("promoted", number)
        with self.hands() as hands:
            hands.start(digest)
            hands.target.route({digest: 1.0}, fence=self.state.sequence)
            hands.target.keep(digest)

    def judged(self, at: Path, number: int, compared: int | None) -> None:
        """What build and gates left of a version in a clone, for `publish-artifact`."""
        shutil.rmtree(at / ".release-gate" / "run", ignore_errors=True)
        shutil.copytree(self.built.run(number), at / ".release-gate" / "run")
        package = self.built.sealed(number).package
        identities = {one.name: one.identity for one in package.contents.datasets}
        identities |= {one.name: one.identity for one in package.contents.contracts}
        sealed = Subject(kind="package", name=MODEL, identity=package.digest)
        data = [
            Subject(kind="data", name=name, identity=identity)
            for name, identity in identities.items()
            if name.startswith("data/")
        ]
        contracts = [
            Subject(kind="contract", name=name, identity=identity)
            for name, identity in identities.items()
            if name.startswith("contracts/")
        ]
        production = (
            [] if compared is None else [Subject(kind="production", name=MODEL, identity=self.built.digests[compared])]
        )
        subjects = {
            "schema-check": [*contracts, *data],
            "transform-tests": data,
            "endpoint-test": [sealed],
            "rollback-readiness": production,
        }
        folder = at / ".release-gate" / "run" / MODEL / "verdicts"
        for gate in ORDER:
            verdict = Verdict(
                gate=gate,
                model=MODEL,
                outcome=Outcome.PASS,
                subjects=subjects.get(gate, [sealed, *data, *production]),
                started=datetime.now(UTC),
            )
            (folder / f"{gate}.json").write_bytes(verdict.to_json())

    def start(
        self, *words: str, at: Path | None = None, known: Mapping[str, str] | None = None, full: bool = False
    ) -> subprocess.Popen[str]:
        """A command in a process of its own, and in a session of its own as a job has it; `full`: no file may grow."""
        at = at or self.one
        return subprocess.Popen(
            [*(FULL if full else ()), *GATE, *words],
            cwd=at,
            env={**self.environ(at), **(known or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def gate(
        self, *words: str, at: Path | None = None, known: Mapping[str, str] | None = None, full: bool = False
    ) -> Done:
        """A command, run to its end."""
        began = time.monotonic()
        process = self.start(*words, at=at, known=known, full=full)
        return ended(process, began)

    def killed(self, *words: str, after: float, at: Path | None = None) -> bool:
        """Start a command and kill it after these seconds, with all that is not meant to outlive it; whether it ran."""
        process, began = self.start(*words, at=at), time.monotonic()
        while process.poll() is None and time.monotonic() - began < after:
            time.sleep(0.002)
        return _killed(process)

    def killed_at_event(self, *words: str, later: float = 0.0, at: Path | None = None) -> bool:
        """The same as soon as the ledger holds an event more, and some seconds later."""
        before = self.written()
        process, began = self.start(*words, at=at), time.monotonic()
        while process.poll() is None and self.written() == before and time.monotonic() - began < LIMIT:
            time.sleep(0.05 if self.registry.startswith("s3:") else 0.005)
        time.sleep(later)
        return _killed(process)

    @contextmanager
    def users(self, rate: float = 200.0) -> Iterator[Users]:
        """Users for the length of the block."""
        log = self.folder / f"users-{time.monotonic_ns()}.log"
        words = [sys.executable, str(Path(__file__).with_name("client.py")), self.url, str(log), f"{rate:g}"]
        process = subprocess.Popen(words)
        self.running.append(process)
        users = Users(log, process)
        try:
            until = time.monotonic() + 10
            while not (log.exists() and log.stat().st_size) and time.monotonic() < until:
                time.sleep(0.02)
            yield users
        finally:
            if process.poll() is None:
                users.end()

    def close(self) -> None:
        """End everything that was started here."""
        for process in self.running:
            process.kill()
            process.wait()
        for processes in self.servers().values():
            for pid in processes:
                os.kill(pid, signal.SIGKILL)


def _killed(process: subprocess.Popen[str]) -> bool:
    over = process.poll() is not None
    if not over:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return not over


def ended(process: subprocess.Popen[str], began: float) -> Done:
    """How a started command ended."""
    try:
        text, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        raise AssertionError(f"the command hung:\n{text}") from None
    return Done(process.returncode, text, time.monotonic() - began)


def set_up(folder: Path, built: Built, haproxy: str, registry: str, *, shared: bool, **environment: str) -> Scene:
    """A proxy that runs, a remote, and the first clone of it."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(HAPROXY.format(folder=folder, port=port))
    process = subprocess.Popen([haproxy, "-f", str(folder / "haproxy.cfg"), "-db"], stderr=subprocess.DEVNULL)
    git(folder, "clone", "-q", "--bare", str(built.project.root), "remote.git")
    git(folder / "remote.git", "config", "uploadpack.allowFilter", "true")
    known = {
        **built.project.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(folder / "home"),
        "UV_OFFLINE": "1",
        **environment,
    }
    (folder / "home").mkdir()
    scene = Scene(folder, built, registry, port, known, shared, [process])
    scene.clone("one")
    until = time.monotonic() + 10
    while not (folder / "ha.sock").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return scene
