"""The release's comment: what it must say first at each point of a rollout, golden files, its limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.report.cells import NOTHING
from release_gate.report.comment import LIMIT
from release_gate.report.release import Answers, Release, Step, percent, release_comment, span
from release_gate.report.revert import LONGEST_TITLE, revert_body, revert_title
from tests.conftest import Golden
from tests.report import releases
from tests.report.rendering import assert_ours

GOLDEN = Path(__file__).parent / "golden"
MARKER = "<!-- release-gate:release v1 model=flight-delay sequence=20 -->"
CASES = {
    "registered": releases.REGISTERED,
    "rolling": releases.ROLLING,
    "promoted": releases.PROMOTED,
    "taken_back": releases.TAKEN_BACK,
    "rolled_back": releases.ROLLED_BACK,
    "hostile": releases.HOSTILE,
}


@pytest.mark.parametrize("name", CASES)
def test_release_as_reviewed(name: str, golden: Golden) -> None:
    text = release_comment(CASES[name], MARKER)
    assert len(assert_ours(text).comments) == 1
    golden(GOLDEN / f"release_{name}.md", text)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (releases.REGISTERED, "takes no traffic yet"),
        (releases.ROLLING, "takes 50% of the traffic"),
        (replace(releases.ROLLING, phase="baking"), "takes all traffic and is still watched"),
        (releases.PROMOTED, "serves all users"),
        (releases.TAKEN_BACK, "was taken back automatically"),
        (releases.ROLLED_BACK, "was rolled back by octocat"),
        (replace(releases.ROLLED_BACK, by=""), "was rolled back\n"),
    ],
)
def test_the_second_line_says_where_it_stands(view: Release, words: str) -> None:
    marker, headline = release_comment(view, MARKER).split("\n")[:2]
    assert marker == MARKER
    assert headline.startswith("### ")
    assert words.strip() in headline


def test_what_serves_is_said_to_be_unknown_where_it_is() -> None:
    assert "**Serves now:** not known" in release_comment(replace(releases.PROMOTED, serves=()))
    assert "**Serves now:** `3f2a91c07b5e`, the version of this pull request\n" in release_comment(releases.PROMOTED)
    halves = "`b7d0aa12cc91` with 50% of the traffic, `3f2a91c07b5e` with 50% of the traffic"
    assert halves in release_comment(releases.ROLLING)
    assert "**Serves now:** `b7d0aa12cc91`, the version before\n" in release_comment(
        replace(releases.TAKEN_BACK, serves=((releases.BEFORE, 1.0), (releases.NEW, 0.0)))
    )


def test_answers_stand_by_version_and_step_and_are_never_added_up() -> None:
    text = release_comment(releases.PROMOTED)
    assert "| 5% | new | 1,512 | 3 (0.2%) | 12 (0.79%) |" in text
    assert "112,745" not in text


def test_slow_answers_nobody_measures_have_no_column() -> None:
    assert "Slow" not in release_comment(releases.TAKEN_BACK)
    half = replace(releases.FIRST, answers=(Answers(releases.NEW, 0, 0, 0), Answers("sha256:ab", 5, 0)))
    assert "| 5% | new | 0 | 0 | 0 |" in release_comment(replace(releases.ROLLING, steps=(half,)))
    assert f"| `ab` | 5 | 0 | {NOTHING} |" in release_comment(replace(releases.ROLLING, steps=(half,)))


@pytest.mark.parametrize("limit", [LIMIT, 20_000, 5_000, 2_500])
def test_a_long_story_is_cut_and_never_in_its_headline(limit: int) -> None:
    steps = tuple(replace(releases.FIRST, since=releases.START + timedelta(hours=hour)) for hour in range(51))
    view = replace(
        releases.ROLLED_BACK,
        because="$" * 2000,
        to_do="_" * 2000,
        steps=steps,
        owed=("@" * 2000,) * 100,
        commands=("$ x" * 600,) * 200,
    )
    text = release_comment(view, MARKER, limit)
    assert len(text.encode()) <= limit
    assert "was rolled back by octocat" in text
    assert "more" in text
    assert_ours(text)


def test_how_long_a_step_lasted_is_said_in_words() -> None:
    assert [span(seconds) for seconds in (45, 600, 7500)] == ["45 s", "10 min", "2 h 5 min"]
    assert [percent(share) for share in (0.05, 1.0, 0.0025)] == ["5%", "100%", "0.25%"]


TEXTS = st.text(max_size=60) | st.sampled_from([releases.ATTACK, "```", "</details>", "| x |", "\n\n# x", "- ", ""])


@settings(max_examples=60)
@given(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=3), st.integers(min_value=1200, max_value=20_000))
def test_no_text_breaks_the_comment(because: str, by: str, url: str, lines: list[str], limit: int) -> None:
    view = replace(
        releases.HOSTILE,
        because=because,
        by=by,
        run_url=url,
        commands=tuple(lines),
        owed=tuple(lines),
        revert=(1, url),
        steps=(Step(0.1, releases.START, 5, "blind", (Answers(because, 1, 0),)),),
    )
    assert_ours(release_comment(view, MARKER, limit))


def test_a_revert_says_what_happened_and_what_merging_it_does_not_do(golden: Golden) -> None:
    marker = "<!-- release-gate:revert v1 pull=12 -->"
    text = revert_body(releases.REVERTED, marker)
    assert text.startswith(f"{marker}\n")
    assert "until main builds, bit for bit, the version that serves" in text
    assert "hold --lift" in text
    assert len(assert_ours(text).comments) == 1
    golden(GOLDEN / "revert.md", text)
    assert "hold --lift" not in revert_body(replace(releases.REVERTED, held=False, restored=None), marker)


@given(TEXTS, TEXTS)
def test_no_text_breaks_the_description_of_a_revert(words: str, url: str) -> None:
    view = replace(releases.REVERTED, because=words, by=words, model=words, url=url, run_url=url, what="rolled-back")
    assert_ours(revert_body(view, "<!-- x -->"))


def test_the_title_of_a_revert_is_one_line_of_bounded_length() -> None:
    assert revert_title(releases.REVERTED) == 'Revert "Use the schedule of summer"'
    long = revert_title(replace(releases.REVERTED, title="a\nb" * 300))
    assert len(long) == LONGEST_TITLE
    assert "\n" not in long
