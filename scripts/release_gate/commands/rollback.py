"""`rollback`: the last known good version serves again, proven by its smoke test, whatever else is broken."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.boundary import refused
from release_gate.commands.context import Context, Place, configured, place
from release_gate.commands.emit import Asked, finish, judged
from release_gate.commands.options import gate_options, option
from release_gate.config import Config, ModelConfig
from release_gate.files import write_whole
from release_gate.findings import BadInput, Refused, finding
from release_gate.names import FILE
from release_gate.serving.standing import CONFIGURATION
from release_gate.verdict import Finding, Subject, Table, Verdict

if TYPE_CHECKING:
    from release_gate.commands.hands import Aside, Hands
    from release_gate.commands.restoring import Told

GATE = "rollback"
PATIENCE, TIMEOUT = 5.0, 3
"""Seconds that GitHub may make a rollback wait, after the traffic is safe, and those of one answer."""


@click.command()
@gate_options
@option("--to", metavar="V", help="`previous`, a digest or its beginning; the last known good when absent.")
@option("--because", metavar="TEXT", default="no reason given", help="Why, for the ledger and the pull request.")
@click.pass_obj
def command(context: Context, /, to: str | None, because: str, **asked: Any) -> None:
    """Return to the last known good version: traffic, smoke test, record, then everything else."""
    options = Asked(**asked)
    config, root, notes = usable(context, options.config, options.model)
    models: Sequence[ModelConfig] = config.named(options.model)
    if len(models) > 1:
        known = ", ".join(model.model for model in models)
        raise BadInput.because("usage", f"several models are configured: name one with --model: {known}")
    if models[0].rollout is None:
        models, notes = _kept(context, models, (root, Path(options.config or FILE).name), notes)
    spot = place(root, models[0], options.run, options.config)
    gate = partial(rolled_back, to=to or None, because=because or "no reason given", notes=notes)
    result = judged(context, GATE, models[0].model, partial(gate, context, models[0], spot))
    file = spot.verdicts / f"{GATE}.json"
    try:
        write_whole(file, result[0].to_json())
    except OSError as error:  # a full disk is no reason not to go back, and none to say that it failed
        click.echo(f"{file} could not be written: {error.strerror}; the verdict stands here only", err=True)
    finish(options, [result], kept=[file])


def usable(context: Context, named: str | None, model: str | None = None) -> tuple[Config, Path, list[Finding]]:
    """The configuration, or the newest that can be used where today's is broken or does not have the model any more.

    Looked for in this order: the file itself; what a target kept of it; the file's own history in git.

    Raises:
        BadInput: as the file's own mistakes, where no other is found either.
    """
    from release_gate.registry.repository import versions_of

    path = (context.home / (named or FILE)).resolve()
    root, today = path.parent, None
    try:
        today, _ = configured(context, named)
        today.named(model)
    except BadInput as refusal:
        broken = refusal
    else:
        return today, root, []
    kept = ((str(file), file.read_bytes()) for file in _copies(context, (root, path.name), today, model))
    earlier = ((f"{FILE} of commit {commit[:12]}", text) for commit, text in versions_of(root, path.name))
    for source, content in (*kept, *earlier):
        config = _readable(content, source)
        if config is not None and (not model or any(one.model == model for one in config.models)):
            message = f"{broken.findings[0]}; used instead: {source}"
            code = "rollback-config-broken" if today is None else "rollback-model-gone"
            return config, root, [finding(code, message)]
    raise broken


def _copies(context: Context, where: tuple[Path, str], today: Config | None, model: str | None) -> list[Path]:
    """The configurations that targets kept, the model's own first, then the newest first."""
    from release_gate.commands.releasing import default_state, state_folder

    root, name = where
    known = [one for one in today.models if one.rollout is not None] if today is not None else []
    folders = {default_state(context, *where), *(state_folder(context, root, one, name).parent for one in known)}
    found = [file for folder in folders for file in folder.glob(f"*/{CONFIGURATION}")]
    return sorted(found, key=lambda file: (file.parent.name != model, -file.stat().st_mtime))


def _kept(
    context: Context, models: Sequence[ModelConfig], where: tuple[Path, str], notes: list[Finding]
) -> tuple[Sequence[ModelConfig], list[Finding]]:
    """A model with the rollout that its target kept, where today's configuration declares none any more."""
    from release_gate.commands.releasing import default_state

    name = models[0].model
    file = default_state(context, *where) / name / CONFIGURATION
    config = _readable(file.read_bytes(), str(file)) if file.is_file() else None
    found = [one for one in config.models if one.model == name and one.rollout is not None] if config else []
    if not found:
        return models, notes
    message = f"{name} declares no `rollout` any more; used instead: {file}"
    return found, [*notes, finding("rollback-config-broken", message)]


