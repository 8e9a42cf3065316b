"""What README and docs show really works: configurations are read, commands exist, callers are right."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

from release_gate import config
from release_gate.cli import cli
from release_gate.documents import parse
from release_gate.serving.checks import load

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_script_shown_exists(page: Path) -> None:
    text = page.read_text()
    context = click.Context(cli)
    shown = re.findall(r"`release-gate ([a-z-]+)", text)
    for block in blocks(page, "sh"):
        shown += re.findall(r"^release-gate ([a-z-]+)", block, re.MULTILINE)
    for name in shown:
        assert cli.get_command(context, name) is not None, name
    for script in re.findall(r"`?(scripts/[a-z]+)`", text):
        assert (ROOT / script).exists(), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_configuration_of_the_readme_is_read() -> None:
    [shown] = [block for block in blocks(ROOT / "README.md", "yaml") if block.startswith("version: 1")]
    assert config.parsed(parse(shown.encode(), "README.md")).models[0].model == "flight-delay"
    assert len(shown.splitlines()) == 15


def test_the_smoke_file_of_the_docs_is_read(tmp_path: Path) -> None:
    file = tmp_path / "smoke.yml"
    file.write_text(blocks(ROOT / "docs" / "smoke.md", "yaml")[0])
    assert len(load(file, "smoke.yml").checks) == 6


def test_the_owners_of_the_docs_are_read() -> None:
    [config_, *_] = [block for block in blocks(ROOT / "README.md", "yaml") if block.startswith("version: 1")]
    for block in blocks(ROOT / "docs" / "rollback-readiness.md", "yaml"):
        text = config_.replace('owner: "@octocat"\n', block)
        assert config.parsed(parse(text.encode(), "docs")).models[0].owner.people[-1] == "@octo-air/ml"


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "github.md"], ids=lambda page: page.name)
def test_callers_grant_what_the_workflow_asks_for(page: Path) -> None:
    [caller] = [yaml.safe_load(block) for block in blocks(page, "yaml") if "gate.yml@" in block]
    jobs = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())["jobs"]
    asked = {name: level for job in jobs.values() for name, level in job["permissions"].items()}
    assert caller["jobs"]["gate"]["permissions"] == asked


def test_every_page_of_the_docs_is_linked() -> None:
    text = (ROOT / "README.md").read_text()
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert f"docs/{page.name}" in text, page.name
