"""A ledger that does not answer for a while: no rollout ends by it, and nothing is decided meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from release_gate.commands.hands import Hands
from release_gate.commands.restoring import restore
from release_gate.commands.rolling import Told, roll
from release_gate.findings import CannotJudge
from release_gate.registry.stores.failures import unreachable
from release_gate.verdict import Outcome
from tests.commands.test_rolling import NEW, OLD, ROLLOUT, codes, shares_seen, world
from tests.commands.world import World

HALF = ROLLOUT.lease / 2


class Away:
    """The store does not answer to some of what it is asked, for some seconds from the moment `when` says so."""

    def __init__(self, made: World, seconds: float, *asked: str, when: Callable[[World], bool]) -> None:
        self.made, self.seconds, self.when = made, seconds, when
        self.said: list[str] = []
        self.since: datetime | None = None
        self.known: dict[str, bytes] = {}
        for name in asked or ("get", "keys", "put_new"):
            setattr(made.store, name, self.around(getattr(made.store, name)))

    def around(self, asked: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*words: Any) -> Any:
            if self.since is None and self.when(self.made):
                self.since, self.known = self.made.time, dict(self.made.store.content)
            if self.since is not None and self.made.time - self.since < timedelta(seconds=self.seconds):
                raise unreachable("the bucket", "503 Slow Down")
            return asked(*words)

        return answer

    def hands(self) -> Hands:
        return replace(self.made.hands(), say=self.said.append)


def roll_on(away: Away, **wishes: Any) -> Told:
    return roll(away.hands(), NEW, ROLLOUT, **wishes)


def canary(made: World) -> bool:
    return made.shares.get(NEW) == 0.05


@pytest.mark.parametrize("asked", ["get", "keys", "put_new"])
@pytest.mark.parametrize("moment", ["at the start", "canary", "all traffic"])
def test_a_ledger_that_is_away_for_a_while_ends_no_rollout(moment: str, asked: str) -> None:
    moments = {"at the start": lambda _: True, "canary": canary, "all traffic": lambda here: NEW in here.shares}
    made = world()
    away = Away(made, HALF - 15, asked, when=moments[moment])
    told = roll_on(away)
    assert (told.outcome, codes(told)) == (Outcome.PASS, ["deploy-promoted"])
    assert (made.state.production, [one for one in shares_seen(made) if one]) == (NEW, [0.05, 0.5, 1.0])
    assert len([line for line in away.said if "503 Slow Down" in line]) == 1, "it is said once"
    assert f"for up to {HALF:g} s" in "".join(away.said)


@pytest.mark.parametrize("harm", [0.0, 0.3])
def test_nothing_is_decided_while_the_ledger_is_away_and_after_half_the_lease_it_is_given_up(harm: float) -> None:
    made = world(failing={NEW: harm})
    away = Away(made, 10_000, when=canary)
    with pytest.raises(CannotJudge, match="503 Slow Down") as refusal:
        roll_on(away)
    assert refusal.value.findings[0].code == "ledger-unreachable"
    assert away.since is not None
    assert HALF <= (made.time - away.since).total_seconds() < HALF + ROLLOUT.look
    assert made.store.content == away.known
    assert made.shares == {NEW: 0.05, OLD: 0.95}
    away.seconds = 0
    again = roll_on(away)
    assert (again.outcome is Outcome.FAIL) == bool(harm), "whoever comes next decides by what was seen"
    assert made.shares == ({OLD: 1.0} if harm else {NEW: 1.0})


def test_each_time_that_it_answers_in_between_patience_begins_anew() -> None:
    made = world()
    times = iter((canary, canary, lambda here: here.shares.get(NEW) == 0.5, lambda here: here.shares == {NEW: 1.0}))
    away = Away(made, HALF - 15, when=next(times))

    def meanwhile(here: World) -> None:
        if away.since is not None and here.time - away.since > timedelta(seconds=HALF) and (when := next(times, None)):
            away.since, away.when = None, when

    made.meanwhile = meanwhile
    told = roll_on(away)
    assert (told.outcome, next(times, None)) == (Outcome.PASS, None), "away four times, longer than half a lease in all"
    assert len([line for line in away.said if "503 Slow Down" in line]) == 4


def test_a_tick_waits_no_longer_than_a_minute() -> None:
    made = world()
    patient = ROLLOUT.model_copy(update={"lease": 86_400.0})
    roll(made.hands(), NEW, patient, tick=True)
    away = Away(made, 10_000, when=lambda _: True)
    with pytest.raises(CannotJudge):
        roll(away.hands(), NEW, patient, tick=True)
    assert away.since is not None
    assert (made.time - away.since).total_seconds() == 60


def test_a_ledger_that_is_broken_ends_it_at_once() -> None:
    made = world()
    broken: list[float] = []

    def meanwhile(here: World) -> None:
        if canary(here) and not broken:
            broken.append(here.monotonic())
            here.store.content["ledger/m/00000002.json"] = b"{}"

    made.meanwhile = meanwhile
    with pytest.raises(CannotJudge, match="00000002") as refusal:
        roll(made.hands(), NEW, ROLLOUT)
    assert refusal.value.findings[0].code == "ledger-broken"
    assert [made.monotonic()] == broken


@pytest.mark.parametrize(
    ("kind", "harm", "wishes", "ends"),
    [
        ("promoted", 0.0, {}, (Outcome.PASS, "deploy-promoted", "is production")),
        ("taken-back", 0.3, {}, (Outcome.FAIL, "deploy-taken-back", "errors: the candidate failed")),
        ("taken-back", 0.0, {"abort": "the wrong day"}, (Outcome.PASS, "deploy-given-up", "the wrong day")),
    ],
)
def test_an_end_whose_answer_was_lost_is_told_like_any_other(
    kind: str, harm: float, wishes: dict[str, str], ends: tuple[Outcome, str, str]
) -> None:
    made = world(failing={NEW: harm})
    if wishes:
        roll(made.hands(), NEW, ROLLOUT, tick=True)
    put, lost = made.store.put_new, list[str]()

    def losing(key: str, content: bytes) -> bool:
        written = put(key, content)
        if f'"{kind}"'.encode() in content and not lost:
            lost.append(key)
            raise unreachable("the bucket", "the connection was reset")
        return written

    made.store.put_new = losing  # type: ignore[method-assign]
    told = roll(made.hands(), NEW, ROLLOUT, **wishes)  # type: ignore[arg-type]
    assert lost
    assert (told.outcome, codes(told)) == (ends[0], [ends[1]])
    assert ends[2] in told.findings[0].message


def test_a_rollback_without_the_ledger_wins_over_a_rollout_that_waits_for_it() -> None:
    made = world()
    away = Away(made, 30, when=canary)

    def meanwhile(here: World) -> None:
        if away.since is not None and not here.outbox and here.shares != {OLD: 1.0}:
            restore(here.hands("on-call"), to=None, because="customers complain")

    made.meanwhile = meanwhile
    with pytest.raises(CannotJudge, match="obeys decision"):
        roll_on(away)
    assert made.shares == {OLD: 1.0}, "what is owed stands between the rollout and the traffic"
