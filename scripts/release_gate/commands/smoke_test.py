"""`smoke-test`: does what serves at an address answer as smoke.yml says, and with the right version?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, CannotJudge
from release_gate.verdict import Verdict

if TYPE_CHECKING:
    from release_gate.gates.endpoint_test import Check
    from release_gate.lifecycle.package import Package
    from release_gate.serving.smoke import Result

GATE = "smoke-test"


@click.command()
@gate_options
@option("--checks", metavar="FILE", help="Stand-alone: the checks (smoke.yml).")
@option(
    "--url",
    metavar="URL",
    help="Stand-alone: the address that is asked, such as https://models.octo-air.example/flights.",
)
@option(
    "--version", "expected", metavar="DIGEST", help="What `{version}` stands for; the digest of --golden when absent."
)
@option("--golden", metavar="DIR", help="OCI image layout of the package whose recorded predictions must come out.")
@click.pass_obj
def command(
    context: Context, /, checks: str | None, url: str | None, expected: str | None, golden: str | None, **asked: Any
) -> None:
    """Ask a server that runs already the questions of smoke.yml; nothing is started."""
    options = Asked(**asked)
    if checks is not None and url is not None:
        ask = partial(_alone, context, options, checks=checks, url=url.rstrip("/"), expected=expected, golden=golden)
        finish(options, [judged(context, GATE, options.model or "-", ask)])
    elif any((checks, url, expected, golden)):
        raise BadInput.because("usage", "the stand-alone form takes both --checks and --url")
    else:
        run_gate(context, options, GATE, gate)


def gate(context: Context, model: ModelConfig, place: Place) -> Verdict:
    """Ask the address of the model's rollout for what the ledger has in production, by the checks in its package."""
    from release_gate.commands.smoking import packaged_smoke, smoked, url_of
    from release_gate.gates.smoke_test import judge, unasked
    from release_gate.lifecycle.state import fold
    from release_gate.registry.opened import open_registry

    started = context.clock.now()
    if model.rollout is None:
        raise BadInput.because("smoke-no-target", f"{model.model} declares no rollout")
    if model.rollout.target.batch is not None:
        raise BadInput.because("smoke-no-target", f"{model.model} is delivered as a table: no address answers")
    url = url_of(model.rollout.target)
    registry = open_registry(model.registry, root=place.root, environment=context.environment)
    state = fold(registry.ledger(model.model).read())
    # Until a first release is promoted, what takes the traffic is the candidate of its rollout.
    serving = state.production or (state.rollout.package if state.rollout is not None else None)
    if serving is None:
        raise CannotJudge.because("smoke-no-version", f"the ledger of {model.model} names no version in production")
    candidate = state.rollout.package if state.rollout is not None and state.rollout.step > 0 else serving
    versions = sorted({serving, candidate})
    sealed = registry.open(serving)
    smoke, file = packaged_smoke(sealed)
    results = smoked(context, sealed.package, smoke, url, versions=versions)
    return judge(
        model.model,
        url,
        rows([_helped(one) for one in results] if state.production else results),
        started,
        version=serving,
        versions=versions,
        unproven=unasked(smoke.unasked, file),
    )


def rows(results: Sequence[Result]) -> list[Check]:
    """Results as the gate reads them."""
    return [(one.name, one.seconds, one.detail, one.finding) for one in results]


def _helped(result: Result) -> Result:
    """A result of the repository's own target, which a command of ours can start where nothing answers."""
    found = result.finding
    if found is None or found.code != "smoke-not-up":
        return result
    own = "`release-gate deploy --version production` starts what production needs, as after a restart of the machine."
    return replace(result, finding=found.model_copy(update={"remedy": f"{own} {found.remedy}"}))


def _alone(
    context: Context, options: Asked, *, checks: str, url: str, expected: str | None, golden: str | None
) -> Verdict:
    from release_gate.commands.smoking import asked
    from release_gate.gates.smoke_test import judge, unasked
    from release_gate.serving.checks import load

    started = context.clock.now()
    if not url.startswith(("http://", "https://")):
        raise BadInput.because("usage", f"--url {url} is no address such as https://models.octo-air.example/flights")
    smoke = load(context.home / checks, checks)
    package = _package(context, golden, expected) if golden is not None else None
    version = expected or (package.digest if package is not None else None)
    kinds = {check.kind for check in smoke.checks}
    if version is None and "version" not in smoke.unasked:
        raise BadInput.because("usage", f"{checks} asks for the version: say which with --version or --golden")
    if package is None and kinds & {"golden", "latency"}:
        raise BadInput.because("usage", f"{checks} asks for recorded predictions: give their package with --golden")
    recorded = package.contents.golden if package is not None else None
    results = asked(context, smoke, url, version=version or "", golden=recorded)
    return judge(
        options.model or (package.model if package is not None else "-"),
        url,
        rows(results),
        started,
        version=version,
        unproven=unasked(smoke.unasked, checks),
    )


def _package(context: Context, golden: str, expected: str | None) -> Package:
    from release_gate.registry.packages import open_package

    package = open_package(context.home / golden).package
    if expected is not None and expected != package.digest:
        raise BadInput.because("package-disagrees", f"--golden holds {package.digest}, --version says {expected}")
    return package
