"""How a version goes to its users, as it is declared: target, steps, what is watched meanwhile, and by which source."""

from __future__ import annotations

import re
from posixpath import normpath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from release_gate.documents import Duration, Share
from release_gate.forms import Command
from release_gate.verdict import Value

METRICS = ("errors", "slow")
"""What a rollout can watch: answers that failed, and answers that took longer than declared."""


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address such as http://127.0.0.1:8080")
    if parts.username or parts.password:
        raise ValueError("an address must hold no password: pass it by the environment")
    return value.rstrip("/")


def _address(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._-]*:[0-9]{1,5}", value) is None:
        raise ValueError("write host:port, such as 127.0.0.1:8080")
    return value


Url = Annotated[str, Field(max_length=2000), AfterValidator(_url)]
Address = Annotated[str, Field(max_length=300), AfterValidator(_address)]


class Caddy(Value):
    """A Caddy that release-gate starts where none runs, and steers by its admin address."""

    listen: Annotated[Address, Field(description="where users ask: host:port")] = "127.0.0.1:8080"
    admin: Annotated[Address, Field(description="Caddy's admin address")] = "127.0.0.1:2019"


class HAProxy(Value):
    """A HAProxy that runs already, steered by its runtime API: a backend with at least two server slots."""

    socket: Annotated[str, Field(min_length=1, description="admin socket: a path, or host:port")]
    backend: Annotated[str, Field(min_length=1, max_length=200, description="the backend whose weights are set")]
    url: Annotated[Url, Field(description="where users ask")]


class Commands(Value):
    """Anything else, by the caller's own commands. Placeholders: {version}, {package}, {shares}, {fence}."""

    start: Annotated[
        Command | None, Field(description="makes {version}, unpacked in {package}, ready for traffic; twice is once")
    ] = None
    route: Annotated[Command, Field(description="sets the shares in the JSON file {shares}: version to share")]
    read: Annotated[Command, Field(description="prints the shares that hold now, as JSON: version to share")]
    stop: Annotated[Command | None, Field(description="lets go of {version}, which takes no traffic any more")] = None
    counts: Annotated[
        Command | None,
        Field(description="prints running totals by version, as JSON: version to {requests, errors, slow}"),
    ] = None
    url: Annotated[Url, Field(description="where users ask")]
    limit: Annotated[Duration, Field(gt=0, description="time after which a command is ended")] = 120.0


class Batch(Value):
    """A table of predictions and a pointer to it: readers follow the pointer, which moves whole or not at all.

    The candidate scores the same rows into a shadow table, which is compared with the one in use before it moves.
    Paths are absolute, or count from the configuration's folder.
    """

    data: Annotated[
        str,
        Field(
            min_length=1, max_length=1000, description="rows to score: a Parquet file, or a folder, a file a partition"
        ),
    ]
    tables: Annotated[
        str, Field(min_length=1, max_length=1000, description="folder of the tables of predictions, one a version")
    ]
    pointer: Annotated[str, Field(min_length=1, max_length=1000, description="JSON file that names the table in use")]
    changed_at_most: Annotated[
        Share, Field(gt=0, description="largest share of rows whose score may change by more than `change`")
    ] = 0.5
    change: Annotated[float, Field(gt=0, description="difference of a score that counts as changed")] = 0.1


class Target(Value):
    """What holds the traffic; one of the four."""

    caddy: Annotated[Caddy | None, Field(description="Caddy, started where none runs")] = None
    haproxy: Annotated[HAProxy | None, Field(description="a running HAProxy")] = None
    command: Annotated[Commands | None, Field(description="commands of your own")] = None
    batch: Annotated[Batch | None, Field(description="tables of predictions, for delivery batch")] = None

    @model_validator(mode="after")
    def _one(self) -> Target:
        if sum(one is not None for one in (self.caddy, self.haproxy, self.command, self.batch)) != 1:
            raise ValueError("give one of caddy, haproxy, command, batch")
        return self

    @property
    def held(self) -> str | None:
        """What this target has for itself, in words: two models can't share it. None where only its commands know."""
        if self.caddy is not None:
            return f"Caddy's port {self.caddy.listen.rpartition(':')[2]}"  # by which its server there is known
        if self.haproxy is not None:
            return f"backend {self.haproxy.backend} of HAProxy's socket {self.haproxy.socket}"
        return f"the pointer {normpath(self.batch.pointer)}" if self.batch is not None else None


class Prometheus(Value):
    """Running totals in Prometheus: each query gives one series a version, named by the label."""

    url: Annotated[Url, Field(description="Prometheus's address")]
    label: Annotated[str, Field(min_length=1, description="label that holds the version's digest, or its beginning")]
    requests: Annotated[str, Field(min_length=1, description="PromQL of all answers so far, by version")]
    errors: Annotated[str, Field(min_length=1, description="PromQL of failed answers so far, by version")]
    slow: Annotated[str | None, Field(description="PromQL of slow answers so far, by version")] = None


