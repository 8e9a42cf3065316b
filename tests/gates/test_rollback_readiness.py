"""Five answers on the way back; each thing that would keep a rollback from working blocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from release_gate.findings import finding
from release_gate.gates.rollback_readiness import Facts, Features, Found, Known, Person, Smoke, judge
from release_gate.lifecycle.events import Event
from release_gate.lifecycle.migration_files import Migration, Problem
from release_gate.lifecycle.package import Contract
from release_gate.verdict import Outcome, Scalar, Verdict
from tests.gates.test_overall import model

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = "https://github.com/octo-air/flight-delay/actions/runs/7"
ONE, TWO = (f"sha256:{number:064x}" for number in (1, 2))
ROLLOUT: dict[str, object] = {"target": {"caddy": {}}}
SMOKE = Smoke(["health", "version", "golden predictions"], ["version", "golden predictions"])
NONE = Found((), "since production's commit abc", {})
HOURS = {
    "people": ["@octo-air"],
    "hours": {"days": "mon-fri", "from": "09:00", "to": "17:30", "zone": "Europe/Berlin"},
    "out_of_hours": ["@octo-air/on-call"],
    "members": {"@octo-air/on-call": ["@octocat"]},
}


def history(*kinds: tuple[str, str]) -> list[Event]:
    return [
        Event.model_validate(
            {
                "sequence": number,
                "at": AT,
                "actor": "octocat",
                "kind": kind.partition("/")[0],
                "package": package,
                "run": RUN,
                "serves": "on-registration" if kind.endswith("/serves") else None,
            }
        )
        for number, (kind, package) in enumerate(kinds, start=1)
    ]


PROVEN = history(("registered", ONE), ("promoted", ONE))


def judged(facts: dict[str, Any] | None = None, **changes: object) -> Verdict:
    base = {"events": PROVEN, "found": NONE, "smoke": SMOKE, "people": [Person("@octo-air", "exists")]}
    return judge(model(**{"rollout": ROLLOUT, **changes}), Facts(**{**base, **(facts or {})}), AT)


def said(verdict: Verdict) -> list[str]:
    (table,) = verdict.tables
    assert [row[0] for row in table.rows] == [
        "last known good version",
        "how traffic goes back",
        "data migrations",
        "who decides",
        "what would prove it",
    ]
    return [str(row[1]) for row in table.rows]


def codes(verdict: Verdict) -> list[str]:
    return [one.code for one in verdict.findings]


def outcomes(verdict: Verdict) -> list[object]:
    return [row[2] for row in verdict.tables[0].rows]


def test_all_five_are_answered() -> None:
    verdict = judged({"people": [Person("@octo-air", "exists")]}, owner=HOURS)
    assert (verdict.outcome, verdict.findings) == (Outcome.PASS, [])
    version, way, migrations, who, proof = said(verdict)
    assert version == f"{ONE}, proven 2026-06-01 12:00Z by a rollout that it passed ({RUN})"
    assert way == "Caddy at 127.0.0.1:2019 routes 127.0.0.1:8080 back; release-gate rollback --model flight-delay"
    assert migrations == "none is new (since production's commit abc)"
    assert who == (
        "now (in hours): @octo-air; mon-fri 09:00 to 17:30 Europe/Berlin: @octo-air; "
        "at night and on holidays: @octo-air/on-call"
    )
    assert proof == "version, golden predictions; beside them health (smoke.yml)"
    assert [(one.kind, one.identity) for one in verdict.subjects] == [("production", ONE)]
    assert all(len(one) < 300 for one in said(verdict)), "longer answers are cut in the comment"


def contract(version: str, digit: str = "a") -> Contract:
    return Contract(name="contracts/features.yml", version=version, identity=f"sha256:{digit * 64}")


def fed(features: Features) -> tuple[list[Scalar], list[str], Outcome]:
    """The row of the answer on features, the codes, the outcome."""
    verdict = judged({"features": features})
    return verdict.tables[0].rows[3], codes(verdict), verdict.outcome


def test_the_features_that_the_version_before_needs_are_answered_for_where_it_needs_any() -> None:
    kept = fed(Features(ONE, contract("1.0.0"), contract("1.1.0", "b")))
    row = ["features", f"{ONE} needs contracts/features.yml 1.0.0, which is kept here", "pass"]
    assert kept == (row, [], Outcome.PASS)


@pytest.mark.parametrize("here", [contract("2.0.0", "b"), None])
def test_features_that_are_promised_no_more_block_before_the_merge(here: Contract | None) -> None:
    row, found, outcome = fed(Features(ONE, contract("1.0.0"), here))
    assert (found, outcome, row[2]) == (["features-incompatible"], Outcome.FAIL, "fail")
    assert str(row[1]).startswith(f"{ONE} was made with features by contracts/features.yml 1.0.0; here ")


def test_a_need_that_can_not_be_read_is_a_warning() -> None:
    row, found, outcome = fed(Features(ONE, unread="the manifest is missing"))
    assert (found, outcome) == (["features-unread"], Outcome.PASS)
    assert row[1] == f"what {ONE} needs can't be read: the manifest is missing"


def test_the_newest_proof_that_is_not_blocked_counts() -> None:
    events = history(("registered", ONE), ("promoted", ONE), ("registered", TWO), ("promoted", TWO), ("blocked", TWO))
    assert said(judged({"events": events}))[0].startswith(f"{ONE}, proven")
    back = history(("registered", ONE), ("promoted", ONE), ("registered", TWO), ("promoted", TWO), ("rolled-back", ONE))
    assert "by its smoke test after a rollback" in said(judged({"events": back}))[0]


def test_a_first_release_has_none_and_is_not_blocked_for_it() -> None:
    verdict = judged({"events": [], "ledger": "the registry releases is not here"})
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASS, ["readiness-first-release"])
    assert said(verdict)[0] == "none yet: nothing is in production (the registry releases is not here)"
    assert not verdict.subjects
    registered = judged({"events": history(("registered", ONE))})
    assert codes(registered) == ["readiness-first-release"]


def test_production_that_nothing_proved_is_warned_of_where_a_rollout_could_have() -> None:
    events = history(("registered/serves", ONE))
    verdict = judged({"events": events})
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASS, ["readiness-unproven"])
    assert said(verdict)[0] == f"none is proven; {ONE} is production since 2026-06-01 12:00Z"
    without = judged({"events": events}, rollout=None)
    assert codes(without) == []
    assert said(without)[0].endswith("; no rollout is declared that could prove it")
    assert said(without)[1].startswith("nothing is deployed by release-gate: the pointer in the ledger goes back")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            {"haproxy": {"socket": "/run/haproxy.sock", "backend": "models", "url": "http://127.0.0.1:8080"}},
            "HAProxy sets the weights of backend models back (/run/haproxy.sock); ",
        ),
        (
            {"command": {"route": "deploy/route {shares}", "read": "deploy/read", "url": "http://127.0.0.1:8080"}},
            "a command of the repository routes back: deploy/route {shares}; ",
        ),
    ],
)
def test_each_target_says_how_traffic_goes_back(target: dict[str, object], words: str) -> None:
    assert said(judged(rollout={"target": target}))[1] == f"{words}release-gate rollback --model flight-delay"


def test_migrations_block_where_they_can_not_be_taken_back_and_warn_where_they_lose_data() -> None:
    loses = Migration("db/versions/a.py", "Alembic", (Problem("loses", 7, "drop_column('flights', 'a')"),))
    stuck = Migration("app/migrations/2.py", "Django", (Problem("irreversible", 9, "RunPython without reverse_code"),))
    fine = Migration("db/versions/b.py", "Alembic")
    texts: dict[str, str | None] = {"db/versions/a.py": "1", "app/migrations/2.py": "2", "db/versions/b.py": "3"}
    verdict = judged({"found": Found((loses, stuck, fine), "since abc", texts)})
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAIL, ["migration-irreversible", "migration-loses-data"])
    assert str(verdict.findings[0]) == (
        "app/migrations/2.py:9: migration-irreversible: Django can't take app/migrations/2.py back: "
        "RunPython without reverse_code"
    )
    assert said(verdict)[2] == "3 new (Alembic, Django; since abc): 1 can't be taken back; 1 drops data for good"
    assert outcomes(verdict) == ["pass", "pass", "fail", "pass", "pass"]
    good = judged({"found": Found((loses, fine), "since abc", {**texts, "db/versions/b.py": "4"})})
    assert (good.outcome, codes(good)) == (Outcome.PASS, ["migration-loses-data"])
    assert said(good)[2] == "2 new (Alembic; since abc): all can be taken back; 1 drops data for good"
    identities = [next(one.identity for one in each.subjects if one.kind == "code") for each in (verdict, good)]
    assert len(set(identities)) == 2
    unread = Migration("db/versions/c.py", "Alembic", (Problem("unreadable", 1, "it is not readable as Python"),))
    assert codes(judged({"found": Found((unread,), "since abc", {})})) == ["migration-unreadable"]


def test_very_many_findings_still_make_a_verdict_and_the_errors_come_first() -> None:
    many = [Migration(f"{n}.sql", "SQL", (Problem("loses", 1, "x"),)) for n in range(3000)]
    stuck = Migration("z.sql", "SQL", (Problem("irreversible", 1, "x"),))
    verdict = judged({"found": Found((*many, stuck), "since abc", {})})
    assert (verdict.outcome, codes(verdict)[0]) == (Outcome.FAIL, "migration-irreversible")


@pytest.mark.parametrize(
    ("name", "known", "code", "outcome"),
    [
        ("@octo-air", "exists", [], Outcome.PASS),
        ("@octo-air", "organisation", ["owner-organisation"], Outcome.PASS),
        ("@octokat", "missing", ["owner-unknown"], Outcome.FAIL),
        ("@octo-air/ml", "may not look", ["owner-team-unlisted"], Outcome.FAIL),
        ("@octo-air", "may not look", ["owner-not-shown"], Outcome.FAIL),
    ],
)
def test_who_decides_must_exist(name: str, known: Known, code: list[str], outcome: Outcome) -> None:
    verdict = judged({"people": [Person(name, known, "so GitHub says")]}, owner=name)
    assert (verdict.outcome, codes(verdict)) == (outcome, code)
    assert said(verdict)[3] == f"{name}, at all hours"


def test_away_from_github_nobody_is_looked_up_and_that_is_said() -> None:
    verdict = judged({"people": None}, owner="@octo-air/ml")
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASS, ["owner-unverified"])
    assert "the people of @octo-air/ml must be listed or readable" in verdict.findings[0].message


def test_a_github_that_does_not_answer_leaves_it_unjudged_with_all_answers() -> None:
    refusal = finding("github-unreachable", "no answer")
    verdict = judged({"people": [], "unanswered": (refusal,)})
    assert (verdict.outcome, codes(verdict), len(said(verdict))) == (Outcome.ERROR, ["github-unreachable"], 5)
    both = judged({"people": [], "unanswered": (refusal,), "smoke": Smoke(["health"], [])})
    assert both.outcome is Outcome.FAIL


def test_checks_that_prove_nothing_block_a_served_model() -> None:
    verdict = judged({"smoke": Smoke(["health"], [])})
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAIL, ["smoke-proves-nothing"])
    assert str(verdict.findings[0].where) == "smoke.yml"
    missing = finding("file-missing", "smoke.yml does not exist")
    broken = judged({"smoke": (missing,)})
    assert (broken.outcome, codes(broken)) == (Outcome.FAIL, ["file-missing"])
    assert said(broken)[4] == "nothing: smoke.yml can't be used"
    table = {"target": {"batch": {"data": "rows", "tables": "scored", "pointer": "current.json"}}}
    batch = judged({"smoke": (missing,)}, delivery="batch", rollout=table)
    assert (batch.outcome, codes(batch)) == (Outcome.PASS, [])
    unserved = judged({"smoke": (missing,)}, candidate={"train": "t", "predict": "p"}, rollout=None)
    assert unserved.outcome is Outcome.PASS
    assert judged({"smoke": Smoke(["golden"], ["golden"])}).outcome is Outcome.PASS
