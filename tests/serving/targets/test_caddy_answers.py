"""Totals from the log: every line once, whoever is killed and whatever is rolled."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.counts import Counts
from release_gate.serving.targets.caddy_answers import Answers


def line(number: int, version: str | None = "a", status: int = 200, seconds: float = 0.1) -> str:
    fields: dict[str, object] = {"duration": seconds + number * 1e-9 if seconds else 0, "size": 1, "status": status}
    if version is not None:
        fields["version"] = version
    return json.dumps(fields) + "\n"


def answers(folder: Path, above: float | None = 0.2) -> Answers:
    return Answers(folder / "answers.log", folder / "answers.json", above)


def test_requests_errors_and_slow_answers_are_told_apart(tmp_path: Path) -> None:
    rows = [
        line(1),
        line(2, status=404),
        line(3, status=500),
        line(4, status=502, seconds=0.3),
        line(5, seconds=0.21),
        line(6, seconds=0),  # broke off halfway
        line(7, status=499),  # the client left
        line(8, "b"),
        line(9, None),
        line(10, "-"),
        "not json\n",
        "[]\n",
        '{"status": "x", "duration": 1, "version": "a"}\n',
    ]
    (tmp_path / "answers.log").write_text("".join(rows))
    expected = {"a": Counts(requests=7, errors=3, slow=2), "b": Counts(requests=1, errors=0, slow=0)}
    assert answers(tmp_path).count() == expected
    assert answers(tmp_path).count() == expected


def test_without_a_log_there_are_no_totals(tmp_path: Path) -> None:
    assert answers(tmp_path).count() == {}


def test_where_slow_means_nothing_it_is_not_counted_and_another_bound_counts_anew(tmp_path: Path) -> None:
    (tmp_path / "answers.log").write_text(line(1, seconds=0.3) + line(2))
    assert answers(tmp_path, None).count() == {"a": Counts(requests=2, errors=0)}
    assert answers(tmp_path, 0.2).count() == {"a": Counts(requests=2, errors=0, slow=1)}
    assert answers(tmp_path, 0.01).count() == {"a": Counts(requests=2, errors=0, slow=2)}


def test_a_line_half_written_counts_when_it_is_whole(tmp_path: Path) -> None:
    log, whole = tmp_path / "answers.log", line(1) + line(2)
    for length in (3, len(line(1)) - 1, len(line(1)), len(whole) - 2, len(whole)):
        log.write_text(whole[:length])
        counted = answers(tmp_path).count()
    assert counted == {"a": Counts(requests=2, errors=0, slow=0)}


def test_a_note_that_is_broken_counts_anew(tmp_path: Path) -> None:
    (tmp_path / "answers.log").write_text(line(1))
    answers(tmp_path).count()
    (tmp_path / "answers.json").write_text("{")
    assert answers(tmp_path).count() == {"a": Counts(requests=1, errors=0, slow=0)}


@given(st.lists(st.sampled_from(["answer", "roll", "look", "killed look"]), max_size=30))
def test_every_answer_counts_once_across_rolls_and_kills(happenings: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, given_, rolls = folder / "answers.log", 0, 0
        for happening in happenings:
            if happening == "answer":
                given_ += 1
                with log.open("a") as file:
                    file.write(line(given_))
            elif happening == "roll" and log.exists():
                rolls += 1
                log.rename(folder / f"answers-2026-01-01T00-00-{rolls:02}.000.log")
            elif happening == "look":
                counted = answers(folder).count()
                assert sum(one.requests for one in counted.values()) == given_
            elif happening == "killed look":
                note = folder / "answers.json"
                before = note.read_bytes() if note.exists() else None
                answers(folder).count()
                if before is not None:
                    note.write_bytes(before)
        counted = answers(folder).count()
        assert sum(one.requests for one in counted.values()) == given_


@pytest.mark.parametrize("gone", [True, False])
def test_where_the_file_we_were_in_is_rolled_away_counting_goes_on_with_what_is_left(
    tmp_path: Path, gone: bool
) -> None:
    log = tmp_path / "answers.log"
    log.write_text(line(1) + line(2))
    answers(tmp_path).count()
    log.rename(tmp_path / "answers-1.log")
    if gone:
        (tmp_path / "answers-1.log").unlink()
    log.write_text(line(3))
    assert answers(tmp_path).count()["a"].requests == 3
