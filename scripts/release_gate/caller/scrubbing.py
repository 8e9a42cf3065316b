"""What of our environment a caller's command may see: what it needs to run, nothing that opens doors."""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIXES = (
    "GITHUB_", "ACTIONS_", "INPUT_", "RUNNER_", "RELEASE_GATE_",
    "PYTHON",  # our interpreter's settings are not theirs
    "COVERAGE_", "COV_CORE_", "PYTEST_",  # nor is a measurement of us
    "GIT_CONFIG_",  # how checkout passes an authorization header
    "CONDA_", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT",
)  # fmt: skip
KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER")
_SECRET_NAME = re.compile(
    r"(^|_)(\w*TOKENS?|\w*SECRETS?|\w*PASSWORD|PASSWD|PASS|PASSPHRASE|PWD|\w*CREDENTIALS?|\w*KEYS?|AUTH|PAT|PRIVATE"
    r"|COOKIE|DSN|WEBHOOK|ASKPASS|NETRC|CONNECTION_STRING)(_|$)",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|AKIA[A-Z0-9]{16}|xox[abprs]-[\w-]{10,}"
    r"|sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.)|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_USER_INFORMATION = re.compile(r"(?<=://)[^/@\s]+@")

SET = {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""Laid over every command's environment: same hashes each run, output as it comes, nothing written beside code."""


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables a command gets; user and password inside a URL are taken out of it.

    >>> scrubbed({"GITHUB_TOKEN": "x", "HOME": "/h", "HTTPS_PROXY": "http://me:pw@proxy:3128"})["HTTPS_PROXY"]
    'http://proxy:3128'
    """
    kept = {
        name: _USER_INFORMATION.sub("", value)
        for name, value in environ.items()
        if not _hidden(name) and not _SECRET_VALUE.search(value)
    }
    # A Python that is fetched unasked would make the run depend on the day: only where a user has allowed it.
    kept.setdefault("UV_PYTHON_DOWNLOADS", "never")
    return {**kept, **SET}


def _hidden(name: str) -> bool:
    if name in KEPT or name in ("PWD", "OLDPWD"):
        return False
    return name.upper().startswith(PREFIXES) or _SECRET_NAME.search(name) is not None
