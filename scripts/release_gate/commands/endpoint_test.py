"""`endpoint-test`: does the server in the sealed package start, and answer as smoke.yml says?"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import ModelConfig
from release_gate.files import naming
from release_gate.findings import BadInput, CannotJudge
from release_gate.verdict import Verdict

if TYPE_CHECKING:
    from release_gate.registry.packages import Sealed

GATE = "endpoint-test"


@click.command()
@gate_options
@option("--package", metavar="DIR", help="Stand-alone: the OCI image layout of a sealed package.")
@option("--checks", metavar="FILE", help="The checks (smoke.yml); those in the package when absent.")
@click.pass_obj
def command(context: Context, /, package: str | None, checks: str | None, **asked: Any) -> None:
    """Start the packaged server, ask it the questions of smoke.yml, stop it."""
    options = Asked(**asked)
    if package is None:
        if checks is not None:
            raise BadInput.because("usage", "--checks goes with --package; otherwise release-gate.yml names the checks")
        run_gate(context, options, GATE, gate)
        return

    def alone() -> Verdict:
        from release_gate.registry.packages import open_package

        return _tested(context, open_package(context.home / package), context.home / checks if checks else None)

    finish(options, [judged(context, GATE, options.model or "-", alone)])


def gate(context: Context, model: ModelConfig, place: Place) -> Verdict:
    """Test the package that build-candidate sealed."""
    from release_gate.registry.packages import open_package

    digest = sealed_digest(place)
    sealed = open_package(place.build / "package", digest)
    if sealed.package.model != model.model:
        raise BadInput.because("package-disagrees", f"the package is of {sealed.package.model}, not of {model.model}")
    return _tested(context, sealed, None)


def sealed_digest(place: Place) -> str:
    """The digest that build.json speaks of.

    Raises:
        CannotJudge: `package-missing`: nothing was built.
        BadInput: `package-disagrees`: build.json can't be read.
    """
    try:
        return str(json.loads((place.build / "build.json").read_bytes())["package"]["digest"])
    except FileNotFoundError as error:
        raise CannotJudge.because("package-missing", "build-candidate has left no package") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput.because("package-disagrees", f"build.json can't be read: {error}") from error


def _tested(context: Context, sealed: Sealed, checks: Path | None) -> Verdict:
    from release_gate.commands.staging import Unfit, served, stage
    from release_gate.gates.endpoint_test import Tested, judge, unproven
    from release_gate.serving.checks import load
    from release_gate.serving.smoke import Server, run

    package, started = sealed.package, context.clock.now()
    use = package.contents.use
    if use.serve is None:
        return judge(package, None, started)
    with tempfile.TemporaryDirectory(prefix="release-gate-", ignore_cleanup_errors=True) as folder:
        with naming(Path(folder)):
            staged = stage(context, sealed.layers, use, Path(folder), version=package.digest)
        named = use.smoke or "smoke.yml"
        smoke = load(checks or staged.code / named, str(checks or named))
        try:
            with served(context, staged, smoke) as up:
                server = Server(up.url, context.session(), context.clock, package.digest, package.contents.golden)
                results = run(smoke, server, up.process)
        except Unfit as unfit:
            return judge(package, Tested((), problems=tuple(unfit.findings)), started)
    rows = tuple((one.name, one.seconds, one.detail, one.finding) for one in results)
    return judge(package, Tested(rows, up.seconds, unproven=unproven(smoke.unasked, str(checks or named))), started)
