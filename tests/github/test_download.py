"""Artifacts fetched through the API, which sends on to a storage of its own."""

from __future__ import annotations

from typing import cast

import pytest
import requests

from release_gate.edges import Session
from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.artifacts import MOST_PACKED, Artifact, ArtifactRefused, download, listed
from release_gate.github.refusals import NotFound, Unreachable
from tests.e2e.testbed import objects
from tests.github.double import Answer, Double, FakeClock, Request, serving

ARTIFACT = Artifact(5, "release-gate-verdicts-build-all-1", 100, expired=False)


def fetched(double: Double, artifact: Artifact = ARTIFACT) -> bytes:
    with requests.Session() as session:
        api = Api("octo-air/flight-delay", "secret", FakeClock(), double.url)
        return download(api, cast("Session", session), artifact)


def test_the_token_goes_to_github_and_not_to_the_storage() -> None:
    def answer(request: Request) -> Answer:
        if request.path.endswith("/actions/artifacts/5/zip"):
            return Answer(302, headers={"Location": f"{double.url}/storage?signature=x"})
        return Answer(body=b"zip", outside="the storage")

    with serving(answer) as double:
        assert fetched(double) == b"zip"
        api, storage = double.asked
        assert api.headers["authorization"] == "Bearer secret"
        assert "authorization" not in storage.headers


@pytest.mark.parametrize(("status", "kind"), [(403, NotFound), (404, NotFound), (410, NotFound), (500, Unreachable)])
def test_what_can_not_be_fetched_is_named(status: int, kind: type[CannotJudge]) -> None:
    with serving(lambda _: Answer(status, {})) as double, pytest.raises(kind, match=ARTIFACT.name):
        fetched(double)


def test_a_storage_that_is_not_there_is_named_without_its_signed_address() -> None:
    away = Answer(302, headers={"Location": "http://127.0.0.1:9/?signature=private"})
    with serving(lambda _: away) as double, pytest.raises(Unreachable) as refused:
        fetched(double)
    assert "private" not in str(refused.value)


def test_what_is_too_large_is_not_even_read() -> None:
    huge = Answer(200, b"x", {"Content-Length": str(MOST_PACKED + 1)}, outside="the storage, without a redirect")
    with serving(lambda _: huge) as double, pytest.raises(ArtifactRefused, match="artifact-too-large"):
        fetched(double)
    with serving(lambda _: Answer(body=b"", outside="never asked")) as double:
        with pytest.raises(ArtifactRefused, match="artifact-too-large"):
            fetched(double, Artifact(5, "a", MOST_PACKED + 1, expired=False))
        with pytest.raises(ArtifactRefused, match="artifact-expired"):
            fetched(double, Artifact(5, "a", 1, expired=True))
        assert double.asked == []


GOOD = objects.artifact("octo-air/flight-delay", 1, "a", 3)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body={"total_count": 1, "artifacts": [GOOD]}),
        Answer(body={"total_count": 3, "artifacts": [GOOD, {**GOOD, "id": "x"}, None]}, outside="two broken entries"),
    ],
)
def test_the_list_leaves_out_what_is_not_of_its_shape(answer: Answer) -> None:
    with serving(lambda _: answer) as double:
        api = Api("octo-air/flight-delay", "t", FakeClock(), double.url)
        assert listed(api, 9) == [Artifact(1, "a", 3, expired=False)]
