"""GitHub's REST API through PyGithub: counted, paged, retried within bounds, refused with a named cause.

PyGithub brings authentication, addresses and its connection; its own retries wait without a bound and sleep on
the machine's clock, so they are off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from github import Auth
from github.GithubException import GithubException
from github.Requester import Requester

from release_gate.edges import Clock
from release_gate.findings import CannotJudge
from release_gate.github import refusals
from release_gate.github.refusals import Call

PAGE = 100
MOST_PAGES = 100
TIMEOUT = 20
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0
"""Seconds a run may spend waiting, all calls together: a job must end, and say why."""


@dataclass
class Api:
    """A repository's API as one identity. `requests` counts every request sent, repeated ones too.

    `patience`: seconds it may wait, all calls together; 0 where something more urgent than GitHub is under way.
    `timeout`: seconds until a connection or an answer counts as lost.
    """

    repository: str
    token: str = field(repr=False)
    clock: Clock
    url: str = "https://api.github.com"
    patience: float = _LONGEST_WAIT
    timeout: int = TIMEOUT
    requests: int = 0
    waited: float = 0.0

    def __post_init__(self) -> None:
        self._requester = Requester(
            auth=Auth.Token(self.token),
            base_url=self.url.rstrip("/"),
            timeout=self.timeout,
            user_agent="release-gate",
            per_page=PAGE,
            verify=True,
            retry=None,
            pool_size=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: object | None = None,
        needs: Sequence[str] = (),
        once: bool = False,
    ) -> Any:
        """The JSON of an answer; `{}` in a path stands for `owner/name`.

        `needs`: the lines of `permissions:` that a refusal names, where the path does not tell. `once`: never sent
        again after a failure of the server, since what failed to answer may have been done.

        Raises:
            PermissionMissing, TokenRefused, RateLimited, NotFound, Unreachable, Unwilling: each names its remedy.
        """
        place = path.replace("{}", f"/repos/{self.repository}", 1)
        _, answer = self._send(Call(method, place, tuple(needs), once), parameters, body)
        return answer

    def pages(
        self,
        path: str,
        key: str | None = None,
        parameters: Mapping[str, str] | None = None,
        needs: Sequence[str] = (),
    ) -> Iterator[Any]:
        """Every item of a list, page after page; `key` names the list where it is wrapped in an object."""
        call = Call("GET", path.replace("{}", f"/repos/{self.repository}", 1), tuple(needs))
        page = 1
        while page <= MOST_PAGES:
            asked = {**(parameters or {}), "per_page": str(PAGE), "page": str(page)}
            headers, answer = self._send(call, asked, None)
            items = answer.get(key) if key and isinstance(answer, dict) else answer
            if not isinstance(items, list):
                raise _strange(call, "a list was expected")
            yield from items
            following = _next_page(headers.get("link", ""))
            if following is None or following <= page:
                return
            page = following

    def graphql(self, query: str, variables: Mapping[str, object], *, needs: Sequence[str]) -> dict[str, Any]:
        """The `data` of an answer to a query or mutation, which is sent once.

        Raises:
            PermissionMissing, TokenRefused, RateLimited, NotFound, Unreachable, Unwilling: also where GitHub refuses
                in an answer with status 200, as GraphQL does.
        """
        call = Call("POST", self._requester.graphql_url, tuple(needs), once=True)
        _, answer = self._send(call, None, {"query": query, "variables": dict(variables)})
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            raise refusals.of_graphql(errors, call.needs)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise _strange(call, "it has neither data nor errors")
        return data

    def _send(
        self, call: Call, parameters: Mapping[str, str] | None, body: object | None
    ) -> tuple[dict[str, str], Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            self.requests += 1
            try:
                status, headers, text = self._requester.requestJson(
                    call.method, call.path, dict(parameters or {}), {"Accept": "application/vnd.github+json"}, body
                )
            except (requests.RequestException, GithubException) as error:
                # A write that got no answer may have been done: repeating it could post twice.
                if last or call.method == "POST" or not self._wait(2.0**attempt):
                    raise _unreachable(call, type(error).__name__) from error
                continue
            if status < 400:
                return headers, _json(call, text)
            pause = self._pause(status, headers, text, attempt)
            if pause is None:
                raise _refusal(call, status, headers, text)
            if last or (call.once and status >= 500) or not self._wait(pause):
                raise _gave_up(call, status, pause, self.patience)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, status: int, headers: Mapping[str, str], text: str, attempt: int) -> float | None:
        """Seconds after which to ask again, or None where that would not help."""
        limited = status == 429 or (
            status == 403
            and (
                "retry-after" in headers
                or headers.get("x-ratelimit-remaining") == "0"
                or "rate limit" in _words(text).lower()
            )
        )
        if limited:
            return self._told(headers) or 15.0 * attempt
        return 2.0**attempt if status in (500, 502, 503, 504) else None

    def _told(self, headers: Mapping[str, str]) -> float | None:
        after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
        if after.isascii() and after.isdigit():
            return float(after) + 0.5
        if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
            return max(1.0, float(reset) - self.clock.now().timestamp() + 1.0)
        return None

    def _wait(self, seconds: float) -> bool:
        if self.waited + seconds > self.patience:
            return False
        self.waited += seconds
        self.clock.sleep(seconds)
        return True


def _next_page(link: str) -> int | None:
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            number = parse_qs(urlsplit(address.strip(" <>")).query).get("page", [""])[0]
            return int(number) if number.isascii() and number.isdigit() else None
    return None


def _json(call: Call, text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise _strange(call, "its answer is not JSON") from error


def _words(text: str) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    message = answer.get("message") if isinstance(answer, dict) else None
    return message[:500] if isinstance(message, str) else ""


def _refusal(call: Call, status: int, headers: Mapping[str, str], text: str) -> CannotJudge:
    words = _words(text) or "without a reason"
    if status == 401:
        return refusals.TokenRefused.because("github-token", f"GitHub refused {call}: {words}")
    if status == 403:
        return refusals.missing_permission(call, headers, words)
    if status == 404:
        lines = refusals.permissions(call, headers)
        return refusals.NotFound.because(
            "github-not-found",
            f"GitHub does not find {call}",
            remedy=f"Check that it exists; a private repository also answers so to a job without `{lines[0]}`.",
        )
    return refusals.Unwilling.because("github-refused", f"GitHub answered {call} with {status}: {words}")


def _gave_up(call: Call, status: int, pause: float, patience: float) -> CannotJudge:
    if status >= 500:
        return _unreachable(call, f"status {status}")
    return refusals.RateLimited.because(
        "github-rate-limited", f"GitHub wants {call} to wait {pause:.0f} s more; a job waits {patience:.0f} s"
    )


def _unreachable(call: Call, cause: str) -> refusals.Unreachable:
    return refusals.Unreachable.because("github-unreachable", f"no answer to {call}: {cause}")


def _strange(call: Call, cause: str) -> refusals.Unreachable:
    return refusals.Unreachable.because("github-unreachable", f"a strange answer to {call}: {cause}")
