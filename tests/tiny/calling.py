"""Calls a command in this process, as the command line would, on a project."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import requests

from release_gate.caller.processes import Processes
from release_gate.cli import SystemClock
from release_gate.commands.context import Context
from release_gate.edges import Session
from release_gate.findings import Refused
from release_gate.verdict import Verdict
from tests.tiny.project import Project

if TYPE_CHECKING:
    import click
    import pytest


@dataclass(frozen=True)
class Said:
    """How a command ended: exit code, output, and the verdict it kept."""

    code: int
    text: str
    verdict: Verdict | None

    @property
    def codes(self) -> list[str]:
        """The codes of errors, in order."""
        assert self.verdict is not None
        return [found.code for found in self.verdict.findings if found.severity.value == "error"]

    @property
    def notes(self) -> list[str]:
        """The codes of everything that is no error."""
        assert self.verdict is not None
        return [found.code for found in self.verdict.findings if found.severity.value != "error"]

    @property
    def message(self) -> str:
        """The messages of all findings."""
        assert self.verdict is not None
        return "\n".join(found.message for found in self.verdict.findings)


def context(project: Project, *, session: Session | None = None, **environment: str) -> Context:
    """Real edges; `session` may stand in for the network."""
    known = {**project.environ, **environment}
    return Context(
        clock=SystemClock(),
        runner=lambda: Processes(known),
        session=lambda: session or cast("Session", requests.Session()),
        environment=known,
        home=project.root,
    )


def call(
    project: Project,
    capsys: pytest.CaptureFixture[str],
    name: str,
    *words: str,
    session: Session | None = None,
    **environment: str,
) -> Said:
    """Run a command to its end."""
    command: click.Command = importlib.import_module(f"release_gate.commands.{name.replace('-', '_')}").command
    capsys.readouterr()
    code = 0
    try:
        command.main(list(words), obj=context(project, session=session, **environment), standalone_mode=False)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except Refused as refusal:
        code = refusal.exit_code
        print("\n".join(f"{found.code}: {found.message}" for found in refusal.findings))
    kept = project.verdicts / f"{name}.json"
    return Said(code, capsys.readouterr().out, Verdict.parse(kept.read_bytes()) if kept.exists() else None)
