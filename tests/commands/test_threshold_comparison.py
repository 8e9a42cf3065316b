"""`threshold-comparison` on files: both forms, what it names when files are missing, and what it judged."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from release_gate.cli import cli
from release_gate.lifecycle.events import Draft, Event
from release_gate.registry.ledger import Ledger
from release_gate.registry.stores.folder import FolderStore
from release_gate.verdict import Outcome, Severity, Verdict

COUNT = 900
CONFIG = """version: 1
model: demo
owner: "@octo-air"
contracts: {c.yml: d.parquet}
candidate: {train: t, predict: p}
evaluation: {data: evaluation.parquet, key: id, label: late, group: date}
thresholds:
  - {metric: roc_auc, at_least: 0.7, no_worse_than_production_by: 0.05}
  - {metric: roc_auc, no_worse_than_production_by: 0.2, slices: [carrier], role: guard}
"""
DIGEST, OLDER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
BUILD = Path(".release-gate/run/demo/build")


def write(name: str | Path, **columns: Any) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_parquet(path)
    return path


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository after build-candidate, with a version in production."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    labels = random.random(COUNT) < 0.4
    noise = random.normal(size=COUNT)
    keys = np.arange(COUNT)
    carrier = np.array(["UA", "HA"], dtype=object)[keys % 2]
    write("evaluation.parquet", id=keys, late=labels, date=keys // 20, carrier=carrier, extra=noise)
    production = 1 / (1 + np.exp(-(1.5 * labels + noise)))
    candidate = 1 / (1 + np.exp(-(1.5 * labels + noise + 0.1 * random.normal(size=COUNT))))
    write(BUILD / "candidate.parquet", id=keys[::-1], score=candidate[::-1])
    write(BUILD / "production.parquet", id=keys, score=production)
    write(BUILD / "bad.parquet", id=keys, score=random.random(COUNT))
    facts({"package": {"digest": DIGEST}, "production": {"digest": OLDER}})
    Path("release-gate.yml").write_text(CONFIG)


def facts(value: Any) -> None:
    (BUILD / "build.json").write_text(json.dumps(value))


def run(*arguments: str) -> tuple[int, Verdict]:
    done = CliRunner().invoke(cli, ["threshold-comparison", "--format", "json", *arguments], catch_exceptions=False)
    return done.exit_code, Verdict.parse(done.stdout.encode())


def codes(verdict: Verdict) -> list[str]:
    return [found.code for found in verdict.findings]


def test_the_configured_form_judges_what_was_built_and_keeps_its_verdict() -> None:
    status, verdict = run()
    assert (status, verdict.outcome, codes(verdict)) == (0, Outcome.PASS, [])
    data = hashlib.sha256(Path("evaluation.parquet").read_bytes()).hexdigest()
    found = {one.kind: one for one in verdict.subjects}
    assert found["package"].identity == DIGEST
    assert found["production"].identity == OLDER
    assert found["data"].identity == f"sha256:{data}"
    assert found["policy"].name == "release-gate.yml"
    kept = Path(".release-gate/run/demo/verdicts/threshold-comparison.json")
    assert Verdict.parse(kept.read_bytes()) == verdict
    assert run()[1].tables == verdict.tables


def test_a_bad_candidate_is_blocked() -> None:
    (BUILD / "bad.parquet").replace(BUILD / "candidate.parquet")
    status, verdict = run()
    assert status == 1
    assert set(codes(verdict)) == {"metric-below-bar", "worse-than-production"}


def test_an_open_goal_ends_with_three() -> None:
    Path("release-gate.yml").write_text(CONFIG.replace("no_worse_than_production_by: 0.05", "at_most: 0.86"))
    status, verdict = run()
    assert (status, verdict.outcome) == (3, Outcome.INCONCLUSIVE)
    assert codes(verdict) == ["inconclusive-goal"]


def test_a_first_release_is_one_only_if_the_build_says_so() -> None:
    (BUILD / "production.parquet").unlink()
    status, verdict = run()
    assert (status, verdict.outcome, codes(verdict)) == (2, Outcome.ERROR, ["production-missing"])
    facts({"package": {"digest": DIGEST}, "production": None})
    status, verdict = run()
    assert (status, codes(verdict)) == (0, ["no-production-first-release"])
    assert "production" not in {one.kind for one in verdict.subjects}


def test_production_s_predictions_of_an_earlier_run_are_not_read_on_a_first_release() -> None:
    facts({"package": {"digest": DIGEST}, "production": None})
    assert codes(run()[1]) == ["no-production-first-release"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "[]",
        "{}",
        json.dumps({"package": {"digest": DIGEST}}),
        json.dumps({"production": None}),
        json.dumps({"package": {"digest": DIGEST}, "production": {}}),
        json.dumps({"package": {"digest": 7}, "production": None}),
        "[" * 100_000,
    ],
)
def test_without_the_facts_of_the_build_nothing_is_judged(content: str | None) -> None:
    (BUILD / "build.json").unlink() if content is None else (BUILD / "build.json").write_text(content)
    status, verdict = run()
    assert (status, codes(verdict)) == (2, ["build-facts-missing"])


def test_missing_files_and_columns_are_named() -> None:
    (BUILD / "candidate.parquet").rename(BUILD / "away.parquet")
    status, verdict = run()
    assert (status, codes(verdict)) == (2, ["candidate-missing"])
    assert ".release-gate/run/demo/build" in verdict.findings[0].message
    write(BUILD / "candidate.parquet", id=[1], probability=[0.5])
    assert codes(run()[1]) == ["prediction-column-missing"]
    (BUILD / "candidate.parquet").write_bytes(b"PAR1 no")
    assert codes(run()[1]) == ["file-unreadable"]
    write("evaluation.parquet", id=[1], late=[1])
    assert codes(run()[1]) == ["evaluation-column-missing"]
    Path("evaluation.parquet").unlink()
    assert codes(run()[1]) == ["file-missing"]


def test_a_column_to_slice_by_that_the_data_lack_is_named() -> None:
    Path("release-gate.yml").write_text(CONFIG.replace("[carrier]", "[carrier, origin]"))
    status, verdict = run()
    assert (status, codes(verdict)) == (1, ["slice-column-missing"])


class TestBaseConfig:
    """The stricter of base and head judges."""

    def test_a_bar_loosened_by_the_pull_request_still_holds(self) -> None:
        Path("base.yml").write_text(CONFIG.replace("at_least: 0.7", "at_least: 0.95"))
        status, verdict = run("--base-config", "base.yml")
        assert (status, codes(verdict)) == (1, ["metric-below-bar"])
        assert verdict.findings[0].where.file == "base.yml"
        assert [one.name for one in verdict.subjects if one.kind == "policy"] == ["release-gate.yml", "base.yml"]

    def test_a_model_that_the_base_does_not_know_is_judged_by_its_own_bars(self) -> None:
        Path("base.yml").write_text(CONFIG.replace("model: demo", "model: other"))
        assert run("--base-config", "base.yml")[0] == 0

    def test_a_base_that_can_t_be_read_judges_nothing(self) -> None:
        status, verdict = run("--base-config", "base.yml")
        assert (status, codes(verdict)) == (2, ["config-missing"])


ALONE = ["--thresholds", "t.yml", "--key", "id", "--label", "late", "--score", "score"]


class TestStandAlone:
    """Without release-gate.yml."""

    @pytest.fixture(autouse=True)
    def _bars(self) -> None:
        Path("release-gate.yml").unlink()
        Path("t.yml").write_text("- {metric: roc_auc, at_least: 0.7, no_worse_than_production_by: 0.15}\n")

    def test_predictions_and_data_in_files_of_their_own(self) -> None:
        files = ["--candidate", str(BUILD / "candidate.parquet"), "--production", str(BUILD / "production.parquet")]
        status, verdict = run(
            *ALONE, *files, "--evaluation", "evaluation.parquet", "--group", "date", "--slice", "carrier"
        )
        assert (status, codes(verdict), verdict.model) == (0, [], "-")
        assert {row[1] for row in verdict.tables[0].rows} == {"all rows", "carrier=HA", "carrier=UA"}
        assert {one.kind for one in verdict.subjects} == {"data", "policy", "model", "production"}

    def test_labels_may_stand_in_the_candidate_s_file(self) -> None:
        labels = pd.read_parquet("evaluation.parquet").set_index("id")["late"]
        scored = pd.read_parquet(BUILD / "candidate.parquet")
        write("both.parquet", id=scored["id"], score=scored["score"], late=labels.loc[scored["id"]].to_numpy())
        status, verdict = run(*ALONE, "--candidate", "both.parquet", "--model", "mine")
        assert (status, codes(verdict), verdict.model) == (0, ["no-production-first-release"], "mine")

    def test_what_is_missing_is_named(self) -> None:
        done = CliRunner().invoke(cli, ["threshold-comparison", "--thresholds", "t.yml", "--key", "id"])
        assert done.exit_code == 2
        assert "--candidate, --label, --score" in done.output
        done = CliRunner().invoke(
            cli, ["threshold-comparison", *ALONE, "--candidate", "x.parquet", "--base-config", "b.yml"]
        )
        assert done.exit_code == 2
        assert "--base-config belongs to release-gate.yml" in done.output

    def test_a_mistake_among_the_thresholds_is_told_with_its_place(self) -> None:
        Path("t.yml").write_text("- {metric: roc_auc, at_leest: 0.7}\n")
        status, verdict = run(*ALONE, "--candidate", "x.parquet")
        assert (status, codes(verdict)) == (2, ["config-unknown-key"])
        assert str(verdict.findings[0].where) == "t.yml:1:21"

    def test_inputs_arrive_by_environment_as_in_a_docker_action(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "INPUT_THRESHOLDS": "t.yml", "INPUT_KEY": "id", "INPUT_LABEL": "late", "INPUT_SCORE": "score",
            "INPUT_CANDIDATE": str(BUILD / "candidate.parquet"), "INPUT_EVALUATION": "evaluation.parquet",
            "INPUT_SLICE": "carrier\ndate\n", "INPUT_PRODUCTION": "", "INPUT_GROUP": "",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        status, verdict = run()
        assert status == 3
        assert codes(verdict) == ["no-production-first-release", "slices-unjudged"]
        assert (verdict.findings[1].where.slice, verdict.findings[1].where.metric) == ("date", "roc_auc")


def in_production(digest: str | None, model: str = "demo", registry: str = ".release-gate/registry") -> None:
    """A ledger in this checkout: the model is known, and what serves it is too."""

    def draft(history: Sequence[Event]) -> Draft:
        serves: Any = {"package": digest, "serves": "on-registration"} if digest else {}
        kind = "registered" if digest else "held"
        return Draft(at=datetime(2026, 1, 1, tzinfo=UTC), actor="octocat", kind=kind, because="a test", **serves)

    Ledger(FolderStore(Path(registry)), model).append(draft)


class TestTheLedgerOfThisCheckout:
    """build.json comes from a job that runs the caller's code, so the ledger has its own word."""

    @pytest.mark.parametrize(
        ("known", "built"), [(OLDER, None), (OLDER, f"sha256:{'c' * 64}"), (None, OLDER), (DIGEST, OLDER)]
    )
    def test_a_build_that_names_another_production_fails_and_nothing_is_compared(
        self, known: str | None, built: str | None
    ) -> None:
        in_production(known)
        facts({"package": {"digest": DIGEST}, "production": built and {"digest": built}})
        status, verdict = run()
        assert (status, verdict.outcome, codes(verdict)) == (1, Outcome.FAIL, ["production-disagrees"])
        assert (verdict.tables, [one.kind for one in verdict.subjects]) == ([], ["package"])
        said, stands = (one or "no version" for one in (built, known))
        assert f"build.json names {said} as production" in verdict.findings[0].message
        assert f"the ledger in .release-gate/registry has {stands} there" in verdict.findings[0].message

    @pytest.mark.parametrize("on_github", [False, True])
    def test_agreement_has_nothing_to_say(self, on_github: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        if on_github:
            on_a_runner(monkeypatch)
        in_production(OLDER)
        assert (run()[0], codes(run()[1])) == (0, [])

    def test_a_new_model_beside_others_is_a_plain_first_release(self, monkeypatch: pytest.MonkeyPatch) -> None:
        on_a_runner(monkeypatch)
        in_production(OLDER, model="other")
        facts({"package": {"digest": DIGEST}, "production": None})
        assert codes(run()[1]) == ["no-production-first-release"]

    def test_the_registry_of_the_configuration_is_read(self) -> None:
        Path("release-gate.yml").write_text(f"{CONFIG}registry: releases\n")
        in_production(DIGEST, registry="releases")
        assert codes(run()[1]) == ["production-disagrees"]

    def test_a_broken_ledger_can_t_be_judged_by(self) -> None:
        in_production(OLDER)
        (event,) = Path(".release-gate/registry/ledger/demo").iterdir()
        event.write_bytes(b"{")
        status, verdict = run()
        assert (status, codes(verdict)) == (4, ["ledger-broken"])

    def test_a_runner_without_registry_is_warned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        on_a_runner(monkeypatch)
        status, verdict = run()
        assert (status, codes(verdict)) == (0, ["registry-not-kept"])
        assert f"only build.json says that {OLDER} is in production" in verdict.findings[0].message
        facts({"package": {"digest": DIGEST}, "production": None})
        status, verdict = run()
        assert (status, codes(verdict)) == (0, ["no-production-first-release", "registry-not-kept"])
        assert verdict.findings[1].severity is Severity.WARNING
        assert verdict.findings[1].message.startswith(
            "the registry .release-gate/registry is not in this checkout, so nothing is known of production and "
            "every candidate counts as a first release; commit it (`registry: releases`)"
        )


def on_a_runner(monkeypatch: pytest.MonkeyPatch, event: str = "push") -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)


