"""`transform-tests`: runs the caller's feature tests and compares its training and serving transforms."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.names import RUN
from release_gate.verdict import Outcome, Subject, Verdict

if TYPE_CHECKING:
    from release_gate.caller.environments import Environment
    from release_gate.change_kinds import ContractChanges
    from release_gate.config import Transforms

NAME = "transform-tests"
DECIDED = ("features", "tests", "coverage", "limit")
"""Options that stand for keys under `transforms`."""


@click.command()
@gate_options
@option(
    "--training",
    metavar="MODULE:FUNCTION",
    help="Features of a table of raw rows; with it, release-gate.yml is not read.",
)
@option("--serving", metavar="MODULE:FUNCTION", help="The same features of one request.")
@option("--data", metavar="FILE", help="Parquet or CSV file of raw rows to compare both on.")
@option("--contract", metavar="FILE", help="Contract of the raw rows; with it, both are tried on rows at its edges.")
@option("--features", metavar="FILE", help="Contract that the features of both sides must keep.")
@option("--tests", metavar="PATH", multiple=True, help="File or folder that pytest collects; tests when absent.")
@option("--coverage", metavar="SHARE", help="Least branch coverage of the transforms' files; 90% when absent.")
@option("--limit", metavar="DURATION", help="Time after which the tests are ended; 10m when absent.")
@option("--python", metavar="FILE", help="Python of the environment to use; made from the lock file when absent.")
@click.pass_obj
def command(context: Context, /, **options: Any) -> None:
    """Do feature tests pass, and training and serving agree?"""
    own = {name: options.pop(name) for name in ("training", "serving", "data", "contract", *DECIDED)}
    python = Path(context.home / options.pop("python")) if options.get("python") else None
    options.pop("python", None)
    asked = Asked(**options)
    if own["training"] is None and own["serving"] is None and own["data"] is None:
        _refuse_alone(own)
        run_gate(context, asked, NAME, lambda *each: gate(*each, python=python))
        return
    model = asked.model or "-"
    spot = Place(root=context.home, run=context.home / (asked.run or RUN))
    finish(asked, [judged(context, NAME, model, lambda: _alone(context, model, spot, own, python))])


def _refuse_alone(own: dict[str, Any]) -> None:
    """Options that the configuration decides mean nothing without a transform given beside them."""
    from release_gate.findings import BadInput

    given = [f"--{name}" for name in ("contract", *DECIDED) if own[name]]
    if given:
        raise BadInput.because("usage", f"{', '.join(given)} belong to the form with --training, --serving and --data")


def _alone(context: Context, model: str, spot: Place, own: dict[str, Any], python: Path | None) -> Verdict:
    from release_gate.config import Transforms
    from release_gate.documents import Document, validated
    from release_gate.findings import BadInput

    lacking = [f"--{name}" for name in ("training", "serving", "data") if own[name] is None]
    if lacking:
        raise BadInput.because("usage", f"{', '.join(lacking)} must be given too")
    names = ("training", "serving", "features", "coverage", "limit")
    given = {name: own[name] for name in names if own[name] is not None}
    if own["tests"]:
        given["tests"] = list(own["tests"])
    transforms = validated(Document("command line", given), Transforms)
    environment = _environment(context, spot.root, None, python)
    contract = own["contract"]
    if contract is not None:
        _existing(spot.root, contract)
    return _judged(context, model, spot, transforms, data=own["data"], contract=contract, environment=environment)


def gate(context: Context, model: ModelConfig, place: Place, *, python: Path | None = None) -> Verdict:
    """Gather tests, coverage and the comparison in the caller's environment, then judge.

    Raises:
        BadInput: no lock file, no data.
        CannotJudge: the environment could not be made.
    """
    from release_gate.gates.transform_tests import absent

    if model.transforms is None:
        note = absent(model.model)
        return Verdict(
            gate=NAME, model=model.model, outcome=Outcome.SKIPPED, findings=[note], started=context.clock.now()
        )
    contract, data = next(iter(model.contracts.items()))
    environment = _environment(context, place.root, model.candidate.lock, python)
    rules = model.contract_changes
    return _judged(
        context,
        model.model,
        place,
        model.transforms,
        data=data,
        contract=contract,
        environment=environment,
        rules=rules,
    )


def _environment(context: Context, root: Path, lock: str | None, python: Path | None) -> Environment:
    from release_gate.caller.environments import development_environment, find_lock, given_environment

    if python is not None:
        return given_environment(python, root)
    return development_environment(root, find_lock(root, lock), context.runner(), version=context.python)


def _judged(
    context: Context,
    model: str,
    spot: Place,
    transforms: Transforms,
    *,
    data: str,
    contract: str | None = None,
    environment: Environment,
    rules: ContractChanges | None = None,
) -> Verdict:
    from release_gate.caller.agreement import compared
    from release_gate.commands.feature_contract import kept, promised
    from release_gate.commands.transform_checks import Checks
    from release_gate.files import make_folder
    from release_gate.gates.transform_agreement import following, without_values
    from release_gate.gates.transform_tests import judge

    root, outputs = spot.root, spot.run / "features"
    source = _existing(root, data)
    for path in (*transforms.tests, *([transforms.features] if transforms.features else [])):
        _existing(root, path)
    runner = context.runner()
    promise = promised(root, transforms.features) if transforms.features is not None else None
    shutil.rmtree(outputs, ignore_errors=True)  # what an earlier run left must not speak for this one
    make_folder(outputs)
    checks = Checks(transforms, root, environment, runner)
    texts = checks.texts(contract, source) if contract is not None else ()
    agreement = compared(
        transforms, source, root=root, environment=environment, runner=runner, texts=texts, outputs=outputs
    )  # fmt: skip
    files = [Path(file) for file in agreement.files if file is not None]
    tests, parts = checks.tested(files)
    if contract is not None and not agreement.missing:
        tried, differing = checks.fuzzed(contract, source), {one.column for one in agreement.disagreements}
        parts.append(replace(tried, findings=tuple(following(one, differing) for one in tried.findings)))
    if promise is not None:
        parts.append(kept(context, root, promise, agreement, outputs, rules=rules))
        agreement = without_values(agreement, promise.contract.sensitive)
    return judge(
        tests,
        agreement,
        model=model,
        floor=transforms.coverage,
        data=data,
        subjects=_subjects(root, files, source, data),
        started=context.clock.now(),
        parts=parts,
    )


def _existing(root: Path, path: str) -> Path:
    from release_gate.findings import BadInput
    from release_gate.verdict import Where

    found = root / path
    if not found.exists():
        raise BadInput.because("file-missing", f"{path} does not exist", where=Where(file=path))
    return found


def _subjects(root: Path, files: Sequence[Path], source: Path, data: str) -> list[Subject]:
    from release_gate.files import sha256

    code = [
        Subject(kind="code", name=str(file.relative_to(root.resolve())), identity=f"sha256:{sha256(file)}")
        for file in files
    ]
    return [*code, Subject(kind="data", name=data, identity=f"sha256:{sha256(source)}")]
