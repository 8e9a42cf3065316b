"""The environment's page on GitHub: what serves, what is on its way, what was taken back, from the ledger's events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from release_gate.commands.release_view import TRAFFIC, commit_of
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.state import State

if TYPE_CHECKING:
    from release_gate.config import ModelConfig
    from release_gate.github import deployments
    from release_gate.github.api import Api


class Page:
    """One model's deployments as one command tells them; each state once."""

    def __init__(self, api: Api, model: ModelConfig, run: str | None) -> None:
        self._api, self._model, self._run = api, model, run
        self._known: dict[int, int] = {}
        self._told: dict[int, tuple[deployments.Sent, str]] = {}

    def bring(self, events: Sequence[Event], state: State) -> None:
        """Bring the page up to the last event that concerns the traffic."""
        from release_gate.github import deployments

        last = next((one for one in reversed(events) if one.kind in TRAFFIC), None)
        commit = commit_of(events, last.package) if last is not None else None
        if last is None or last.package is None or commit is None:
            return
        begun = _begun(events, last)
        sent = _sent(last, begun)
        if self._told.get(begun.sequence) == sent:
            return
        rollout = self._model.rollout
        environment = self._model.model if rollout is None else rollout.environment
        if begun.sequence not in self._known:
            replaced = begun.replaces or _replaced(begun, state)
            self._known[begun.sequence] = deployments.begin(
                self._api,
                ref=commit,
                task="rollback" if begun.kind == "rolled-back" else "deploy",
                environment=environment,
                payload=deployments.Payload(self._model.model, last.package, begun.sequence, replaced),
                description=f"{self._model.model} {last.package.removeprefix('sha256:')[:12]}",
            )
        identity, (what, words) = self._known[begun.sequence], sent
        address = rollout.url if rollout is not None else None
        deployments.tell(
            self._api,
            identity,
            what,
            log_url=self._run,
            environment_url=address,
            description=words,
            look=begun.sequence not in self._told,
        )
        self._told[begun.sequence] = sent
        if what == "success":
            name = self._model.model
            deployments.retire(
                self._api, environment=environment, model=name, keep=identity, description="another version serves"
            )


def _begun(events: Sequence[Event], last: Event) -> Event:
    """The event a deployment is known by: of a rollout its first one, of a rollback the rollback.

    A rollback that was only proven again is the one before.
    """
    if last.kind != "rolled-back":
        return next((one for one in reversed(events) if one.kind == "deployed" and one.package == last.package), last)
    begun = last
    for event in reversed(events):
        if event.kind in TRAFFIC:
            if event.kind != "rolled-back" or event.package != last.package:
                break
            begun = event
            if event.replaces is not None:
                break
    return begun


def _replaced(begun: Event, state: State) -> str | None:
    other = state.previous if state.production == begun.package else state.production
    return other if other != begun.package else None


def _sent(last: Event, begun: Event) -> tuple[deployments.Sent, str]:
    if last.kind == "promoted":
        return "success", "serves all traffic"
    if last.kind == "rolled-back":
        return "success", f"restored: {begun.because}"
    if last.kind in ("taking-back", "taken-back"):
        return "failure", f"taken back: {last.because}"
    # The same through all steps: how far it is stands in the pull request, and each state takes a request.
    return "in_progress", "rolled out step by step, watched"
