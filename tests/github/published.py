"""Holds exchanges with a double of GitHub against GitHub's own descriptions of its REST and GraphQL APIs.

Stricter than the description where it is lenient: a parameter or field it does not name is a mistake of ours.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import graphql
from graphql.execution.values import get_variable_values
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_schema_validator import OAS30ReadValidator
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.e2e.testbed import tools

HOST = "https://api.github.com"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `outside` says why the answer is not held to GitHub's description."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    answer: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    outside: str = ""

    def __str__(self) -> str:
        query = f"?{urlencode(self.query)}" if self.query else ""
        return f"{self.method} {self.path}{query} -> {self.status}"


@dataclass
class _Request:
    """As openapi-core wants it."""

    exchange: Exchange
    host_url: str = HOST
    content_type: str = "application/json"
    full_url_pattern: str = HOST

    def __post_init__(self) -> None:
        self.path = self.exchange.path
        self.method = self.exchange.method.lower()
        self.body = None if self.exchange.body is None else json.dumps(self.exchange.body).encode()
        self.parameters = RequestParameters(query=ImmutableMultiDict(self.exchange.query))


@dataclass
class _Response:
    """As openapi-core wants it."""

    exchange: Exchange
    content_type: str = "application/json"

    def __post_init__(self) -> None:
        self.status_code = self.exchange.status
        self.headers = Headers(list(self.exchange.headers.items()))
        self.data = json.dumps(self.exchange.answer).encode()


class Published:
    """Both descriptions, read once."""

    def __init__(self, rest: Path, schema: Path) -> None:
        self._document: dict[str, Any] = json.loads(rest.read_text(encoding="utf-8"))
        self._schema = graphql.build_schema(schema.read_text(encoding="utf-8"), assume_valid=True, no_location=True)
        self._openapi: dict[str, OpenAPI] = {}

    def problems(self, exchange: Exchange) -> list[str]:
        """What GitHub's description has against an exchange, each with the exchange named."""
        found = self._graphql(exchange) if exchange.path == "/graphql" else self._rest(exchange)
        return [f"{exchange}: {one}" for one in found]

    def _rest(self, exchange: Exchange) -> Iterator[str]:
        pattern = self._pattern(exchange.path)
        if pattern is None or exchange.method.lower() not in self._document["paths"][pattern]:
            if not exchange.outside:
                yield "GitHub has no such endpoint"
            return
        openapi = self._of(pattern)
        request = _Request(exchange)
        try:
            openapi.validate_request(request)
        except OpenAPIError as error:
            yield f"the request: {_told(error)}"
        yield from self._unknown(exchange, pattern)
        if exchange.outside or exchange.status >= 500:
            return
        try:
            openapi.validate_response(request, _Response(exchange))
        except ResponseNotFound:
            if exchange.status < 400:
                yield f"GitHub does not answer this with status {exchange.status}"
            else:
                yield from self._error(exchange.answer)
        except OpenAPIError as error:
            yield f"the answer: {_told(error)}"

    def _unknown(self, exchange: Exchange, pattern: str) -> Iterator[str]:
        operation = self._document["paths"][pattern][exchange.method.lower()]
        named = {self._at(one)["name"] for one in operation.get("parameters", []) if self._at(one)["in"] == "query"}
        if extra := set(exchange.query) - named:
            yield f"GitHub knows no parameter {', '.join(sorted(extra))}"
        content = self._at(operation.get("requestBody", {})).get("content", {})
        if isinstance(exchange.body, dict) and "application/json" in content:
            known = set(self._at(content["application/json"]["schema"]).get("properties", {}))
            if extra := set(exchange.body) - known:
                yield f"GitHub knows no field {', '.join(sorted(extra))}"
        elif exchange.body is not None:
            yield "GitHub wants no body"

    def _error(self, answer: Any) -> Iterator[str]:
        schema = self._document["components"]["schemas"]["basic-error"]
        for error in OAS30ReadValidator(schema).iter_errors(answer):
            yield f"the answer: {error.message[:300]}"

    def _at(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    @functools.cached_property
    def _patterns(self) -> dict[int, list[tuple[list[str], str]]]:
        found: dict[int, list[tuple[list[str], str]]] = {}
        for pattern in self._document["paths"]:
            parts = pattern.strip("/").split("/")
            found.setdefault(len(parts), []).append((parts, pattern))
        return found

    def _pattern(self, path: str) -> str | None:
        """The path of the description that fits; the one with most literal parts of several."""
        asked = path.strip("/").split("/")
        fitting = [
            (sum(not part.startswith("{") for part in parts), pattern)
            for parts, pattern in self._patterns.get(len(asked), [])
            if all(part.startswith("{") or part == one for part, one in zip(parts, asked, strict=True))
        ]
        return max(fitting)[1] if fitting else None

    def _of(self, pattern: str) -> OpenAPI:
        # One path a description: openapi-core looks through all of them for every request, and there are 800.
        if pattern not in self._openapi:
            kept = {**self._document, "paths": {pattern: self._document["paths"][pattern]}}
            self._openapi[pattern] = OpenAPI.from_dict(kept, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]
        return self._openapi[pattern]

    def _graphql(self, exchange: Exchange) -> Iterator[str]:
        if exchange.method != "POST" or set(exchange.body) - {"query", "variables", "operationName"}:
            yield "a GraphQL request is a POST of query and variables"
            return
        document = graphql.parse(exchange.body["query"])
        for error in graphql.validate(self._schema, document):
            yield f"the query: {error.message}"
        [operation] = document.definitions
        assert isinstance(operation, graphql.OperationDefinitionNode)
        declared = operation.variable_definitions or ()
        given = get_variable_values(self._schema, declared, exchange.body.get("variables", {}))
        if isinstance(given, list):
            yield from (f"the variables: {error.message}" for error in given)
        answer = exchange.answer
        if exchange.outside or exchange.status != 200:
            return
        if set(answer) - {"data", "errors", "extensions"} or not set(answer) & {"data", "errors"}:
            yield "an answer has data, errors, or both"
        if answer.get("data") is not None and not answer.get("errors"):
            # What GitHub's schema makes of the same values: names, kinds and nothing beside what was asked for.
            made = graphql.execute_sync(
                self._schema, document, answer["data"], variable_values=exchange.body["variables"]
            )
            if made.errors or made.data != answer["data"]:
                yield f"the answer is not of the shape asked for: {made.errors or made.data}"
        yield from (f"an error without a message: {one}" for one in answer.get("errors", []) if "message" not in one)


def _told(error: BaseException) -> str:
    """An error of openapi-core with what stands behind it."""
    cause = error.__cause__
    inner = getattr(cause, "schema_errors", None) or getattr(error, "schema_errors", None) or ()
    told = [f"{'.'.join(str(part) for part in one.absolute_path) or 'it'}: {one.message[:200]}" for one in inner]
    return "; ".join(told[:5]) or f"{error} {cause or ''}"[:500]


@functools.cache
def published() -> Published:
    """GitHub's descriptions, fetched once a machine and read once a process.

    Raises:
        UnavailableError: there is no npm here, or no registry.
    """
    return Published(tools.openapi_description(), tools.graphql_schema())


def problems_of(exchanges: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with exchanges as the test bed's front keeps them."""
    return [problem for one in exchanges for problem in published().problems(Exchange(**one))]