def git(*arguments: str) -> None:
    author = ["-c", "user.name=octo-air", "-c", "user.email=octo-air@example.org"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)


def branched_with(config: str, base: str = CONFIG) -> None:
    """A branch whose only change is the configuration."""
    git("init", "-q", "-b", "main")
    Path("release-gate.yml").write_text(base)
    git("add", "release-gate.yml")
    git("commit", "-qm", "bars")
    git("switch", "-qc", "looser")
    Path("release-gate.yml").write_text(config)
    git("commit", "-qam", "looser bars")


LOOSE = CONFIG.replace("at_least: 0.7, no_worse_than_production_by: 0.05", "at_least: 0.1").replace("0.2,", "0.9,")


def test_a_bar_loosened_on_a_branch_judges_only_after_the_merge() -> None:
    (BUILD / "bad.parquet").replace(BUILD / "candidate.parquet")
    branched_with(LOOSE)
    status, verdict = run()
    assert status == 1
    assert {found.where.file for found in verdict.findings} == {"release-gate.yml at the merge base with main"}
    assert [one.name for one in verdict.subjects if one.kind == "policy"] == [
        "release-gate.yml",
        "release-gate.yml at the merge base with main",
    ]
    git("switch", "-q", "main")
    git("merge", "-q", "looser")
    assert run()[0] == 0


