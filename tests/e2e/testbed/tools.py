"""Programs that are not Python: act and actionlint (Go), emulate and Node 24 (npm), HAProxy (Debian)."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tests.e2e.testbed.part import apt_install, cache_folder, held, run

ACT = ("github.com/nektos/act", "v0.2.89")
ACTIONLINT = ("github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12")

_NODE_FILES = Path(__file__).parent / "node"


def act() -> Path:
    """Return the program that runs workflows on this machine."""
    return _go_program("act", *ACT)


def actionlint() -> Path:
    """Return the linter of workflow files."""
    return _go_program("actionlint", *ACTIONLINT)


def haproxy() -> Path:
    """Return the proxy that the target `haproxy` steers."""
    # Debian puts it where only root's PATH leads.
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    if shutil.which("haproxy", path=places) is None:
        apt_install(["haproxy"], part="HAProxy")
    return Path(shutil.which("haproxy", path=places) or "/usr/sbin/haproxy")


def node_modules() -> Path:
    """Return the folder with `emulate`, Node 24 and GitHub's descriptions of its APIs, as locked in node/."""
    lock = (_NODE_FILES / "package-lock.json").read_bytes()
    home = cache_folder() / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    with held("node"):
        if not (home / "complete").exists():
            if not shutil.which("npm"):
                apt_install(["npm"], part="npm")
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_NODE_FILES / name, home / name)
            run(
                ["npm", "ci", "--no-fund", "--no-audit"],
                part="emulate and Node 24",
                remedy="give this machine access to the npm registry.",
                cwd=home,
            )
            _keep_one_description(home / "node_modules/@octokit/openapi/generated")
            (home / "complete").touch()
    return home / "node_modules"


def node() -> Path:
    """Return the Node 24 binary: emulate runs on it, and JavaScript actions under act."""
    return node_modules() / "node/bin/node"


def openapi_description() -> Path:
    """Return GitHub's own description of its REST API: the oracle for doubles of single endpoints."""
    return node_modules() / "@octokit/openapi/generated/api.github.com.json"


def graphql_schema() -> Path:
    """Return GitHub's own schema of its GraphQL API."""
    return node_modules() / "@octokit/graphql-schema/schema.graphql"


def prometheus() -> Path:
    """Return the program that scrapes and stores metrics, from the Debian package of that name."""
    if not shutil.which("prometheus"):
        apt_install(["prometheus"], part="prometheus")
    return Path(shutil.which("prometheus") or "/usr/bin/prometheus")


def _go_program(name: str, package: str, version: str) -> Path:
    """Build a Go program at one version, once per machine."""
    program = cache_folder() / f"{name}-{version}"
    with held(name):
        if not program.exists():
            folder = cache_folder() / f"build-{name}"
            run(
                ["go", "install", f"{package}@{version}"],
                part=name,
                remedy="install Go 1.24 or newer and give this machine access to a Go module proxy.",
                env={"GOBIN": str(folder), "GOFLAGS": os.environ.get("GOFLAGS", "")},
            )
            shutil.move(folder / name, program)
    return program


def _keep_one_description(folder: Path) -> None:
    """Drop the descriptions of other products: 370 MB nobody here reads."""
    for file in folder.glob("*.json"):
        if file.name != "api.github.com.json":
            file.unlink()
