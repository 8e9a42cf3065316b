"""A batch model through the real commands: shadow table, pointer, the way back, and kills in between."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from release_gate.lifecycle.rollout import Promote, Step, next_action, schedule_of
from release_gate.rollouts import Rollout
from tests.commands.batch_project import Batch, made
from tests.commands.world import World
from tests.tiny.project import Project, make

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = "2026-01-01", "2026-01-02", "2026-01-03"


@pytest.fixture(scope="session")
def pending_once(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Batch:
    batch = made(make(tmp_path_factory.mktemp("pending") / "caller", cache))
    batch.publish()
    batch.deploy()
    batch.weight("0.25", "0.26")
    batch.publish()
    return batch


@pytest.fixture(scope="session")
def both_once(tmp_path_factory: pytest.TempPathFactory, pending_once: Batch) -> Batch:
    batch = copied(pending_once, tmp_path_factory.mktemp("both") / "caller")
    batch.deploy()
    return batch


def copied(batch: Batch, folder: Path, capsys: Capture | None = None) -> Batch:
    shutil.copytree(batch.root, folder, symlinks=True)
    return Batch(Project(folder, batch.project.cache), capsys)


@pytest.fixture
def fresh(project: Project, capsys: Capture) -> Batch:
    """Nothing is published."""
    return Batch(made(project).project, capsys)


@pytest.fixture
def pending(pending_once: Batch, tmp_path: Path, capsys: Capture) -> Batch:
    """One version is released, the next is published."""
    return copied(pending_once, tmp_path / "caller", capsys)


@pytest.fixture
def both(both_once: Batch, tmp_path: Path, capsys: Capture) -> Batch:
    """Two versions are released, one after the other."""
    return copied(both_once, tmp_path / "caller", capsys)


def versions(batch: Batch) -> tuple[str, str]:
    old, new = batch.state().registered
    return old, new


def test_two_releases_a_rollback_and_the_daily_job(fresh: Batch) -> None:
    batch = fresh
    old = batch.publish()
    assert batch.state().production is None, "registered, not released"
    said = batch.say("deploy")
    assert (said.code, said.codes) == (0, []), said.text
    assert {"deploy-promoted", "shadow-first", "partitions-scored"} <= set(said.notes)
    assert (batch.state().production, batch.pointer["version"], batch.pointer["previous"]) == (old, old, None)
    assert batch.scores(old, SECOND) == [0.25 * one / 20 for one in range(20)]
    assert batch.whole

    batch.weight("0.25", "0.3")
    new = batch.publish()
    said = batch.say("deploy")
    assert (said.code, said.codes) == (0, []), said.text
    assert said.verdict is not None
    (compared,) = [one for one in said.verdict.findings if one.code == "shadow-compared"]
    assert compared.evidence["share_changed"] == 0.0
    assert compared.evidence["mean_after"] == pytest.approx(0.3 * 9.5 / 20)
    assert [one.title for one in said.verdict.tables] == ["Shadow table against the one in use"]
    assert (batch.pointer["version"], batch.pointer["previous"]["version"]) == (new, old)

    batch.partition(THIRD)
    batch.partition(FIRST, rows=30)
    said = batch.say("deploy")
    assert (said.code, said.notes) == (0, ["deploy-serves", "partitions-scored"]), said.text
    assert sorted(batch.manifest(new)["partitions"]) == [FIRST, SECOND, THIRD]
    assert len(batch.scores(new, FIRST)) == 30
    assert sorted(batch.manifest(old)["partitions"]) == [FIRST, SECOND], "only what serves is kept up to date"

    said = batch.say("rollback", "--because", "too high")
    assert said.code == 0, said.text
    assert (batch.state().production, batch.pointer["version"]) == (old, old)
    assert new in batch.state().blocked
    assert said.verdict is not None
    (missing,) = [one for one in said.verdict.findings if one.code == "partitions-to-score"]
    assert missing.evidence["partitions"] == [FIRST, THIRD]
    command = f"release-gate deploy --model tiny --version {old.removeprefix('sha256:')[:12]}"
    assert command in missing.message
    rows = said.verdict.tables[-1].rows
    assert rows == [[FIRST, "its rows changed since"], [THIRD, "never scored by this version"]]
    assert len(batch.scores(old, FIRST)) == 20, "nothing was scored on the way back"

    assert batch.say("deploy").codes == ["deploy-blocked"]
    said = batch.say(*command.split()[1:])
    assert said.code == 0, said.text
    assert len(batch.scores(old, FIRST)) == 30
    assert batch.say("deploy", "--version", "production").notes == ["deploy-serves"], "nothing is left to score"
    assert batch.whole


def test_a_candidate_whose_scores_jump_is_taken_back_before_the_pointer_moves(pending: Batch) -> None:
    batch = pending
    old, before = batch.pointer["version"], batch.pointer
    batch.weight("0.26", "0.9")
    bad = batch.publish()
    said = batch.say("deploy")
    assert said.code == 1, said.text
    assert said.codes == ["shadow-changed", "deploy-taken-back"]
    assert said.verdict is not None
    (changed,) = [one for one in said.verdict.findings if one.code == "shadow-changed"]
    assert changed.evidence["share_changed"] == pytest.approx(0.8)
    assert changed.evidence["changed_at_most"] == 0.5
    assert (batch.state().production, bad in batch.state().blocked) == (old, True)
    assert {**batch.pointer, "fence": 0} == {**before, "fence": 0}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("float = lambda _: builtins.float('nan')", "prediction-not-finite"),
        ("rows = rows.slice(1)", "prediction-rows-missing"),
    ],
)
def test_wrong_predictions_are_held_against_the_candidate(pending: Batch, wrong: str, found: str) -> None:
    batch = pending
    old, bad = versions(batch)
    # Only the new version predicts so, and only these rows.
    batch.plant(SECOND, f"import builtins\nif Path(model, 'model.txt').read_text() == '0.26': {wrong}")
    said = batch.say("deploy")
    assert said.code == 1, said.text
    assert said.codes[0] == found
    assert SECOND in said.message
    assert (batch.pointer["version"], bad in batch.state().blocked) == (old, True)


def test_killed_in_the_middle_of_scoring_it_goes_on_from_there(pending: Batch) -> None:
    batch = pending
    old, new = versions(batch)
    batch.partition(THIRD)
    # The supervisor of the command is our child: its parent is the release-gate that scores.
    kill = "import os, psutil, signal\n"
    kill += "if Path(model, 'model.txt').read_text() == '0.26':\n"
    kill += "    for one in psutil.Process().parents():\n"
    kill += "        if 'release_gate.cli' in ' '.join(one.cmdline()): os.kill(one.pid, signal.SIGKILL); break\n"
    kill += "    os._exit(1)\n"
    batch.plant(SECOND, kill)
    killed = batch.command_line("deploy")
    assert killed.returncode == -9, killed.stderr
    assert sorted(batch.manifest(new)["partitions"]) == [FIRST]
    assert batch.pointer["version"] == old
    assert batch.whole
    first = batch.manifest(new)["partitions"][FIRST]
    batch.marker.unlink()
    said = batch.say("deploy")
    assert said.code == 0, said.text
    assert batch.manifest(new)["partitions"][FIRST] == first, "what was scored is not scored again"
    assert (batch.state().production, batch.pointer["version"]) == (new, new)
    assert not list(batch.table(new).glob(".*")), "nothing is left in the making"


def test_a_prediction_that_dies_leaves_what_is_done_and_promotes_nothing(pending: Batch) -> None:
    batch = pending
    old, new = versions(batch)
    batch.plant(SECOND, "import os\nif Path(model, 'model.txt').read_text() == '0.26': os._exit(3)")
    said = batch.say("deploy")
    assert said.code == 3, said.text
    assert said.codes == ["predict-failed", "deploy-given-up"]
    assert (batch.pointer["version"], batch.state().production) == (old, old)
    assert new not in batch.state().blocked, "a process that dies proves nothing against the version"
    assert sorted(batch.manifest(new)["partitions"]) == [FIRST]
    batch.marker.unlink()
    assert batch.say("deploy", "--again").code == 0
    assert batch.pointer["version"] == new


def test_rows_that_can_not_be_read_are_not_held_against_the_candidate(pending: Batch) -> None:
    batch = pending
    old, new = versions(batch)
    (batch.root / "rows" / f"{THIRD}.parquet").write_bytes(b"no parquet")
    said = batch.say("deploy")
    assert "partition-unreadable" in said.codes
    assert said.code == 4, said.text
    assert (batch.pointer["version"], new in batch.state().blocked) == (old, False)


def test_a_new_partition_that_can_not_be_scored_is_an_error_of_the_daily_job(pending: Batch) -> None:
    batch = pending
    old, _ = versions(batch)
    batch.partition(THIRD)
    batch.plant(SECOND, "raise SystemExit('no')")
    batch.partition(SECOND, rows=5)
    said = batch.say("deploy", "--version", "production")
    assert (said.code, said.codes) == (4, ["predict-failed"]), said.text
    assert len(batch.scores(old, SECOND)) == 20, "the earlier predictions stay"
    assert THIRD in batch.manifest(old)["partitions"], "the others are scored all the same"
    assert batch.whole


def test_partitions_that_readers_would_lose_stop_the_release(pending: Batch) -> None:
    batch = pending
    old, _ = versions(batch)
    (batch.root / "rows" / f"{FIRST}.parquet").unlink()
    said = batch.say("deploy")
    assert said.codes == ["shadow-partitions-gone", "deploy-taken-back"], said.text
    assert batch.pointer["version"] == old


def test_partitions_taken_away_with_their_rows_are_retired(pending: Batch) -> None:
    batch = pending
    old, new = versions(batch)
    (batch.root / "rows" / f"{FIRST}.parquet").unlink()
    (batch.table(old) / f"{FIRST}.parquet").unlink()
    assert batch.say("deploy").code == 0
    assert sorted(batch.manifest(new)["partitions"]) == [SECOND]
    assert batch.pointer["version"] == new


def test_a_table_scored_earlier_brings_no_retired_partition_back(pending: Batch) -> None:
    batch = pending
    old, new = versions(batch)
    batch.partition("2026-01-00")
    batch.plant(SECOND, "import os\nif Path(model, 'model.txt').read_text() == '0.26': os._exit(3)")
    assert batch.say("deploy").code == 3
    assert "2026-01-00" in batch.manifest(new)["partitions"]
    batch.marker.unlink()
    (batch.root / "rows" / "2026-01-00.parquet").unlink()
    (batch.table(old) / "2026-01-00.parquet").unlink()
    said = batch.say("deploy", "--again")
    assert said.code == 0, said.text
    assert sorted(batch.manifest(new)["partitions"]) == [FIRST, SECOND]
    assert not (batch.table(new) / "2026-01-00.parquet").exists()


def test_a_rollback_scores_what_was_lost_of_the_table_it_restores(both: Batch) -> None:
    batch = both
    old, _ = versions(batch)
    (batch.table(old) / f"{FIRST}.parquet").write_bytes(b"damaged")
    said = batch.say("rollback")
    assert said.code == 0, said.text
    assert batch.pointer["version"] == old
    assert batch.scores(old, FIRST)[1] == 0.25 / 20
    assert batch.whole


def test_a_rollback_to_a_table_that_can_not_be_made_whole_leaves_the_pointer_where_it_was(both: Batch) -> None:
    batch = both
    old, new = versions(batch)
    shutil.rmtree(batch.table(old))
    shutil.rmtree(batch.root / "rows")
    said = batch.say("rollback")
    assert said.code == 4, said.text
    assert "rollback-unproven" in said.codes
    assert batch.pointer["version"] == new


def test_a_rollback_needs_no_ledger_and_no_rows(both: Batch) -> None:
    batch = both
    old, _ = versions(batch)
    shutil.rmtree(batch.root / "rows")
    events = batch.root / ".release-gate" / "registry" / "ledger"
    newest = max(path for path in events.rglob("*") if path.is_file())
    newest.write_bytes(b"{")
    said = batch.say("rollback")
    assert said.code == 0, said.text
    assert "rollback-unrecorded" in said.notes
    assert batch.pointer["version"] == old


def test_at_any_moment_the_pointer_names_a_whole_table(pending: Batch) -> None:
    batch = pending
    seen: list[bool] = []
    done = threading.Event()

    def reader() -> None:
        while not done.is_set():
            seen.append(batch.whole)

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        batch.partition(FIRST, rows=25)
        batch.partition(THIRD)
        assert batch.say("deploy").code == 0
        assert batch.say("rollback").code == 0
    finally:
        done.set()
        thread.join()
    assert len(seen) > 100
    assert all(seen)


def test_scoring_that_takes_longer_than_the_lease_is_not_given_up() -> None:
    world = World()
    digest = f"sha256:{'a' * 64}"
    rollout = Rollout.model_validate({"target": {"batch": {"data": "rows", "tables": "t", "pointer": "p"}}})
    schedule = schedule_of(rollout, first=False)
    assert (schedule.watched, [one.share for one in schedule.stages]) == (False, [1.0])
    world.happened("registered", digest, serves="after-rollout")
    world.happened("deployed", digest, schedule=schedule)
    world.happened("stepping", digest, step=1, share=1.0)
    now = world.now() + timedelta(seconds=100 * rollout.lease)
    assert next_action(world.state, digest, rollout, now=now) == Step(1, 1.0)
    world.happened("stepped", digest, step=1, share=1.0)
    assert next_action(world.state, digest, rollout, now=now) == Promote()


def test_no_address_answers_for_a_table(pending: Batch) -> None:
    batch = pending
    assert batch.say("smoke-test").codes == ["smoke-no-target"]
