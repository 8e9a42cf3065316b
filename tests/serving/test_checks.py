"""smoke.yml read: what is right, and every way to get it wrong with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_gate.findings import BadInput
from release_gate.serving.checks import load

GOOD = """\
version: 1
predict: {post: /predict, body: {rows: "{rows}"}, scores: "predictions[*].score"}
checks:
  - {name: health, get: /health}
  - {name: golden, golden: {tolerance: 0.5}}
  - {name: latency, latency: {p95_below: 200ms}}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "smoke.yml").write_text(text)
    return folder / "smoke.yml"


def test_defaults(tmp_path: Path) -> None:
    smoke = load(written(tmp_path, GOOD), "smoke.yml")
    assert smoke.start_within == 30.0
    assert smoke.tolerance == 0.5
    assert smoke.health is not None
    assert (smoke.health.name, smoke.health.status) == ("health", 200)
    assert smoke.checks[2].latency is not None
    assert (smoke.checks[2].latency.requests, smoke.checks[2].latency.p95_below) == (50, 0.2)


def test_a_file_without_gets_or_golden_has_no_health_and_the_usual_tolerance(tmp_path: Path) -> None:
    smoke = load(written(tmp_path, "version: 1\nchecks: [{name: a, post: /x, body: '', status: 4xx}]\n"), "s")
    assert (smoke.health, smoke.tolerance) == (None, 1e-6)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("get: /health", "gte: /health", "config-unknown-key", "did you mean 'get'"),
        ("get: /health", "get: health", "config-invalid", "pattern"),
        ("get: /health", "get: /health, post: /x", "config-invalid", "give one of"),
        (", get: /health", "", "config-invalid", "give one of"),
        ("get: /health", "get: /health, body: x", "config-invalid", "with post only"),
        ("get: /health", "post: /x, body: x, json_body: 1", "config-invalid", "one of them"),
        ("get: /health", "get: /health, status: 4xy", "config-invalid", "a class such as 4xx"),
        ("get: /health", "get: /health, status: 20", "config-invalid", "a class such as 4xx"),
        ("golden: {tolerance: 0.5}", "golden: {}, status: 200", "config-invalid", "say nothing about a golden"),
        ("golden: {tolerance: 0.5}", "golden: {tolerance: -1}", "config-invalid", "greater than or equal"),
        ("p95_below: 200ms", "p95_below: 200", "config-invalid", "a duration is"),
        ("name: golden", "name: health", "config-invalid", "two checks are called"),
        ("predictions[*].score", "predictions[", "config-invalid", "JMESPath"),
        ('"{rows}"', '"rows"', "config-invalid", "must hold the text"),
        ("predict:", "# predict:", "config-invalid", "'golden' needs it"),
        ("version: 1", "version: 2", "config-invalid", "1"),
    ],
)
def test_each_mistake_has_its_place(tmp_path: Path, old: str, new: str, code: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as refusal:
        load(written(tmp_path, GOOD.replace(old, new, 1)), "smoke.yml")
    assert [found.code for found in refusal.value.findings] == [code]
    assert said in refusal.value.findings[0].message
    assert refusal.value.findings[0].where.file == "smoke.yml"
    assert "docs/smoke.md" in refusal.value.findings[0].remedy


def test_no_checks_are_an_error(tmp_path: Path) -> None:
    for text in ("version: 1\nchecks: []\n", "version: 1\n", "version: 1\nchecks:\n"):
        with pytest.raises(BadInput, match="checks"):
            load(written(tmp_path, text), "smoke.yml")


@pytest.mark.parametrize(
    ("checks", "said"),
    [(" []", "'checks': this is empty: write at least one"), ("", "'checks': a list is expected here")],
)
def test_a_list_without_items_is_told_in_plain_words(tmp_path: Path, checks: str, said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        load(written(tmp_path, f"version: 1\nchecks:{checks}\n"), "smoke.yml")
    (found,) = refusal.value.findings
    assert (found.message, found.where.line) == (said, 2)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="file-missing"):
        load(tmp_path / "smoke.yml", "smoke.yml")
