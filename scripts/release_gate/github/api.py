"""GitHub's REST API through PyGithub: counted, paged, retried within bounds, refused with a named cause.

PyGithub brings authentication, addresses and its connection; its own retries wait without a bound and sleep on
the machine's clock, so they are off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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

PAGE = 100
MOST_PAGES = 100
TIMEOUT = 20
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0
"""Seconds a run may spend waiting, all calls together: a job must end, and say why."""


@dataclass
class Api:
    """A repository's API as one identity. `requests` counts every request sent, repeated ones too."""

    repository: str
    token: str = field(repr=False)
    clock: Clock
    url: str = "https://api.github.com"
    requests: int = 0
    waited: float = 0.0

    def __post_init__(self) -> None:
        self._requester = Requester(
            auth=Auth.Token(self.token),
            base_url=self.url.rstrip("/"),
            timeout=TIMEOUT,
            user_agent="release-gate",
            per_page=PAGE,
            verify=True,
            retry=None,
            pool_size=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def ask(
        self, method: str, path: str, *, parameters: Mapping[str, str] | None = None, body: object | None = None
    ) -> Any:
        """The JSON of an answer; `{}` in a path stands for `owner/name`.

        Raises:
            PermissionMissing, TokenRefused, RateLimited, NotFound, Unreachable, Unwilling: each names its remedy.
        """
        _, answer = self._send(method, path.replace("{}", f"/repos/{self.repository}", 1), parameters, body)
        return answer

    def pages(self, path: str, key: str | None = None, parameters: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Every item of a list, page after page; `key` names the list where it is wrapped in an object."""
        place = path.replace("{}", f"/repos/{self.repository}", 1)
        page = 1
        while page <= MOST_PAGES:
            asked = {**(parameters or {}), "per_page": str(PAGE), "page": str(page)}
            headers, answer = self._send("GET", place, asked, None)
            items = answer.get(key) if key and isinstance(answer, dict) else answer
            if not isinstance(items, list):
                raise _strange("GET", place, "a list was expected")
            yield from items
            following = _next_page(headers.get("link", ""))
            if following is None or following <= page:
                return
            page = following

    def _send(
        self, method: str, path: str, parameters: Mapping[str, str] | None, body: object | None
    ) -> tuple[dict[str, str], Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            self.requests += 1
            try:
                status, headers, text = self._requester.requestJson(
                    method, path, dict(parameters or {}), {"Accept": "application/vnd.github+json"}, body
                )
            except (requests.RequestException, GithubException) as error:
                # A write that got no answer may have been done: repeating it could post twice.
                if last or method == "POST" or not self._wait(2.0**attempt):
                    raise _unreachable(method, path, type(error).__name__) from error
                continue
            if status < 400:
                return headers, _json(method, path, text)
            pause = self._pause(status, headers, text, attempt)
            if pause is None:
                raise _refusal(method, path, status, headers, text)
            if last or not self._wait(pause):
                raise _gave_up(method, path, status, pause)
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
        if self.waited + seconds > _LONGEST_WAIT:
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


def _json(method: str, path: str, text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise _strange(method, path, "its answer is not JSON") from error


def _words(text: str) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    message = answer.get("message") if isinstance(answer, dict) else None
    return message[:500] if isinstance(message, str) else ""


def _refusal(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> CannotJudge:
    words = _words(text) or "without a reason"
    if status == 401:
        return refusals.TokenRefused.because("github-token", f"GitHub refused {method} {path}: {words}")
    if status == 403:
        return refusals.missing_permission(method, path, headers, words)
    if status == 404:
        line = refusals.permission(method, path, headers)
        return refusals.NotFound.because(
            "github-not-found",
            f"GitHub does not find {method} {path}",
            remedy=f"Check that it exists; a private repository also answers so to a job without `{line}`.",
        )
    return refusals.Unwilling.because("github-refused", f"GitHub answered {method} {path} with {status}: {words}")


def _gave_up(method: str, path: str, status: int, pause: float) -> CannotJudge:
    if status >= 500:
        return _unreachable(method, path, f"status {status}")
    return refusals.RateLimited.because(
        "github-rate-limited",
        f"GitHub wants {method} {path} to wait {pause:.0f} s more; a job waits {_LONGEST_WAIT:.0f} s",
    )


def _unreachable(method: str, path: str, cause: str) -> refusals.Unreachable:
    return refusals.Unreachable.because("github-unreachable", f"no answer to {method} {path}: {cause}")


def _strange(method: str, path: str, cause: str) -> refusals.Unreachable:
    return refusals.Unreachable.because("github-unreachable", f"a strange answer to {method} {path}: {cause}")
