"""People of a configuration on GitHub: there, not there, or not for this token to see."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from release_gate.findings import CannotJudge
from release_gate.github.api import Api
from release_gate.github.people import Known, Person, look_up
from tests.e2e.testbed import emulator, objects
from tests.github.double import Answer, FakeClock, Request, serving

ABSENT = Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"})
FORBIDDEN = Answer(
    403, {"message": "Resource not accessible by integration", "documentation_url": "https://docs.github.com/rest"}
)
SOMEBODY = [objects.user("octocat")]
TEAM = "/orgs/octo-air/teams/ml/members"


def asked(answers: Mapping[str, Answer], *names: str) -> tuple[list[Person], list[str]]:
    def answer(request: Request) -> Answer:
        return answers.get(request.path, ABSENT)

    with serving(answer) as double:
        found = look_up(Api("octo-air/flight-delay", "token", FakeClock(), double.url), names)
        return found, [request.path for request in double.asked]


def known(answers: Mapping[str, Answer], name: str) -> Known:
    ((person,), _) = asked(answers, name)
    assert person.name == name
    assert bool(person.because) == (person.known in (Known.MISSING, Known.MAY_NOT_LOOK))
    return person.known


def test_a_user_is_there_or_not() -> None:
    there = {"/users/octocat": Answer(body=objects.public_user("octocat"))}
    assert known(there, "@octocat") is Known.EXISTS
    assert known(there, "@octokat") is Known.MISSING
    assert known({"/users/octocat": FORBIDDEN}, "@octocat") is Known.MAY_NOT_LOOK


def test_an_organisation_is_nobody_who_reads_a_mention() -> None:
    organisation = {**objects.public_user("octo-air"), "type": "Organization"}
    assert known({"/users/octo-air": Answer(body=organisation)}, "@octo-air") is Known.ORGANISATION


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({TEAM: Answer(body=SOMEBODY)}, Known.EXISTS),  # an App's token
        ({TEAM: Answer(body=[])}, Known.MISSING),  # a team of nobody
        ({TEAM: FORBIDDEN}, Known.MAY_NOT_LOOK),
        # GitHub tells a token that may see no team the same as one whose team is not there.
        ({"/orgs/octo-air/teams": FORBIDDEN, "/users/octo-air": Answer(body=objects.public_user("octo-air"))},
         Known.MAY_NOT_LOOK),
        ({"/users/octo-air": Answer(body=objects.public_user("octo-air"))}, Known.MAY_NOT_LOOK),
        ({"/orgs/octo-air/teams": Answer(body=[])}, Known.MISSING),
        ({}, Known.MISSING),  # no such organisation
    ],
)  # fmt: skip
def test_a_team_that_may_not_be_read_is_not_one_that_does_not_exist(
    answers: Mapping[str, Answer], expected: Known
) -> None:
    assert known(answers, "@octo-air/ml") is expected


def test_each_name_is_asked_once_and_in_order() -> None:
    answers = {f"/users/{name}": Answer(body=objects.public_user(name)) for name in ("octocat", "hubot")}
    found, paths = asked(answers, "@octocat", "@hubot", "@octocat")
    assert [one.name for one in found] == ["@octocat", "@hubot"]
    assert paths == ["/users/octocat", "/users/hubot"]


def test_a_token_that_is_not_known_says_nothing_of_people() -> None:
    refused = Answer(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
    with pytest.raises(CannotJudge) as refusal:
        asked({"/users/octocat": refused}, "@octocat")
    assert refusal.value.findings[0].code == "github-token"


def test_against_the_emulated_github(emulated: emulator.Emulator) -> None:
    api = Api("octo-air/flight-delay", emulator.TOKEN, FakeClock(), emulated.url)
    found = look_up(api, ["@octocat", "@octo-air", "@nobody", "@octo-air/ml", "@nowhere/ml"])
    assert [one.known for one in found] == [
        Known.EXISTS, Known.ORGANISATION, Known.MISSING, Known.MISSING, Known.MISSING
    ]  # fmt: skip