@pytest.mark.parametrize(
    ("event", "status"), [("pull_request", 1), ("merge_group", 1), ("push", 0), ("workflow_dispatch", 0)]
)
def test_on_a_runner_the_base_judges_what_waits_to_be_merged(
    event: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (BUILD / "bad.parquet").replace(BUILD / "candidate.parquet")
    branched_with(LOOSE)
    on_a_runner(monkeypatch, event)
    assert run()[0] == status


def test_a_base_that_was_not_fetched_or_can_t_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q", "-b", "main")
    git("add", "release-gate.yml")
    git("commit", "-qm", "the only commit")
    on_a_runner(monkeypatch, "pull_request")
    in_production(OLDER)
    status, verdict = run()
    assert (status, codes(verdict)) == (1, ["base-not-fetched"])
    Path("release-gate.yml").write_text("version: 1\nmodle: x\n")
    git("commit", "-qam", "broken")
    Path("release-gate.yml").write_text(CONFIG)
    git("commit", "-qam", "mended")
    status, verdict = run()
    assert (status, codes(verdict)) == (0, ["base-policy-unreadable"])


def test_evaluation_data_that_changes_with_the_candidate_is_flagged() -> None:
    branched_with(CONFIG + "# a comment\n")
    git("switch", "-q", "main")
    git("add", "--force", "evaluation.parquet")
    git("commit", "-qm", "data")
    git("switch", "-qc", "fewer-rows")
    assert codes(run()[1]) == []
    pd.read_parquet("evaluation.parquet").iloc[::-1].to_parquet("evaluation.parquet")
    git("commit", "-qam", "other rows")
    status, verdict = run()
    assert (status, codes(verdict)) == (0, ["evaluation-changed"])
    digest = hashlib.sha256(Path("evaluation.parquet").read_bytes()).hexdigest()
    rows = Path("evaluation.parquet").read_bytes()
    git("switch", "-q", "main")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(rows)}\n"
    Path("evaluation.parquet").write_text(pointer)
    git("commit", "-qam", "kept by Git LFS")
    git("switch", "-qc", "same-rows")
    Path("other").write_text("x")
    git("add", "other")
    git("commit", "-qm", "other")
    Path("evaluation.parquet").write_bytes(rows)
    assert codes(run()[1]) == []


def test_a_change_that_rewrites_the_ledger_is_blocked() -> None:
    branched_with(CONFIG + "# a comment\n", base=CONFIG.replace("owner:", "registry: releases\nowner:"))
    git("switch", "-q", "main")
    event = Path("releases/ledger/demo/00000001.json")
    event.parent.mkdir(parents=True)
    event.write_text("{}")
    git("add", "releases")
    git("commit", "-qm", "a release")
    git("switch", "-qc", "first-again")
    git("rm", "-rq", "releases")
    git("commit", "-qm", "nothing was released")
    status, verdict = run()
    assert (status, codes(verdict)) == (1, ["ledger-rewritten"])
    assert "00000001.json" in verdict.findings[0].message