def _readable(content: bytes, source: str) -> Config | None:
    from release_gate.config import parsed
    from release_gate.documents import parse

    try:
        return parsed(parse(content, source))
    except BadInput:
        return None


def rolled_back(
    context: Context, model: ModelConfig, place: Place, *, to: str | None, because: str, notes: list[Finding]
) -> Verdict:
    """Roll one model back."""
    from release_gate.commands.outbox import pay
    from release_gate.commands.releasing import hands_for, state_folder
    from release_gate.commands.restoring import restore
    from release_gate.commands.telling import Telling

    started = context.clock.now()
    hands = hands_for(context, model, place.root, config=place.config, restoring=True)
    try:
        unknown = _forgotten(hands, state_folder(context, place.root, model, place.config))
        told = restore(hands, to=_named(hands, to), because=because)
        told.findings[:0] = [*notes, *unknown, *hands.target.problems]
        if told.restored is not None:
            hands.say(f"all traffic goes to {told.restored}")

            def told_all() -> None:
                pay(hands)
                telling = Telling(context, model, hands.ledger, hands.looks, timeout=TIMEOUT)
                telling.settle(told.findings, patience=PATIENCE)

            fed = partial(_fed, context, model, place, told)
            for effect in (partial(hands.afterwards, told.restored), fed, told_all, partial(_let_go, hands, told)):
                # From here on traffic is safe: whatever fails is owed, and fails nothing.
                try:
                    effect()
                except Exception as error:  # noqa: BLE001 - nothing that fails now may make the rollback look failed
                    told.findings.append(finding("owed", str(refused(error))))
        return _concluded(model, told, hands.aside, started)
    finally:
        hands.target.close()


def _forgotten(hands: Hands, folder: Path) -> list[Finding]:
    """Told where the target remembers nothing at all: what serves was begun from another folder, or nothing serves."""
    target = hands.target
    if target.kept() or target.running() or target.problems:
        return []
    with suppress(Refused, OSError):
        if any(one.startswith("sha256:") for one in target.routed()):
            return []
    return [finding("target-forgotten", f"{folder} keeps nothing of any version that serves or served")]


def _fed(context: Context, model: ModelConfig, place: Place, told: Told) -> None:
    """Told where the features that the restored version needs are not promised here any more."""
    from release_gate.commands.fed_features import unfed

    told.findings.extend(unfed(context, model, place, told.restored or "", told.replaced))


def _let_go(hands: Hands, told: Told) -> None:
    """End what takes no traffic any more, where the ledger says what is needed still."""
    if told.state is not None:
        _, state = hands.read()
        hands.let_go(state)


def _named(hands: Hands, version: str | None) -> str | None:
    """The digest of a version that a person named, from the ledger or, without it, from what the target keeps.

    Raises:
        BadInput: `version-unknown`.
    """
    from release_gate.commands.versions import one_of
    from release_gate.findings import Refused

    if version is None:
        return None
    try:
        _, state = hands.read()
        known, good, production = state.registered, state.restorable, state.production
    except (Refused, OSError):
        known = ()
    if not known:
        known = good = tuple(hands.target.kept())
        production = next(iter(known), None)
    if version != "previous":
        return one_of(known, version)
    found = next((one for one in good if one != production), None)
    if found is None:
        message = "there is no version before this one that proved itself and is not blocked"
        raise BadInput.because("version-unknown", message)
    return found


def _concluded(model: ModelConfig, told: Told, aside: Aside, started: Any) -> Verdict:
    findings = [*told.findings, *aside.findings]
    subjects = []
    if told.restored is not None:
        if told.replaced:
            lost = f" instead of {told.replaced}" if told.had else ""
            blocked = f"{told.replaced} is blocked, and releases are held"
            done = finding("rollback-done", f"{told.restored} serves all traffic{lost}; {blocked}")
        else:
            message = f"{told.restored} serves all traffic, as before; nothing went further back"
            done = finding("rollback-done-before", message)
        findings.append(done)
        subjects.append(Subject(kind="production", name=model.model, identity=told.restored))
    tried = [Table(title="Versions tried", columns=["version", "smoke test"], rows=told.tried)] if told.tried else []
    return Verdict(
        gate=GATE,
        model=model.model,
        outcome=told.outcome,
        findings=findings,
        tables=[*tried, *aside.tables],
        subjects=subjects,
        started=started,
    )
