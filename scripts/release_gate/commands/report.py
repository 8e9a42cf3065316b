"""`report`: the verdicts of all gates as one comment, one summary, annotations, and one outcome.

In a workflow started by `workflow_run` (`--workflow-run ID`) the verdicts are a stranger's artifacts, the pull request
is found by what GitHub says of the run, and the configuration is the default branch's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, configured, place
from release_gate.commands.emit import Asked, finish
from release_gate.commands.options import gate_options, option
from release_gate.files import write_whole
from release_gate.findings import BadInput
from release_gate.names import RUN
from release_gate.verdict import Outcome

if TYPE_CHECKING:
    from release_gate.commands.gathering import Gathered
    from release_gate.config import Config, ModelConfig
    from release_gate.gates.overall import Overall
    from release_gate.github.event import Event
    from release_gate.report.page import Origin
    from release_gate.verdict import Finding, Verdict

NOT_RUN = ("action_required", "skipped", "stale")
"""How a run ends that never began: there is nothing to report."""


@dataclass(frozen=True)
class Desk:
    """All that a report is made from but the verdicts; paths count from `root`, where release-gate.yml stands."""

    context: Context
    asked: Asked
    config: Config
    root: Path
    event: Event | None = None
    comment_file: str | None = None

    @property
    def models(self) -> tuple[ModelConfig, ...]:
        """The models to report on."""
        return self.config.named(self.asked.model)

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.root / (self.asked.run or RUN)

    @property
    def folder(self) -> str:
        """The way from the repository's top to `root`, from which findings' files count."""
        top = Path(self.context.environment.get("GITHUB_WORKSPACE") or self.root).resolve()
        inside = self.root != top and self.root.is_relative_to(top)
        return self.root.relative_to(top).as_posix() if inside else ""


@click.command()
@gate_options
@option("--from", "from_", metavar="NAME=DIR", multiple=True, help="Verdicts of another job: build=DIR or judge=DIR.")
@option(
    "--result", metavar="NAME=END", multiple=True, help="How another job ended, such as build=failure: no pass then."
)
@option("--workflow-run", metavar="ID", help="Report a finished run's artifacts (in a workflow_run workflow).")
@option("--comment/--no-comment", default=True, help="Post the comment, where there is a pull request and a token.")
@option("--comment-file", metavar="FILE", help="Write the comment here; the run folder's comment.md when absent.")
@option("--token", metavar="TOKEN", help="Token that writes the comment; GITHUB_TOKEN when absent.", show_default=False)
@click.pass_obj
def command(context: Context, /, from_: tuple[str, ...], result: tuple[str, ...], **given: Any) -> None:
    """Verdicts into one comment, summary, annotations, outcome."""
    from release_gate.commands import gathering, posting
    from release_gate.findings import BadInput

    followed, wanted, file = given.pop("workflow_run"), given.pop("comment"), given.pop("comment_file")
    token = given.pop("token") or context.environment.get("GITHUB_TOKEN") or None
    asked = Asked(**given)
    config, root = configured(context, asked.config)
    if followed:
        event = posting.event_of(context)
        follow(Desk(context, asked, config, root, event, file), followed, token)
        return
    event, told = None, []
    try:
        event = posting.event_of(context)
    except BadInput as refusal:  # whatever the event is, what was judged stands
        told = posting.as_warnings(refusal)
    desk = Desk(context, asked, config, root, event, file)
    ended = gathering.results(result)
    gathered = _gathered(desk, from_)
    overalls = _judged(desk, gathered)
    if troubled := [f"the job {name} ended with {end}" for name, end in ended.items() if end != "success"]:
        overalls = _doubted(desk, gathered, overalls, ", ".join(troubled))
    bodies = _written(desk, overalls)
    if event is not None and wanted:
        told += posting.post(context, event, token, bodies)
    _end(desk, overalls, told)


def conclude(context: Context, asked: Asked, *, bad_use: frozenset[str] = frozenset()) -> None:
    """The report on the run folder of this machine, posted nowhere: how `check` ends.

    `bad_use`: the gates that were given something wrong; where nothing failed, that is the exit code, as it is theirs.
    """
    config, root = configured(context, asked.config)
    desk = Desk(context, asked, config, root)
    overalls = _judged(desk, _gathered(desk, ()))
    _written(desk, overalls)
    wrong = any(one.outcome is Outcome.ERROR and bad_use - one.waiting for one in overalls)
    failed = any(one.outcome is Outcome.FAIL for one in overalls)
    _end(desk, overalls, [], BadInput.exit_code if wrong and not failed else None)


def follow(desk: Desk, run: str, token: str | None) -> None:
    """Report the run that started this `workflow_run`; ends with 0 once the comment is right, whatever it says.

    Raises:
        BadInput: not in such a workflow, or no token.
        CannotJudge: GitHub could not be asked.
    """
    from release_gate.commands import gathering, posting
    from release_gate.findings import BadInput
    from release_gate.github.pull_request import find

    event = desk.event
    if event is None or event.name != "workflow_run" or str(event.run.identity) != run:
        raise BadInput.because("usage", f"--workflow-run {run}: this workflow was not started by the end of that run")
    if not token:
        raise BadInput.because("usage", "--workflow-run needs a token: --token or GITHUB_TOKEN")
    if event.of != "pull_request" or event.conclusion in NOT_RUN:
        _nothing(f"the run of {event.of} ended with {event.conclusion}: there is nothing to comment on")
        return
    api = posting.api_of(desk.context, event, token)
    number = find(api, event.head)
    if number is None:
        _nothing("no open pull request has the head of this run (any more)", "pull-request-unknown")
        return
    gathered = gathering.Gathered()
    gathering.from_run(gathered, api, desk.context.session(), event.run, desk.asked.model, config=desk.asked.config)
    overalls = _judged(desk, gathered)
    if event.conclusion != "success":
        overalls = _doubted(desk, gathered, overalls, f"the run ended with {event.conclusion}")
    told = posting.post_for(api, event, number, _written(desk, overalls))
    _end(desk, overalls, told, status=0)


def _doubted(desk: Desk, gathered: Gathered, overalls: list[Overall], ended: str) -> list[Overall]:
    """The same where anything blocks already; an error where all verdicts pass and yet not all went well."""
    from release_gate.findings import finding

    if any(one.outcome.exit_code for one in overalls):
        return overalls
    gathered.findings.append(finding("verdict-run-disagrees", f"{ended}, though every verdict passes"))
    return _judged(desk, gathered)


def _nothing(why: str, code: str = "comment-none") -> None:
    from release_gate.findings import finding
    from release_gate.report.text import finding_lines

    click.echo("\n".join(finding_lines(finding(code, why))))


def _gathered(desk: Desk, given: Sequence[str]) -> Gathered:
    from release_gate.commands import gathering

    gathered = gathering.Gathered()
    for name, folder in gathering.sources(given, desk.context.home).items():
        gathering.from_folder(gathered, folder, name)
    if not given:
        for model in desk.models:
            gathering.from_folder(gathered, place(desk.root, model, desk.asked.run).run.parent, None, [model.model])
    return gathered


def _judged(desk: Desk, gathered: Gathered) -> list[Overall]:
    from release_gate.findings import finding
    from release_gate.gates.overall import judge, required, stricter

    found = [*gathered.findings, *gathered.foreign(model.model for model in desk.config.models)]
    base = _base(desk)
    if base is not None:
        names = {model.model for model in desk.config.models}
        gone = [one.model for one in base.models if one.model not in names]
        found += [finding("model-gone", f"{name} stands in {base.file} and no longer here") for name in gone]
    demanded = {one.model: required(one) for one in base.models} if base else {}
    return [
        judge(
            one.model, stricter(required(one), demanded.get(one.model, {})), gathered.handed.get(one.model, []), found
        )
        for one in desk.models
    ]


def _base(desk: Desk) -> Config | None:
    """The base's configuration; in a run of `workflow_run` ours is the base's already."""
    from release_gate.commands.base_config import base_config

    return base_config(desk.context, desk.root / Path(desk.config.file).name)[0]


def _written(desk: Desk, overalls: list[Overall]) -> list[str]:
    """The comments, each also written to a file."""
    from release_gate.github.marker import Marker
    from release_gate.report.comment import comment

    bodies = []
    for overall in overalls:
        event, path = desk.event, desk.run / overall.model / "comment.md"
        marker = str(Marker(overall.model, event.head.sha, event.run.order)) if event else ""
        if desk.comment_file:
            path = desk.context.home / desk.comment_file
            path = path if len(overalls) == 1 else path.with_suffix(f".{overall.model}{path.suffix}")
        bodies.append(comment(overall, _origin(desk), marker))
        write_whole(path, bodies[-1].encode())
    return bodies


def _origin(desk: Desk) -> Origin:
    from urllib.parse import quote

    from release_gate.report.page import Origin

    event = desk.event
    if event is None:
        return Origin()
    server = event.run.url.split(f"/{event.repository}/", 1)[0]
    folder = f"/{quote(desk.folder)}" if desk.folder else ""
    files = f"{server}/{event.repository}/blob/{event.head.sha}{folder}"
    return Origin(event.head.sha, event.run.url, None if event.fork else files)


def _end(desk: Desk, overalls: list[Overall], told: list[Finding], status: int | None = None) -> None:
    """Summary, annotations, and the report's own verdict of each model; ends with the worst exit code."""
    from release_gate.github.files import SUMMARY, append
    from release_gate.report.annotations import commands
    from release_gate.report.summary import summary

    text = summary(overalls, _origin(desk))
    write_whole(desk.run / "summary.md", text.encode())
    append(desk.context.environment, SUMMARY, text)
    if desk.context.on_github:
        for line in commands(overalls, desk.folder):
            click.echo(line, err=True)
    verdicts = [_as_verdict(desk, overall, told if index == 0 else []) for index, overall in enumerate(overalls)]
    try:
        finish(desk.asked, [(one, one.outcome.exit_code if status is None else status) for one in verdicts])
    finally:
        if desk.asked.format == "text":
            for overall in overalls:
                click.echo(_last_lines(desk, overall))


def _last_lines(desk: Desk, overall: Overall) -> str:
    from release_gate.report.text import decision

    comment = desk.run / overall.model / "comment.md"
    return decision(overall, os.path.relpath(comment, desk.context.home) if comment.is_file() else None)


def _as_verdict(desk: Desk, overall: Overall, told: list[Finding]) -> Verdict:
    from release_gate import __version__
    from release_gate.verdict import Scalar, Table, Verdict

    rows: list[list[Scalar]] = [
        [one.gate, one.outcome.value, len(one.findings), round(one.seconds, 1)] for one in overall.verdicts
    ]
    rows += [[gate, "no verdict", None, None] for gate in overall.missing]
    return Verdict(
        gate="report",
        model=overall.model,
        outcome=overall.outcome,
        findings=[*overall.findings, *told],
        tables=[Table(title="Gates", columns=["gate", "outcome", "findings", "seconds"], rows=rows)],
        subjects=list({one: None for verdict in overall.verdicts for one in verdict.subjects})[:500],
        started=min((verdict.started for verdict in overall.verdicts), default=desk.context.clock.now()),
        seconds=sum(verdict.seconds for verdict in overall.verdicts),
        tool=f"release-gate {__version__}",
    )
