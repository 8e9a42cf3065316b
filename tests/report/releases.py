"""Releases as pull requests are told of them, from the merge to the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from release_gate.report.release import Answers, Release, Step
from release_gate.report.revert import Reverted

NEW = "sha256:3f2a91c07b5e" + "d" * 52
BEFORE = "sha256:b7d0aa12cc91" + "e" * 52
COMMIT = "4e1f0c9d8b7a6655443322110099887766554433"
START = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
RUN = "https://github.com/octo-air/flight-delay/actions/runs/9001"
PULL = "https://github.com/octo-air/flight-delay/pull/45"
ATTACK = (
    "::error::x @octocat #1 </details><script>x</script> [x](https://evil.example) | <!-- release-gate:release v1 -->"
)

REGISTERED = Release(
    model="flight-delay",
    digest=NEW,
    commit=COMMIT,
    phase="registered",
    sequence=16,
    at=START,
    replaces=BEFORE,
    serves=((BEFORE, 1.0),),
    run_url=RUN,
)
FIRST = Step(0.05, START, 600, "passed", (Answers(NEW, 1512, 3, 12), Answers(BEFORE, 28_488, 61, 201)))
SECOND = Step(
    0.5, START + timedelta(minutes=10), 600, "passed", (Answers(NEW, 15_020, 30, 98), Answers(BEFORE, 15_011, 29, 102))
)
ROLLING = replace(
    REGISTERED,
    phase="rolling-out",
    sequence=20,
    at=START + timedelta(minutes=12),
    share=0.5,
    serves=((BEFORE, 0.5), (NEW, 0.5)),
    steps=(
        FIRST,
        replace(
            SECOND, standing="watching", seconds=118, answers=(Answers(NEW, 2950, 6, 19), Answers(BEFORE, 2961, 5, 22))
        ),
    ),
)
PROMOTED = replace(
    REGISTERED,
    phase="promoted",
    sequence=23,
    at=START + timedelta(minutes=52),
    serves=((NEW, 1.0),),
    steps=(FIRST, SECOND, Step(1.0, START + timedelta(minutes=20), 1920, "passed", (Answers(NEW, 96_213, 190, 611),))),
)
TAKEN_BACK = replace(
    REGISTERED,
    phase="taken-back",
    sequence=20,
    at=START + timedelta(minutes=3),
    because="errors: 14 of 412 answers failed (3.4%), production 9 of 7,833 (0.11%) in the same time",
    serves=((BEFORE, 1.0),),
    steps=(Step(0.05, START, 131, "harmful", (Answers(NEW, 412, 14, None), Answers(BEFORE, 7833, 9, None))),),
    to_do="Merge the revert, then have the owner lift the hold with `release-gate hold --lift`.",
    revert=(45, PULL),
)
ROLLED_BACK = replace(
    PROMOTED,
    phase="rolled-back",
    sequence=27,
    at=START + timedelta(hours=5),
    by="octocat",
    because="the pager rang: scores of carrier HA are all 0.5",
    serves=((BEFORE, 1.0),),
    to_do="Type the commands below: GitHub does not let workflows of this repository open pull requests.",
    commands=(
        "git fetch origin",
        "git switch --create revert-12 origin/main",
        f"git revert --no-edit -m 1 {COMMIT}",
        "git push --set-upstream origin revert-12",
        "gh pr create --base main --head revert-12 --fill",
    ),
    owed=("tell the deployment that it is inactive", "alert the owner"),
)
HOSTILE = replace(
    TAKEN_BACK,
    because=ATTACK * 30,
    to_do=ATTACK,
    by=ATTACK,
    commit=ATTACK,
    commands=(ATTACK, "```", "</details>"),
    owed=(ATTACK, "> " + ATTACK),
    revert=(45, "javascript:alert(1)"),
    run_url="https://x.example/](https://evil.example)",
    serves=((ATTACK, 0.5), (NEW, 0.5)),
    steps=(replace(FIRST, answers=(Answers(ATTACK, 1, 0), Answers(NEW, 1, 1))),),
)
REVERTED = Reverted(
    model="flight-delay",
    digest=NEW,
    restored=BEFORE,
    what="taken-back",
    at=START,
    number=12,
    url="https://github.com/octo-air/flight-delay/pull/12",
    title="Use the schedule of summer",
    because=TAKEN_BACK.because,
    run_url=RUN,
)
