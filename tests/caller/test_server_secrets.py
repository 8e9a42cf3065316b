"""The secrets of a server in production: what a dotenv text gives, and that nothing of it is ever said."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.server_secrets import HIDDEN, NAME, OURS, read
from release_gate.findings import CannotJudge, finding


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("# of the scoring service\n\nexport KEY=k3y # comment\r\nMODE='a b'", {"KEY": "k3y", "MODE": "a b"}),
        ('PASSWORD="a # b"', {"PASSWORD": "a # b"}),
        ("URL=postgres://me:pw@db/flights?a=b", {"URL": "postgres://me:pw@db/flights?a=b"}),
        ("PRICE=$HOME${HOME}", {"PRICE": "$HOME${HOME}"}),
        ("PEM='first\nsecond'\nA=1", {"PEM": "first\nsecond", "A": "1"}),
        ('PEM="first\\nsecond"', {"PEM": "first\nsecond"}),
    ],
)
def test_a_dotenv_text_gives_its_variables(text: str, variables: dict[str, str]) -> None:
    secrets = read(text)
    assert (secrets.variables, secrets.problems) == (variables, ())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("hunter22", "is no NAME=value"),
        ("=hunter22", "is no NAME=value"),
        ("-----BEGIN PRIVATE hunter22-----", "is no NAME=value"),
        ("EMPTY=", "gives its variable no value"),
        ("EMPTY=''", "gives its variable no value"),
        ("hunter22=", "gives its variable no value"),  # the last line of a key that was not quoted
        ("hunter22/a=", "begins with something that is no name"),
        ("1ST=hunter22", "begins with something that is no name"),
        ("MY-KEY=hunter22", "begins with something that is no name"),
        ("PATH=hunter22", "sets PATH,"),
        ("PYTHONPATH=hunter22", "sets PYTHON*,"),
        ("LD_PRELOAD=hunter22", "sets LD_*,"),
        ("RELEASE_GATE_VERSION=hunter22", "sets RELEASE_GATE_*,"),
        ("FIRST=hunter22", "sets a variable that a line before it sets"),
    ],
)
def test_a_line_that_gives_no_variable_is_told_by_its_number_and_never_quoted(line: str, says: str) -> None:
    secrets = read(f"# one\nFIRST=1\n\n{line}\nLAST=2\n")
    (problem,) = secrets.problems
    assert problem.code == "secrets-broken"
    assert problem.message.startswith(f"line 4 of {NAME} {says}")
    assert "hunter22" not in problem.model_dump_json()
    assert secrets.variables == {"FIRST": "1", "LAST": "2"}, "the other lines hold"


def test_a_quote_that_is_not_closed_is_told_and_not_quoted() -> None:
    (problem,) = read("A='hunter22\nB=hunter23\n").problems[:1]
    assert problem.message == f"line 1 of {NAME} is no NAME=value"


@pytest.mark.parametrize("text", ["# later\n", "\n\n", " "])
def test_a_text_that_holds_no_variable_at_all_is_a_mistake(text: str) -> None:
    assert [one.message for one in read(text).problems] == [f"{NAME} is set and holds no NAME=value"]


def test_every_problem_is_told_at_once() -> None:
    assert len(read("A=\nB\nPATH=/tmp\nC=1").problems) == 3


@given(st.text())
def test_whatever_is_written_is_read_or_told_by_line_and_nothing_of_ours_is_ever_set(text: str) -> None:
    secrets = read(text)
    assert all(value and name.isidentifier() and name.isascii() for name, value in secrets.variables.items())
    for one in OURS:
        assert not any(name == one or (one[-1] == "*" and name.startswith(one[:-1])) for name in secrets.variables)
    assert bool(text) == bool(secrets.variables or secrets.problems)


def test_values_are_taken_out_of_what_a_server_says_line_by_line() -> None:
    secrets = read("KEY='first line\n  second line\n'\nURL=postgres://me:pw@db\n")
    said = secrets.hidden("died: postgres://me:pw@db, then second line; xfirst linex")
    assert said == f"died: {HIDDEN}, then {HIDDEN}; x{HIDDEN}x"


def test_a_short_value_is_hidden_as_a_word_so_that_no_digest_is_taken_apart() -> None:
    assert read("WORKERS=1\nMODE=prod").hidden("1 worker of sha256:a1b1 in production: prod") == (
        f"{HIDDEN} worker of sha256:a1b1 in production: {HIDDEN}"
    )


def test_the_longer_of_two_values_is_hidden_first() -> None:
    assert read("A=hunter22\nB=hunter22-and-more").hidden("hunter22-and-more") == HIDDEN


def test_what_is_refused_is_refused_without_them_in_words_and_in_a_traceback() -> None:
    value = "hunter" + "22"
    with pytest.raises(CannotJudge) as refused, read(f"PASSWORD={value}").unsaid():
        raise CannotJudge.because("serve-died", f"KeyError: {value}")
    assert refused.value.findings[0].code == "serve-died"
    assert refused.value.findings[0].message == f"KeyError: {HIDDEN}"
    assert value not in "".join(traceback.format_exception(refused.value))


def test_without_any_a_refusal_stays_the_one_it_was() -> None:
    refusal = CannotJudge(finding("serve-died", "gone"))
    with pytest.raises(CannotJudge) as refused, read("").unsaid():
        raise refusal
    assert refused.value is refusal


def test_they_are_in_no_representation() -> None:
    assert "hunter22" not in repr(read("PASSWORD=hunter22\nhunter22"))
