"""Smoke checks put to a server that runs already: smoke-test asks them, so do deploy and rollback."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context

if TYPE_CHECKING:
    from release_gate.lifecycle.package import Golden, Package
    from release_gate.registry.packages import Sealed
    from release_gate.rollouts import Target
    from release_gate.serving.checks import Smoke
    from release_gate.serving.smoke import Result, Server

TIMES = 20
EVERYWHERE = ("", "0.0.0.0", "[::]", "*")  # noqa: S104 - what may stand for every address where a proxy listens


def smoked(
    context: Context,
    package: Package,
    smoke: Smoke,
    url: str,
    *,
    versions: Collection[str] = (),
    times: int = TIMES,
    within: float | None = None,
) -> list[Result]:
    """The smoke checks of a package put to an address where only `versions` may answer, the package's own by default.

    Waits up to `within` seconds (smoke.yml's `start_within`) for a server that has just been started. A check that
    names the version is asked `times` times, so that an answer of another version is seen. Where several versions may
    answer, checks of recorded predictions and of latency are left out: they are one version's, asked where it alone
    answers. A result without a finding is as it should be.
    """
    return asked(
        context,
        smoke,
        url,
        version=package.digest,
        golden=package.contents.golden,
        versions=versions,
        times=times,
        within=within,
    )


def asked(
    context: Context,
    smoke: Smoke,
    url: str,
    *,
    version: str,
    golden: Golden | None,
    versions: Collection[str] = (),
    times: int = TIMES,
    within: float | None = None,
) -> list[Result]:
    """The same without a package: `version` is what the server should call itself."""
    from release_gate.serving.answering import not_up
    from release_gate.serving.smoke import Result, Server

    session = context.session()
    server = Server(url, session, context.clock, version, golden)
    try:
        began = context.clock.monotonic()
        limit = smoke.start_within if within is None else within
        down = not_up(smoke, server, limit)
        if down is not None:
            return [Result("up", round(context.clock.monotonic() - began, 3), down.message, down)]
        return _answers(smoke, server, frozenset(versions) or frozenset({version}), times)
    finally:
        session.close()


def _answers(smoke: Smoke, server: Server, versions: frozenset[str], times: int) -> list[Result]:
    """Every check that can be asked where these versions answer, in the file's order."""
    from release_gate.serving.answering import versions_answering
    from release_gate.serving.smoke import run

    alone = versions == {server.version}
    results: list[Result] = []
    for check in smoke.checks:
        if check.asserts_version:
            results.append(versions_answering(check, server, versions, times))
        elif alone or check.kind not in ("golden", "latency"):
            results.extend(run(smoke.model_copy(update={"checks": (check,)}), server))
    return results


def packaged_smoke(sealed: Sealed) -> tuple[Smoke, str]:
    """The smoke checks sealed in a package, and the name of their file.

    Raises:
        BadInput: the package holds none, or they are wrong.
    """
    from release_gate.registry import archives, blobs
    from release_gate.serving.checks import load

    named = sealed.package.contents.use.smoke or "smoke.yml"
    with tempfile.TemporaryDirectory(prefix="release-gate-", ignore_cleanup_errors=True) as folder:
        code = blobs.path_of(sealed.layers.layout, sealed.layers.descriptors["code"]["digest"])
        archives.extract(code, Path(folder))
        return load(Path(folder) / named, named), named


def url_of(target: Target) -> str:
    """Where users ask, as the configuration says it; a proxy that listens everywhere is asked on this machine."""
    if target.caddy is not None:
        host, _, port = target.caddy.listen.rpartition(":")
        return f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
    declared = target.haproxy or target.command
    assert declared is not None  # noqa: S101 - for the type checker: a target is one of the three
    return declared.url
