"""Tells GitHub what the ledger says: deployment, comment on the pull request, revert. A mirror, never the truth.

What is owed stands in the ledger, so that a run that was killed, or one that GitHub refused, leaves it to the next.
Everything is made from the ledger's events, whoever tells it and however late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context
from release_gate.findings import Refused, finding
from release_gate.lifecycle.events import Draft, Event
from release_gate.lifecycle.state import fold
from release_gate.verdict import Finding, Severity

if TYPE_CHECKING:
    from release_gate.commands.deployment import Page
    from release_gate.commands.hands import Looks
    from release_gate.config import ModelConfig
    from release_gate.github.api import Api
    from release_gate.github.merged import Merged
    from release_gate.lifecycle.state import State
    from release_gate.registry.ledger import Ledger
    from release_gate.report.release import Release

PATIENCE = 20.0
"""Seconds that all of it may wait for GitHub once traffic is safe: what does not get through is owed."""
TIMEOUT = 10
"""Seconds for an answer."""
ANOTHER = 60.0
"""Seconds for which the telling is left to the run that recorded what happened."""


def mirrored(context: Context) -> bool:
    """Whether there is a GitHub to be told."""
    return bool(context.environment.get("GITHUB_REPOSITORY"))


@dataclass
class Told:
    """What was told, and what stands in the way of the rest."""

    done: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    revert: tuple[int, str] | None = None
    reverting: bool = False
    commands: tuple[str, ...] = ()


class Telling:
    """GitHub as one command tells it: what was asked or written once is remembered, and not asked again."""

    def __init__(
        self, context: Context, model: ModelConfig, ledger: Ledger, looks: Looks, *, timeout: int = TIMEOUT
    ) -> None:
        """`timeout`: seconds after which one request counts as not answered."""
        from release_gate.commands.publish_artifact import actor, run_url

        self._context, self._model, self._ledger, self._looks = context, model, ledger, looks
        self._timeout = timeout
        self._actor, self._run = actor(context), run_url(context)
        self._brought: dict[str, tuple[Merged, ...]] = {}
        self._comments: dict[int, tuple[int, str]] = {}

    def settle(self, findings: list[Finding], *, patience: float = PATIENCE) -> None:
        """Do what is owed, and record what was done; what fails stays owed and is said as a warning.

        `patience`: seconds that it may wait for a GitHub that does not answer.

        Raises:
            CannotJudge: the ledger can't be reached.
        """
        events, state = self._read()
        if not state.owed or self._another(events):
            return
        if self._api is None:
            message = f"{', '.join(state.owed)}: there is no GitHub token or repository in the environment"
            remedy = "Pass GITHUB_TOKEN and GITHUB_REPOSITORY to the next run, which tells it."
            findings.append(finding("owed", message, remedy=remedy))
            return
        self._api.patience = self._api.waited + patience
        told = self._tell(self._api, state.owed)
        findings.extend(told.findings)

        def decide(now: Sequence[Event]) -> Draft | None:
            # Of a later event others know what is owed since then.
            if _owing(now) != _owing(events) or not told.done:
                return None
            rest = tuple(one for one in state.owed if one not in told.done)
            at = self._context.clock.now()
            return Draft(at=at, actor=self._actor, run=self._run, kind="settled", owed=rest)

        self._ledger.append(decide)

    def follow(self, *wanted: str) -> None:
        """Tell how a release goes on; nothing waits for GitHub, and nothing is owed: the next step tells more."""
        if self._api is None:
            return
        self._api.patience = 0.0
        for one in self._tell(self._api, wanted or ("deployment", "comment"), give_up=True).findings:
            click.echo(one.message, err=True)

    def _tell(self, api: Api, wanted: Sequence[str], *, give_up: bool = False) -> Told:
        """Have each effect, one failing without the others; `give_up`: unless GitHub does not answer at all."""
        from release_gate.github.refusals import RateLimited, Unreachable

        told = Told()
        silent: Refused | None = None
        effects: dict[str, Callable[[], None]] = {
            # The revert first: the comment names it.
            "revert": lambda: self._revert(api, told),
            "deployment": self._deployment,
            "comment": lambda: self._comment(api, told, settling=not give_up),
        }
        for name, effect in effects.items():
            if name not in wanted:
                continue
            if silent is not None:  # each of the others would wait as long, and hear as little
                told.findings.append(finding("owed", f"{name}: not asked for, after {silent}"))
                continue
            try:
                effect()
            except Refused as refusal:
                told.findings.append(finding("owed", f"{name}: {refusal}", remedy=refusal.findings[0].remedy))
                if give_up and isinstance(refusal, RateLimited | Unreachable):
                    break
                silent = refusal if isinstance(refusal, Unreachable) else None
            else:
                told.done.add(name)
        if told.reverting:
            told.done.discard("revert")
        told.done |= set(wanted) - set(effects)
        return told

    def _another(self, events: Sequence[Event]) -> bool:
        """Whether another run recorded this a moment ago, and tells it itself."""
        recorded = next((one for one in reversed(events) if one.owed is not None), None)
        if recorded is None or recorded.run in (None, self._run):
            return False
        return 0 <= (self._context.clock.now() - recorded.at).total_seconds() < ANOTHER

    def _read(self) -> tuple[list[Event], State]:
        events = self._ledger.read()
        return events, fold(events)

    @cached_property
    def _api(self) -> Api | None:
        from release_gate.github.api import Api

        known = self._context.environment
        token = known.get("INPUT_TOKEN") or known.get("GITHUB_TOKEN")
        repository = known.get("GITHUB_REPOSITORY")
        if not token or not repository:
            return None
        url = known.get("GITHUB_API_URL") or "https://api.github.com"
        return Api(repository, token, self._context.clock, url, patience=PATIENCE, timeout=self._timeout)

    @cached_property
    def _page(self) -> Page:
        from release_gate.commands.deployment import Page

        assert self._api is not None  # noqa: S101 - for the type checker: asked for where there is one
        return Page(self._api, self._model, self._run)

    def _deployment(self) -> None:
        self._page.bring(*self._read())

    def _pulls(self, api: Api, commit: str) -> tuple[Merged, ...]:
        from release_gate.github import merged

        if commit not in self._brought:
            self._brought[commit] = merged.brought(api, commit)
        return self._brought[commit]

    def _comment(self, api: Api, told: Told, *, settling: bool) -> None:
        """The comments on the pull requests that brought the versions, and on the one that reverts."""
        from release_gate.commands.release_view import heard, release_view

        events, state = self._read()
        for digest in heard(events):
            view = release_view(self._model.model, digest, events, self._looks, self._run)
            pulls = self._pulls(api, view.commit) if view.commit else ()
            if settling and pulls and digest in state.blocked and told.revert is None and not told.commands:
                self._known_revert(api, told, pulls[0])
            # What is told by this very run is owed no more.
            owed = tuple(one for one in view.owed if one not in ("comment", *told.done))
            view = replace(view, owed=owed)
            for pull in pulls:
                self._post(api, pull.number, replace(view, revert=told.revert, commands=told.commands))
            if told.revert is not None and pulls and digest in state.blocked:
                self._post(api, told.revert[0], replace(view, brought_by=pulls[0].number))

    def _post(self, api: Api, number: int, view: Release) -> None:
        from release_gate.github import released
        from release_gate.github.marker import ReleaseMarker
        from release_gate.report.release import release_comment

        body = release_comment(view, str(ReleaseMarker(view.model, view.sequence)))
        identity, written = self._comments.get(number, (None, ""))
        if body == written or (identity is not None and released.amend(api, identity, body)):
            known = identity
        else:
            known = released.post(api, number, body).identity
        if known is not None:
            self._comments[number] = known, body

    def _known_revert(self, api: Api, told: Told, pull: Merged) -> None:
        """The revert that an earlier run opened, or a person by the button."""
        from release_gate.github import reverts

        there = reverts.existing(api, pull.number)
        if there is not None and there.state == "open" and there.number is not None and there.url is not None:
            told.revert = (there.number, there.url)

    def _revert(self, api: Api, told: Told) -> None:
        """The pull request that takes the cause out of main, or the commands that do."""
        from release_gate.commands.release_view import at_fault, commit_of
        from release_gate.github import reverts
        from release_gate.github.marker import RevertMarker
        from release_gate.report.revert import Reverted, revert_body, revert_title

        events, state = self._read()
        last, bad = at_fault(events)
        commit = commit_of(events, bad)
        if last is None or bad is None or commit is None:
            return
        pulls = self._pulls(api, commit)
        if not pulls:
            told.commands = reverts.commands_without(commit, self._default_branch(api))
            # A note's remedy is not shown, and here a person has to type it.
            message = f"commit {commit[:12]} came without a pull request"
            none = finding("revert-none", message, severity=Severity.WARNING)
            told.findings.append(_with_commands(none, told.commands))
            return
        pull = pulls[0]
        view = Reverted(
            model=self._model.model,
            digest=bad,
            restored=state.production,
            what="taken-back" if last.kind == "taken-back" else "rolled-back",
            at=last.at,
            number=pull.number,
            url=pull.url,
            title=pull.title,
            by=last.actor if last.kind == "rolled-back" else "",
            because=last.because,
            held=state.hold is not None,
            run_url=self._run,
        )
        body = revert_body(view, str(RevertMarker(pull.number)))
        opened = reverts.open_revert(api, pull, title=revert_title(view), body=body)
        told.findings.append(_with_commands(opened.finding, opened.commands))
        told.reverting = opened.owed
        told.commands = opened.commands
        if opened.number is not None and opened.url is not None and opened.state == "open":
            told.revert = (opened.number, opened.url)

    def _default_branch(self, api: Api) -> str:
        """Where a revert belongs, whichever branch this run was started from."""
        from release_gate.commands.init import branch
        from release_gate.github.event import default_branch

        try:
            payload = Path(self._context.environment.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8")
        except (OSError, ValueError):
            payload = ""
        if known := default_branch(payload):
            return known
        try:
            asked = api.ask("GET", "{}")
        except Refused:
            return branch(self._context.home)
        return (asked.get("default_branch") if isinstance(asked, dict) else None) or branch(self._context.home)


def _with_commands(found: Finding, commands: Sequence[str]) -> Finding:
    """With the commands that its remedy speaks of: who reads a verdict may have no pull request to look at."""
    lines = "".join(f"\n  {line}" for line in commands)
    return found.model_copy(update={"remedy": f"{found.remedy}{lines}"})


def _owing(events: Sequence[Event]) -> int:
    """The number of the latest event that says what is owed."""
    return next((one.sequence for one in reversed(events) if one.owed is not None), 0)
