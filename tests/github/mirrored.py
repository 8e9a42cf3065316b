"""The test bed's deployments double over HTTP, its every exchange held to GitHub's description."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from release_gate.github.api import Api
from tests.e2e.testbed.deployments import Mirror
from tests.github.double import Answer, Double, FakeClock, Request, serving

HERE = "octo-air/flight-delay"


@contextlib.contextmanager
def mirroring(mirror: Mirror) -> Iterator[tuple[Api, Double]]:
    """An API of the repository, and the double behind it."""

    def answer(request: Request) -> Answer:
        reply = mirror.answer(request.method, request.path, request.query, request.body)
        if reply is None:
            return Answer(404, {"message": "Not Found"})
        return Answer(reply.status, reply.body, reply.headers)

    with serving(answer) as double:
        yield Api(HERE, "t", FakeClock(), double.url), double
