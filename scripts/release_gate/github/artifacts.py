"""Artifacts of another run: downloaded within limits, and unpacked in memory as the work of an enemy.

Only `MODEL/verdicts/GATE.json` is ever read out, so no name in an archive reaches a file system.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from release_gate.edges import Session
from release_gate.findings import BadInput
from release_gate.github.api import TIMEOUT, Api
from release_gate.github.refusals import NotFound, Unreachable

MOST_PACKED = 8 * 1024 * 1024
MOST_UNPACKED = 16 * 1024 * 1024
MOST_OF_ONE = 4 * 1024 * 1024
MOST_FILES = 400
MOST_RATIO = 200
_RATIO_COUNTS_FROM = 256 * 1024
_VERDICT = re.compile(r"([a-z0-9][a-z0-9._-]{0,99})/verdicts/([a-z][a-z0-9-]{0,79})\.json")
_REDIRECTS = (301, 302, 303, 307, 308)


class ArtifactRefused(BadInput):
    """An artifact that is not what gate.yml uploads: nothing of it is used."""


@dataclass(frozen=True)
class Artifact:
    """An artifact of a run, as GitHub lists it."""

    identity: int
    name: str
    size: int
    expired: bool


@dataclass(frozen=True)
class Unpacked:
    """A verdict's bytes, and the model and gate its path names."""

    model: str
    gate: str
    path: str
    content: bytes


def listed(api: Api, run: int) -> list[Artifact]:
    """The artifacts of a run; entries that are not of GitHub's shape are left out."""
    return [
        Artifact(one["id"], one["name"], one["size_in_bytes"], one.get("expired") is True)
        for one in api.pages(f"{{}}/actions/runs/{run}/artifacts", "artifacts")
        if _well_formed(one)
    ]


def _well_formed(one: Any) -> bool:
    return isinstance(one, dict) and all(
        type(one.get(key)) is kind for key, kind in (("id", int), ("name", str), ("size_in_bytes", int))
    )


def download(api: Api, session: Session, artifact: Artifact) -> bytes:
    """The zip of an artifact; the token goes to GitHub only, never to the storage it points at.

    Raises:
        ArtifactRefused: expired, or larger than verdicts are.
        CannotJudge: it could not be fetched.
    """
    if artifact.expired:
        raise ArtifactRefused.because("artifact-expired", f"the artifact {artifact.name} is deleted")
    if artifact.size > MOST_PACKED:
        raise _too_large(artifact.name, artifact.size, MOST_PACKED)
    url = f"{api.url.rstrip('/')}/repos/{api.repository}/actions/artifacts/{artifact.identity}/zip"
    headers = {"Authorization": f"Bearer {api.token}", "Accept": "application/vnd.github+json"}
    try:
        api.requests += 1
        answer = session.request("GET", url, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True)
        if answer.status_code in _REDIRECTS:
            target = answer.headers.get("Location", "")
            answer = session.request("GET", target, timeout=TIMEOUT, allow_redirects=False, stream=True)
        told = answer.headers.get("Content-Length", "")
        if told.isascii() and told.isdigit() and int(told) > MOST_PACKED:
            raise _too_large(artifact.name, int(told), MOST_PACKED)
        if answer.status_code == 200:
            return answer.content
    except OSError as error:  # every error of `requests` is one; its text may hold a signed address
        message = f"the artifact {artifact.name} could not be fetched: {type(error).__name__}"
        raise Unreachable.because("github-unreachable", message) from error
    message = f"the artifact {artifact.name} could not be fetched: status {answer.status_code}"
    if answer.status_code in (403, 404, 410):
        raise NotFound.because(
            "github-not-found",
            message,
            remedy="Add to the job:\n  permissions:\n    actions: read",
        )
    raise Unreachable.because("github-unreachable", message)


def unpack(content: bytes, name: str) -> list[Unpacked]:
    """The verdicts in an artifact's zip, or a refusal of all of it.

    Raises:
        ArtifactRefused: for anything that release-gate would not have packed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check(entries, name)
            return list(_read(archive, [entry for entry in entries if not entry.is_dir()], name))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise ArtifactRefused.because("artifact-broken", f"the artifact {name} can't be unpacked: {error}") from error


def _check(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MOST_FILES:
        message = f"the artifact {name} holds {len(entries):,} files; {MOST_FILES} is the most"
        raise ArtifactRefused.because("artifact-too-many-files", message)
    seen: dict[str, str] = {}
    for entry in entries:
        _check_one(entry, name)
        if entry.filename.casefold() in seen:
            message = f"the artifact {name} holds {entry.filename!r} and {seen[entry.filename.casefold()]!r}"
            raise ArtifactRefused.because("artifact-duplicate", message)
        seen[entry.filename.casefold()] = entry.filename
    total = sum(entry.file_size for entry in entries)
    if total > MOST_UNPACKED:
        raise _too_large(name, total, MOST_UNPACKED)


def _check_one(entry: zipfile.ZipInfo, name: str) -> None:
    told = f"the artifact {name} holds {entry.filename[:200]!r}"
    # Zip names are read up to a NUL: a name with one had something to hide.
    path = entry.orig_filename.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or "\0" in path or ".." in path.split("/"):
        raise ArtifactRefused.because("artifact-path", f"{told}, outside its folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArtifactRefused.because("artifact-link", f"{told}, which is a link or a device")
    if entry.flag_bits & 0x41:
        raise ArtifactRefused.because("artifact-encrypted", f"{told}, encrypted")
    if entry.is_dir() and entry.file_size == 0:
        return
    if entry.is_dir() or _VERDICT.fullmatch(entry.filename) is None:
        raise ArtifactRefused.because("artifact-unexpected", f"{told}; only MODEL/verdicts/GATE.json belongs there")
    if entry.file_size > _RATIO_COUNTS_FROM and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise ArtifactRefused.because(
            "artifact-zip-bomb", f"{told}, packed {entry.file_size:,} into {entry.compress_size:,}"
        )
    if entry.file_size > MOST_OF_ONE:
        raise _too_large(f"{name}: {entry.filename}", entry.file_size, MOST_OF_ONE)


def _read(archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo], name: str) -> Iterable[Unpacked]:
    for entry in entries:
        found = _VERDICT.fullmatch(entry.filename)
        if found is None:
            raise AssertionError("unreachable: checked before")
        with archive.open(entry) as file:
            # What the directory says of the size is a claim too: read no further than it, and one byte more.
            content = file.read(MOST_OF_ONE + 1)
        if len(content) != entry.file_size:
            message = f"the artifact {name} lies about the size of {entry.filename}"
            raise ArtifactRefused.because("artifact-zip-bomb", message)
        yield Unpacked(found.group(1), found.group(2), entry.filename, content)


def _too_large(name: str, size: int, most: int) -> ArtifactRefused:
    return ArtifactRefused.because(
        "artifact-too-large", f"the artifact {name} holds {size:,} bytes; {most:,} is the most"
    )
