"""Runs gates so that each leaves a verdict whatever happens, prints the verdicts, ends with the right status."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_gate import __version__
from release_gate.commands.boundary import refused
from release_gate.commands.context import Context, Place, configured, place
from release_gate.files import write_whole
from release_gate.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from release_gate.config import ModelConfig

SUMMARISED = ("publish-artifact", "deploy", "rollback")
"""Gates that no report follows: each writes its own part of the job's summary."""

Gate = Callable[[Context, "ModelConfig", Place], Verdict]


@dataclass(frozen=True)
class Asked:
    """The options every gate takes, as they were given."""

    config: str | None = None
    model: str | None = None
    run: str | None = None
    format: str = "text"
    out: str | None = None


def judged(context: Context, gate: str, model: str, judge: Callable[[], Verdict]) -> tuple[Verdict, int]:
    """A gate's verdict, stamped with time and tool, and its exit code; a refusal becomes a verdict `error`."""
    started, began = context.clock.now(), context.clock.monotonic()
    try:
        verdict = judge()
        code = verdict.outcome.exit_code
    except Exception as error:  # noqa: BLE001 - the other gates go on, and this one must say why it did not judge
        if click.get_current_context().meta.get("debug"):
            traceback.print_exception(error)
        refusal = refused(error)
        verdict = Verdict(
            gate=gate, model=model, outcome=Outcome.ERROR, findings=list(refusal.findings), started=started
        )
        code = refusal.exit_code
    except BaseException as end:
        end.add_note(f"{gate} of {model}" if model != "-" else gate)  # for the one who says that we were interrupted
        raise
    seconds = round(context.clock.monotonic() - began, 3)
    stamp = {"started": started, "seconds": seconds, "tool": f"release-gate {__version__}"}
    return verdict.model_copy(update=stamp), code


def run_gate(context: Context, asked: Asked, name: str, gate: Gate) -> None:
    """Judge every configured model that was asked for; keep, print and end with the worst exit code.

    Raises:
        BadInput: the configuration itself can't be used: then there is no model to judge.
    """
    config, root = configured(context, asked.config)
    models = config.named(asked.model)
    results = [judge_model(context, name, gate, model, place(root, model, asked.run, asked.config)) for model in models]
    finish(asked, results, kept=[place(root, one, asked.run).verdicts / f"{name}.json" for one in models])


def judge_model(context: Context, name: str, gate: Gate, model: ModelConfig, spot: Place) -> tuple[Verdict, int]:
    """One gate on one model: its verdict, kept where the report looks for it, and its exit code."""
    file = spot.verdicts / f"{name}.json"
    # A verdict of an earlier run must not speak for this one if we are killed meanwhile.
    file.unlink(missing_ok=True)
    verdict, code = judged(context, name, model.model, partial(gate, context, model, spot))
    write_whole(file, verdict.to_json())
    return verdict, code


def finish(asked: Asked, results: Sequence[tuple[Verdict, int]], kept: Sequence[Path] = ()) -> None:
    """Print verdicts as asked, write `--out` and the step's outputs, and end with the worst exit code."""
    from release_gate.github.files import OUTPUT, append
    from release_gate.report.escape import output
    from release_gate.report.text import rendered

    context = click.get_current_context().ensure_object(Context)
    paths = [Path(asked.out)] if asked.out else list(kept)
    outcome = Outcome.worst([verdict.outcome for verdict, _ in results])
    written = {"outcome": outcome.value, "verdict": "\n".join(str(path) for path in paths)}
    append(context.environment, OUTPUT, "".join(output(*one, secrets.token_hex(16)) for one in written.items()))

    verdicts = [verdict for verdict, _ in results]
    _summarise(context, verdicts)
    if asked.out:
        write_whole(Path(asked.out), as_json(verdicts))
    if asked.format == "json":
        click.echo(as_json(verdicts).decode(), nl=False)
    elif asked.format == "markdown":
        from release_gate.report.markdown import verdict_markdown

        for verdict in verdicts:
            click.echo(verdict_markdown(verdict))
    else:
        for verdict in verdicts:
            click.echo(rendered(verdict))
    raise SystemExit(worst([code for _, code in results]))


def _summarise(context: Context, verdicts: Sequence[Verdict]) -> None:
    from release_gate.github.files import SUMMARY, append

    own = [verdict for verdict in verdicts if verdict.gate in SUMMARISED]
    if own and context.environment.get(SUMMARY):
        from release_gate.report.markdown import verdict_markdown

        append(context.environment, SUMMARY, "\n".join(verdict_markdown(verdict) for verdict in own) + "\n")


def as_json(verdicts: Sequence[Verdict]) -> bytes:
    """One verdict as an object, several as an array."""
    if len(verdicts) == 1:
        return verdicts[0].to_json()
    return b"[\n" + b",\n".join(verdict.to_json().rstrip() for verdict in verdicts) + b"\n]\n"


def worst(codes: Sequence[int]) -> int:
    """Bad use before fail, fail before could-not-judge, that before inconclusive; nothing judged is 4."""
    return next((code for code in (2, 1, 4, 3, 0) if code in codes), 4)