class Http(Value):
    """Running totals as JSON at an address."""

    url: Annotated[Url, Field(description="address that answers with JSON")]
    versions: Annotated[str, Field(description="JMESPath of a list with one entry a version")]
    version: Annotated[str, Field(description="JMESPath of the version in an entry")] = "version"
    requests: Annotated[str, Field(description="JMESPath of all answers so far in an entry")] = "requests"
    errors: Annotated[str, Field(description="JMESPath of failed answers so far in an entry")] = "errors"
    slow: Annotated[str | None, Field(description="JMESPath of slow answers so far in an entry")] = None


class Counted(Value):
    """Running totals printed by a command of the caller."""

    run: Annotated[Command, Field(description="prints JSON: version to {requests, errors, slow}")]
    limit: Annotated[Duration, Field(gt=0, description="time after which it is ended")] = 30.0


class Source(Value):
    """Where the totals by version come from; the target's own counters when none is given."""

    prometheus: Annotated[Prometheus | None, Field(description="queries of Prometheus")] = None
    http: Annotated[Http | None, Field(description="an address that answers with JSON")] = None
    command: Annotated[Counted | None, Field(description="a command that prints JSON")] = None

    @model_validator(mode="after")
    def _one(self) -> Source:
        if sum(one is not None for one in (self.prometheus, self.http, self.command)) != 1:
            raise ValueError("give one of prometheus, http, command; leave `source` out for the target's own counters")
        return self


def _judging(value: object) -> object:
    """Production is compared only while it gets traffic; without this share a version that fails always would pass."""
    if value is None:
        reason = "nothing else judges a first release and the last step"
        raise ValueError(f"{reason}: write a share above production's own rate, such as 5%")
    return value


AtMost = Annotated[
    Share, BeforeValidator(_judging), Field(gt=0, lt=1, description="more than this share is harm by itself")
]


class Errors(Value):
    """Answers that failed (status 500 and above, or none at all)."""

    at_most: AtMost = 0.05
    times_production: Annotated[
        float, Field(ge=1, le=100, description="times production's rate that is still tolerated")
    ] = 1.0


class Slow(Value):
    """Answers that took longer than users should wait."""

    above: Annotated[Duration, Field(gt=0, description="an answer that takes longer is slow")]
    at_most: AtMost = 0.05
    times_production: Annotated[
        float, Field(ge=1, le=100, description="times production's share that is still tolerated")
    ] = 1.0


class Rollout(Value):
    """From no traffic to all of it, in steps, watched, with a way back."""

    target: Annotated[Target, Field(description="what holds the traffic")]
    steps: Annotated[
        tuple[Annotated[Share, Field(gt=0, lt=1)], ...],
        Field(max_length=50, description="shares of traffic on the way to 100%, rising"),
    ] = (0.05, 0.5)
    watch: Annotated[Duration, Field(gt=0, description="time each step is watched")] = 600.0
    bake: Annotated[Duration, Field(gt=0, description="time at 100% with the old version still warm")] = 1800.0
    look: Annotated[Duration, Field(gt=0, description="time between two looks at the counters")] = 10.0
    least_requests: Annotated[
        int, Field(ge=1, description="answers by the candidate without which a step proves nothing")
    ] = 100
    wait_at_most: Annotated[
        float, Field(ge=1, description="times `watch` that a step waits for traffic before it is given up")
    ] = 3.0
    lease: Annotated[
        Duration, Field(gt=0, description="time nobody looks, after which the candidate is taken back")
    ] = 300.0
    errors: Annotated[Errors, Field(description="what counts as too many failed answers")] = Errors()
    slow: Annotated[Slow | None, Field(description="what counts as slow; not watched when absent")] = None
    wrong_alarm: Annotated[
        Share, Field(gt=0, lt=0.5, description="chance that a whole rollout of an equally good version is taken back")
    ] = 0.05
    source: Annotated[Source | None, Field(description="where the totals come from; the target when absent")] = None
    environment: Annotated[
        str, Field(min_length=1, max_length=200, description="GitHub environment whose page shows what serves")
    ] = "production"
    state: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1000,
            description="folder in which the target keeps what serves and the last known good, absolute or from the "
            "configuration's folder; when absent ~/.local/state/release-gate/<owner>__<name>, or .release-gate/target "
            "where the repository has no remote `origin` on a host",
        ),
    ] = None

    @model_validator(mode="after")
    def _rising(self) -> Rollout:
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError("steps must rise, each share larger than the one before; 100% follows by itself")
        return self

    @property
    def url(self) -> str | None:
        """Where users ask, where that is an address."""
        target = self.target
        if target.caddy is not None:
            return f"http://{target.caddy.listen}"
        known = target.haproxy or target.command
        return known.url if known is not None else None

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is watched."""
        return METRICS if self.slow is not None else METRICS[:1]


Delivery = Literal["endpoint", "batch", "none"]
