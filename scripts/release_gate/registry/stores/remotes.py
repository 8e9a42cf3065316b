"""The remote `origin` of the caller's clone, which is only read: its address, and how it is spoken to."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from release_gate.findings import CannotJudge
from release_gate.lifecycle.events import identity
from release_gate.registry.stores.failures import one_line
from release_gate.registry.stores.git import LIMIT, surroundings


@dataclass(frozen=True)
class Remote:
    """The remote `origin` of a repository: its address, and how it is spoken to."""

    shown: str
    settings: tuple[tuple[str, str], ...] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def origin(root: Path, environment: Mapping[str, str]) -> Remote:
    """The remote `origin` of the repository that holds a folder.

    Raises:
        CannotJudge: `registry-git-missing`.
    """
    address = _asked(root, environment, "remote", "get-url", "origin")
    if not address:
        raise CannotJudge.because("registry-git-missing", f"{root} is in no git repository with a remote `origin`")
    fetch, push = (_absolute(root, environment, one) for one in (address, _pushed(root, environment) or address))
    settings = [("remote.origin.url", fetch), ("remote.origin.pushurl", push)]
    secrets: list[str] = [part for one in {fetch, push} if (part := urlsplit(one).password if "://" in one else None)]
    if command := _asked(root, environment, "config", "core.sshCommand"):
        settings.append(("core.sshCommand", command))
    if header := _header(root, environment, fetch):
        parts = urlsplit(fetch)
        name = f"http.{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/.extraHeader"
        settings += [(name, ""), (name, header)]  # the empty one takes back what other files set
        secrets += [header, header.split()[-1]]
    shown = one_line(re.sub(r"://[^/@]*@", "://", fetch))
    return Remote(shown, tuple(settings), tuple(secrets))


def repository_of(remote: Remote, branch: str, cache: Path) -> Path:
    """Where our own repository for a branch of a remote lies."""
    return cache / "branches" / f"{identity(f'{remote.shown} {branch}'.encode())[7:31]}.git"


def _header(root: Path, environment: Mapping[str, str], address: str) -> str | None:
    """What to send to a remote over http to be let in: the token meant for that host, else what the clone sends."""
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or parts.username:
        return None
    token = environment.get("INPUT_TOKEN") or environment.get("GITHUB_TOKEN")
    server = urlsplit(environment.get("GITHUB_SERVER_URL") or "https://github.com")
    # A token is GitHub's: it goes to that host only, and unencrypted only within this machine.
    safe = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")
    if token and safe and (parts.scheme, parts.netloc) == (server.scheme, server.netloc):
        return f"Authorization: Basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}"
    return _asked(root, environment, "config", "--get-urlmatch", "http.extraHeader", address)


def _pushed(root: Path, environment: Mapping[str, str]) -> str | None:
    return _asked(root, environment, "remote", "get-url", "--push", "origin")


def _absolute(root: Path, environment: Mapping[str, str], address: str) -> str:
    """A path to a repository counts from the top of the clone; ours lies elsewhere."""
    if "://" in address or re.match(r"[^/]+:", address):
        return address
    top = _asked(root, environment, "rev-parse", "--show-toplevel") or str(root)
    return str((Path(top) / address).resolve())


def _asked(root: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    """What git says of the caller's repository, None where it says nothing."""
    known = surroundings(environment, ())
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, env=known, capture_output=True, check=False, timeout=LIMIT, text=True
        )
    except (FileNotFoundError, NotADirectoryError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
