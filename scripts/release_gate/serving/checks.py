"""`smoke.yml` as frozen values: how a running server is asked, and what it must answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from release_gate.documents import Duration, read, validated
from release_gate.findings import BadInput
from release_gate.verdict import Value

Route = Annotated[str, Field(pattern=r"^/", max_length=2000)]


def _path_of_scores(value: str) -> str:
    try:
        jmespath.compile(value)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())[:200]}") from error
    return value


def _status(value: int | str) -> int | str:
    if isinstance(value, int) and 100 <= value <= 599:
        return value
    if isinstance(value, str) and re.fullmatch("[1-5]xx", value):
        return value
    raise ValueError("a status is a number such as 200, or a class such as 4xx")


class Ask(Value):
    """How a prediction is asked for."""

    post: Annotated[Route, Field(description="where predictions are asked for")]
    body: Annotated[
        dict[str, Any] | list[Any],
        Field(description='JSON body; the text "{rows}" becomes the list of records, "{row}" one record'),
    ]
    scores: Annotated[
        str, AfterValidator(_path_of_scores), Field(description="JMESPath of the scores in the answer, one per row")
    ]

    @model_validator(mode="after")
    def _has_rows(self) -> Ask:
        if not (_holds(self.body, "{rows}") or _holds(self.body, "{row}")):
            raise ValueError('the body must hold the text "{rows}" or "{row}", where the records go')
        return self

    @property
    def one_by_one(self) -> bool:
        """Whether a request holds one record only."""
        return not _holds(self.body, "{rows}")

    def filled(self, rows: list[dict[str, Any]]) -> Any:
        """The body for these records."""
        return _filled(self.body, rows)

    def scores_of(self, answer: Any) -> Any:
        """What stands at the path of the scores, None where nothing does."""
        return jmespath.search(self.scores, answer)


class Golden(Value):
    """The recorded predictions come out again."""

    tolerance: Annotated[float, Field(ge=0, description="largest difference, absolute below 1 and relative above")] = (
        1e-6
    )


class Latency(Value):
    """Answers come in time: one recorded row a request, one request after the other."""

    requests: Annotated[int, Field(ge=10, le=10_000, description="how many requests are timed")] = 50
    p95_below: Annotated[Duration, Field(gt=0, description="time within which 95% of the answers come")]


class Check(Value):
    """One thing a server must do."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    get: Annotated[Route | None, Field(description="path to GET")] = None
    post: Annotated[Route | None, Field(description="path to POST to")] = None
    body: Annotated[str | None, Field(description="body to post, as it is")] = None
    json_body: Annotated[Any, Field(description="body to post, as JSON")] = None
    status: Annotated[int | str, AfterValidator(_status), Field(description="status expected: 200, 4xx")] = 200
    expected: Annotated[
        Any, Field(alias="json", description="what the JSON answer must hold; it may hold more. {version} is filled in")
    ] = None
    golden: Annotated[Golden | None, Field(description="the recorded predictions come out again")] = None
    latency: Annotated[Latency | None, Field(description="answers come in time")] = None

    @property
    def kind(self) -> Literal["get", "post", "golden", "latency"]:
        """What is asked."""
        return next(kind for kind in ("get", "post", "golden", "latency") if getattr(self, kind) is not None)

    @property
    def judges_json(self) -> bool:
        """Whether the answer's JSON is looked at; it may be expected to be null."""
        return "expected" in self.model_fields_set

    @property
    def asserts_version(self) -> bool:
        """Whether the answer must name the version."""
        return self.judges_json and "{version}" in json.dumps(self.expected)

    @property
    def content(self) -> dict[str, Any]:
        """What is posted: `body` as it is, `data` as JSON."""
        if "json_body" in self.model_fields_set:
            return {"body": json.dumps(self.json_body)}
        return {"body": self.body}

    @model_validator(mode="after")
    def _one_kind(self) -> Check:
        given = [kind for kind in ("get", "post", "golden", "latency") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of get, post, golden, latency, not {' and '.join(given) or 'none'}")
        bodies = [name for name in ("body", "json_body") if name in self.model_fields_set]
        if bodies and (self.post is None or len(bodies) > 1):
            raise ValueError("give body or json_body with post only, and one of them")
        if self.kind in ("golden", "latency") and {"status", "expected"} & self.model_fields_set:
            raise ValueError(f"status and json say nothing about a {self.kind} check")
        return self


class Smoke(Value):
    """A whole smoke.yml."""

    version: Literal[1]
    start_within: Annotated[Duration, Field(gt=0, description="time in which a started server must answer")] = 30.0
    predict: Annotated[Ask | None, Field(description="how a prediction is asked for")] = None
    checks: Annotated[tuple[Check, ...], Field(min_length=1, description="what the server must do")]

    @model_validator(mode="after")
    def _can_run(self) -> Smoke:
        needs = [check.name for check in self.checks if check.kind in ("golden", "latency")]
        if needs and self.predict is None:
            raise ValueError(f"`predict` must say how to ask for a prediction: '{needs[0]}' needs it")
        names = [check.name for check in self.checks]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two checks are called '{twice}'")
        return self

    @property
    def health(self) -> Check | None:
        """The check whose success says that a server is up: the first GET."""
        return next((check for check in self.checks if check.kind == "get"), None)

    @property
    def unasked(self) -> tuple[str, ...]:
        """What no check asks for: `golden` predictions, the `version`, a `malformed` request answered with 4xx."""
        asked = {
            "golden": any(check.golden for check in self.checks),
            "version": any(check.asserts_version for check in self.checks),
            "malformed": any(check.post and str(check.status).startswith("4") for check in self.checks),
        }
        return tuple(what for what, known in asked.items() if not known)

    @property
    def tolerance(self) -> float:
        """The difference at which two scores are still the same."""
        return next((check.golden.tolerance for check in self.checks if check.golden), Golden().tolerance)


def load(path: Path, shown: str) -> Smoke:
    """Read and check a smoke.yml.

    Raises:
        BadInput: everything that is wrong with it, each with its place.
    """
    try:
        return validated(read(path, shown=shown), Smoke)
    except BadInput as refusal:
        # The remedies are those of release-gate.yml, whose reference says nothing of these keys.
        remedies = [one.remedy.replace("docs/reference/configuration.md", "docs/smoke.md") for one in refusal.findings]
        told = zip(refusal.findings, remedies, strict=True)
        raise BadInput(*(one.model_copy(update={"remedy": remedy}) for one, remedy in told)) from refusal


def _holds(body: Any, word: str) -> bool:
    if isinstance(body, dict):
        return any(_holds(inside, word) for inside in body.values())
    if isinstance(body, list):
        return any(_holds(inside, word) for inside in body)
    return bool(body == word)


def _filled(body: Any, rows: list[dict[str, Any]]) -> Any:
    if isinstance(body, dict):
        return {key: _filled(inside, rows) for key, inside in body.items()}
    if isinstance(body, list):
        return [_filled(inside, rows) for inside in body]
    return {"{rows}": rows, "{row}": rows[0]}.get(body, body) if isinstance(body, str) else body
