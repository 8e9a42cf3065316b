"""A package unpacked and ready to run: its own code, its own model, its own environment, and nothing of the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.lifecycle.package import Golden, Use
from release_gate.verdict import Finding

if TYPE_CHECKING:
    from release_gate.caller.environments import Environment
    from release_gate.caller.server_secrets import ServerSecrets
    from release_gate.registry.layers import Layers
    from release_gate.serving.checks import Smoke
    from release_gate.serving.server import Up

RECORDING = "golden"
"""What a server is told as its version while golden predictions are recorded: the package has no digest yet."""


@dataclass(frozen=True)
class Staged:
    """Where a package was unpacked, and how it is used; `secrets` are given to its processes in production."""

    code: Path
    model: Path
    environment: Environment
    use: Use
    version: str
    secrets: ServerSecrets | None = field(default=None, repr=False)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its processes."""
        given = self.secrets.variables if self.secrets is not None else {}
        return {**given, **self.environment.variables, "RELEASE_GATE_VERSION": self.version}


class Unfit(Exception):
    """What the caller's code did is a reason to fail: the findings say which."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(str(found) for found in findings))
        self.findings = list(findings)


def stage(context: Context, layers: Layers, use: Use, folder: Path, *, version: str) -> Staged:
    """Unpack a package into a folder and make its environment.

    Raises:
        BadInput: it can't be unpacked, or has no lock we read.
        CannotJudge: `environment-failed`.
    """
    from release_gate.caller.environments import cache_folder, environment_for, find_lock
    from release_gate.registry.layers import unpack

    code, model = unpack(layers, folder)
    cache = cache_folder(context.environment)
    environment = environment_for(
        code, find_lock(code, layers.lock), context.runner(), cache=cache, version=context.python
    )
    return Staged(code, model, environment, use, version)


def predict(context: Context, staged: Staged, data: Path, out: Path) -> None:
    """Score the rows of `data` into `out`.

    Raises:
        Unfit: `predict-failed`, `predict-timed-out`.
    """
    from release_gate.caller.commands import failed, filled

    values = {"model": str(staged.model), "data": str(data), "out": str(out)}
    command = filled(staged.use.predict, values)
    limit = staged.use.predict_limit
    done = context.runner().run(command, cwd=staged.code, environment=staged.variables, limit=limit)
    if not done.ok:
        code = "predict-timed-out" if done.timed_out else "predict-failed"
        raise Unfit(_explained(failed("prediction", done, code=code, limit=limit), done.tail))


def _explained(found: Finding, tail: str) -> Finding:
    """With the remedy for a module that the package lacks, by far the commonest reason why only the package fails."""
    missing = re.search(r"^ModuleNotFoundError: No module named '([\w.]+)'", tail, re.MULTILINE)
    if missing is None:
        return found
    remedy = (
        f"'{missing[1]}' is not in the package. If it is a library, add it to the lock as a dependency, not only for "
        "development; if it is yours, track it in git, or list it under `candidate.files`."
    )
    return found.model_copy(update={"remedy": remedy})


@contextmanager
def served(context: Context, staged: Staged, smoke: Smoke) -> Iterator[Up]:
    """The package's server, for the length of the block.

    Raises:
        Unfit: `serve-died`, `serve-not-ready`.
    """
    from release_gate.caller.commands import filled
    from release_gate.serving.server import NotServing, started

    def command(port: int) -> tuple[str, ...]:
        values = {"model": str(staged.model), "port": str(port), "host": "127.0.0.1"}
        return filled(staged.use.serve or "", values)

    try:
        with started(
            command,
            smoke,
            runner=context.runner(),
            session=context.session(),
            clock=context.clock,
            cwd=staged.code,
            environment=staged.variables,
        ) as up:
            yield up
    except NotServing as problem:
        raise Unfit(_explained(problem.finding, problem.finding.message)) from problem


def served_scores(context: Context, staged: Staged, smoke: Smoke, golden: Golden) -> list[float]:
    """What the package's server predicts for the golden rows.

    Raises:
        Unfit: it does not start, or does not answer with scores.
    """
    from release_gate.findings import finding
    from release_gate.serving.http import NoAnswer
    from release_gate.serving.smoke import Failed, Server, predictions

    if smoke.predict is None:
        raise Unfit(finding("smoke-no-predict", "a server is declared, but not how to ask it for a prediction"))
    with served(context, staged, smoke) as up:
        server = Server(up.url, context.session(), context.clock, staged.version)
        try:
            return predictions(smoke.predict, server, golden.rows)
        except (Failed, NoAnswer) as problem:
            code = problem.code if isinstance(problem, Failed) else "smoke-no-answer"
            told = f"asked for {len(golden.rows)} evaluation rows: {problem}\n{up.process.tail()[-3000:]}"
            raise Unfit(finding(code, told)) from problem
