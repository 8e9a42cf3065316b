from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.scrubbing import SET, scrubbed


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN", "GITHUB_EVENT_PATH", "ACTIONS_ID_TOKEN_REQUEST_URL", "INPUT_DATA",
        "INPUT_DRY-RUN", "RUNNER_TEMP", "RELEASE_GATE_ENV", "RELEASE_GATE_CACHE", "GH_TOKEN", "NPM_TOKEN",
        "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "DB_PASSWORD", "PGPASSWORD",
        "MYSQL_PWD", "PIP_PASSWORD", "UV_PUBLISH_TOKEN", "OPENAI_API_KEY", "APIKEY", "SSH_AUTH_SOCK",
        "GOOGLE_APPLICATION_CREDENTIALS", "UV_INDEX_PRIVATE_PASSWORD", "SENTRY_DSN", "NETRC",
        "SLACK_WEBHOOK_URL", "GIT_ASKPASS", "GIT_CONFIG_VALUE_0", "github_token", "client_secret",
        "PYTHONPATH", "PYTHONSTARTUP", "COVERAGE_PROCESS_START", "PYTEST_ADDOPTS", "VIRTUAL_ENV",
        "TWINE_PASSPHRASE", "HF_TOKEN",
    ],
)  # fmt: skip
def test_what_opens_doors_or_is_ours_is_dropped(name: str) -> None:
    assert name not in scrubbed({name: "value"})


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "PWD", "HTTPS_PROXY", "no_proxy",
        "SSL_CERT_FILE", "CI", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL", "UV_INDEX_URL", "UV_CACHE_DIR",
        "LD_LIBRARY_PATH", "JAVA_HOME", "KEYBOARD", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
        "PIP_KEYRING_PROVIDER", "MONKEYTYPE", "XAUTHORITY", "AUTHOR",
    ],
)  # fmt: skip
def test_what_a_command_needs_is_kept(name: str) -> None:
    assert scrubbed({name: "value"})[name] == "value"


@pytest.mark.parametrize(
    "value",
    [
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 40,
        "https://x/?t=gho_" + "b" * 36,
        "AKIA" + "A" * 16,
        "xoxb-1234567890-abc",
        "hf_" + "c" * 30,
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
    ],
)
def test_a_value_that_looks_like_a_secret_is_dropped_whatever_its_name(value: str) -> None:
    assert "HARMLESS" not in scrubbed({"HARMLESS": value})


def test_credentials_are_taken_out_of_urls() -> None:
    kept = scrubbed({"PIP_INDEX_URL": "https://user:pw@index.example/simple", "UV_INDEX": "https://tok@a/ https://b/"})
    assert kept["PIP_INDEX_URL"] == "https://index.example/simple"
    assert kept["UV_INDEX"] == "https://a/ https://b/"


def test_a_python_is_fetched_only_where_a_user_allows_it() -> None:
    assert scrubbed({})["UV_PYTHON_DOWNLOADS"] == "never"
    assert scrubbed({"UV_PYTHON_DOWNLOADS": "automatic"})["UV_PYTHON_DOWNLOADS"] == "automatic"


@given(st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=60)))
def test_scrubbing_again_changes_nothing_but_what_is_set_anew(environ: dict[str, str]) -> None:
    once = scrubbed(environ)
    assert SET.items() <= once.items()
    assert scrubbed(once) == once
