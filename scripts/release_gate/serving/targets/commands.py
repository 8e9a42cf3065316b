"""Anything else that holds traffic, steered by the caller's own commands and believed only when it says so itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from release_gate.commandlines import failed, filled
from release_gate.counts import Counts
from release_gate.edges import Clock, Runner
from release_gate.files import write_whole
from release_gate.findings import BadInput, CannotJudge
from release_gate.rollouts import Commands as Declared
from release_gate.serving.standing import Standing, StandingFile
from release_gate.serving.targets import fencing
from release_gate.serving.targets.target import Version

VERSIONS = 100
"""Versions in an answer; more is a mistake."""


class Commands(fencing.Routing):
    """The target `command`. The commands run in the folder of release-gate.yml."""

    def __init__(self, declared: Declared, file: StandingFile, runner: Runner, clock: Clock, *, cwd: Path) -> None:
        super().__init__(file, clock)
        self.url = declared.url
        self._declared, self._runner, self._cwd = declared, runner, cwd

    def start(self, version: Version) -> None:
        """Have the caller make it ready; there is no address where it alone answers."""
        folders = self._folders()
        if self._declared.start is not None:
            self._run("start", self._declared.start, version=version.digest, package=str(version.folder))
        write_whole(self._folder / "started.json", _json({**folders, version.digest: str(version.folder)}))

    def routed(self) -> dict[str, float]:
        """The shares that the command `read` prints.

        Raises:
            CannotJudge: `target-command-failed`, `target-command-output`.
        """
        printed = self._printed("read", self._declared.read)
        shares: dict[str, float] = {}
        for name, share in printed.items():
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise _unreadable("read", f"the share of {name[:80]} is {share!r}, no number from 0 to 1")
            if share > 0:
                shares[name] = float(share)
        if shares and not math.isclose(math.fsum(shares.values()), 1, abs_tol=fencing.TOLERANCE):
            raise _unreadable("read", f"the shares sum to {math.fsum(shares.values()):g}, not to 1")
        return shares

    def counts(self) -> dict[str, Counts]:
        """The totals that the command `counts` prints."""
        if self._declared.counts is None:
            message = "rollout.target.command has no `counts`, and no `rollout.source` is declared"
            raise CannotJudge.because("counts-undeclared", message)
        counted = {}
        for name, totals in self._printed("counts", self._declared.counts).items():
            try:
                counted[name] = Counts.model_validate(totals)
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(str(part) for part in found["loc"])
                raise _unreadable("counts", f"the totals of {name[:80]}: {place} {found['msg']}".strip()) from error
        return counted

    def running(self) -> tuple[str, ...]:
        """The versions that were made ready and not let go."""
        return tuple(self._folders())

    def stop(self, digest: str) -> None:
        """Have the caller let go of it."""
        folders = self._folders()
        with self._file.held():
            share = self.routed().get(digest, 0.0)
            if share > 0:
                raise CannotJudge.because("stop-refused", f"{digest} takes {share:.4g} of the traffic")
            if self._declared.stop is not None and digest in folders:
                self._run("stop", self._declared.stop, version=digest, package=folders[digest])
            write_whole(self._folder / "started.json", _json({one: at for one, at in folders.items() if one != digest}))

    @property
    def _folder(self) -> Path:
        return self._file.folder

    def _folders(self) -> dict[str, str]:
        """The packages of the versions made ready. Starting twice is once, so one forgotten is only started again."""
        try:
            known = json.loads((self._folder / "started.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(one): str(at) for one, at in known.items()} if isinstance(known, dict) else {}

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        file = self._folder / "shares.json"
        write_whole(file, _json(shares))
        values = {"shares": str(file.resolve()), "fence": str(standing.fence)}
        if len(shares) == 1:
            values["version"] = next(iter(shares))
        self._run("route", self._declared.route, **values)
        return standing

    def _printed(self, name: str, command: str) -> dict[str, Any]:
        """The JSON object that a command prints: all of its output, or its last line after others."""
        tail = self._run(name, command).strip()
        for text in (tail, tail.rpartition("\n")[2]):
            try:
                printed = json.loads(text, parse_constant=_refuse)
            except (ValueError, RecursionError):
                continue
            if isinstance(printed, dict) and len(printed) <= VERSIONS:
                return printed
        raise _unreadable(name, f"no JSON object with at most {VERSIONS} versions: {tail[-500:] or 'nothing'}")

    def _run(self, name: str, command: str, **values: str) -> str:
        words = filled(command, values)
        try:
            done = self._runner.run(words, cwd=self._cwd, environment={}, limit=self._declared.limit)
        except BadInput as refusal:
            raise CannotJudge(*refusal.findings) from refusal
        if not done.ok:
            what = f"rollout.target.command.{name}"
            raise CannotJudge(failed(what, done, code="target-command-failed", limit=self._declared.limit))
        return done.tail


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _unreadable(name: str, cause: str) -> CannotJudge:
    return CannotJudge.because("target-command-output", f"rollout.target.command.{name} prints {cause}")
