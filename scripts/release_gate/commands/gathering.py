"""Collects what claims to be verdicts: from the run folder, folders of other jobs, artifacts of another run."""

from __future__ import annotations

import hashlib
import posixpath
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.findings import BadInput, finding
from release_gate.gates.overall import MAY_SPEAK, Handed
from release_gate.names import FILE
from release_gate.verdict import MAXIMUM_BYTES, Finding, Where

if TYPE_CHECKING:
    from release_gate.edges import Session
    from release_gate.github.api import Api
    from release_gate.github.artifacts import Artifact
    from release_gate.github.event import Run

ARTIFACT = re.compile(r"release-gate-verdicts-(build|judge)-([a-z0-9][a-z0-9._-]{0,99})-([0-9]{1,6})(|-[0-9a-f]{8})")
"""Names of the artifacts that gate.yml uploads: job, model or `all`, attempt, which configuration."""

ENDS = ("success", "failure", "cancelled", "skipped")
"""How a job ends."""

MOST_FILES = 200


@dataclass
class Gathered:
    """Files by model, and what was wrong on the way to them."""

    handed: dict[str, list[Handed]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, model: str, one: Handed) -> None:
        """Note one file."""
        self.handed.setdefault(model, []).append(one)

    def foreign(self, models: Iterable[str]) -> list[Finding]:
        """A note where verdicts of models came that are not configured."""
        others = sorted(set(self.handed) - set(models))
        if not others:
            return []
        return [finding("report-unknown-model", f"verdicts of {', '.join(others[:20])} were left out")]


def sources(given: Sequence[str], home: Path) -> dict[str, Path]:
    """`NAME=DIR` options as a mapping.

    Raises:
        BadInput: `usage`, for another shape, an unknown name, or a name given twice.
    """
    return {name: home / folder for name, folder in _by_job("--from", "DIR", given).items()}


def results(given: Sequence[str]) -> dict[str, str]:
    """`NAME=END` options as a mapping.

    Raises:
        BadInput: `usage`, for another shape, an unknown name or end, or a name given twice.
    """
    found = _by_job("--result", "END", given)
    for name, end in found.items():
        if end not in ENDS:
            raise BadInput.because("usage", f"--result {name}={end}: a job ends with one of {', '.join(ENDS)}")
    return found


def _by_job(option: str, what: str, given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not value or name not in MAY_SPEAK:
            raise BadInput.because(
                "usage", f"{option} {one}: give NAME={what}, with NAME one of {', '.join(MAY_SPEAK)}"
            )
        if name in found:
            raise BadInput.because("usage", f"{option} {name}=… is given twice")
        found[name] = value
    return found


def suffix(config: str | None) -> str:
    """End of the names of a call's artifacts; .github/actions/begin computes the same when it names them.

    >>> suffix("./release-gate.yml"), suffix("models/a/release-gate.yml")
    ('', '-3f1b04df')
    """
    path = posixpath.normpath(config or FILE)
    return "" if path == FILE else f"-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def from_folder(gathered: Gathered, folder: Path, source: str | None, models: Iterable[str] | None = None) -> None:
    """The files `MODEL/verdicts/GATE.json` of a folder; only plain files and folders are followed."""
    try:
        spots = sorted(one for one in folder.iterdir() if models is None or one.name in set(models))
    except FileNotFoundError:
        return  # a job that got nowhere: its gates are reported as missing
    except OSError as error:
        message = f"the folder {folder.name} can't be read: {error.strerror}"
        gathered.findings.append(finding("file-unreadable", message))
        return
    count = 0
    for spot in spots:
        for path in _verdicts(gathered, spot):
            count += 1
            if count > MOST_FILES:
                message = f"{folder.name} holds more than {MOST_FILES} verdicts"
                gathered.findings.append(finding("artifact-too-many-files", message))
                return
            content = _read(gathered, path)
            if content is not None:
                shown = f"{spot.name}/verdicts/{path.name}"
                gathered.add(spot.name, Handed(shown, path.stem, content, source))


def _verdicts(gathered: Gathered, spot: Path) -> list[Path]:
    inner = spot / "verdicts"
    for path in (spot, inner):
        if path.is_symlink():
            gathered.findings.append(_link(path))
            return []
    return sorted(inner.glob("*.json")) if inner.is_dir() else []


def _read(gathered: Gathered, path: Path) -> bytes | None:
    if not stat.S_ISREG(path.lstat().st_mode):
        gathered.findings.append(_link(path))
        return None
    with path.open("rb") as file:
        return file.read(MAXIMUM_BYTES + 1)  # one byte more than a verdict may have: refused where it is parsed


def _link(path: Path) -> Finding:
    message = f"{'/'.join(path.parts[-3:])} is not a plain file or folder"
    return finding("artifact-link", message, where=Where(step=path.stem))


def chosen(
    artifacts: Sequence[Artifact], run: Run, model: str | None, config: str | None = None
) -> list[tuple[str, Artifact]]:
    """The artifacts that carry verdicts with the job each comes from; of several attempts the newest.

    A run may call gate.yml several times: only the call with this configuration and these models counts.
    """
    newest: dict[tuple[str, str], tuple[int, Artifact]] = {}
    for artifact in artifacts:
        named = ARTIFACT.fullmatch(artifact.name)
        if named is None or named.group(4) != suffix(config):
            continue
        source, of, attempt = named.group(1), named.group(2), int(named.group(3))
        known = newest.get((source, of))
        if attempt <= run.attempt and of in (model or of, "all") and (known is None or attempt > known[0]):
            newest[source, of] = (attempt, artifact)
    return [(source, artifact) for (source, _), (_, artifact) in sorted(newest.items())]


def from_run(
    gathered: Gathered, api: Api, session: Session, run: Run, model: str | None, *, config: str | None = None
) -> None:
    """The verdicts in the artifacts of a run; an artifact that is not as it must be is refused whole.

    Raises:
        CannotJudge: GitHub could not be asked.
    """
    from release_gate.github import artifacts

    carrying = chosen(artifacts.listed(api, run.identity), run, model or None, config)
    if not carrying:
        gathered.findings.append(finding("artifact-missing", "the run left no artifact with verdicts"))
    for source, artifact in carrying[:MOST_FILES]:
        try:
            unpacked = artifacts.unpack(artifacts.download(api, session, artifact), artifact.name)
        except artifacts.ArtifactRefused as refusal:
            gathered.findings.extend(refusal.findings)
            continue
        for one in unpacked:
            gathered.add(one.model, Handed(f"{artifact.name}: {one.path}", one.gate, one.content, source))
