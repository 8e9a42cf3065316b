from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.commands import failed, filled, last_lines
from release_gate.edges import Completed
from release_gate.findings import BadInput
from release_gate.verdict import Where


def code_of(template: str, values: dict[str, str] | None = None) -> tuple[str, str]:
    with pytest.raises(BadInput) as refused:
        filled(template, values or {}, where=Where(file="release-gate.yml", line=9))
    (found,) = refused.value.findings
    assert found.where.line == 9
    return found.code, found.message


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_value_never_becomes_more_than_its_word(out: str, data: str) -> None:
    assert filled("run '--out={out}' {data} end", {"out": out, "data": data}) == ("run", f"--out={out}", data, "end")


@given(st.lists(st.text(st.characters(exclude_characters="{}", codec="utf-8")), min_size=1))
def test_words_without_braces_come_back_as_a_shell_would_split_them(words: list[str]) -> None:
    assert filled(shlex.join(words), {"out": "x"}) == tuple(words)


@given(st.text(max_size=60))
def test_any_text_is_words_or_a_named_refusal(template: str) -> None:
    code = ""
    try:
        words = filled(template, {"out": "VALUE"})
    except BadInput as refused:
        code = refused.findings[0].code
        words = ("",)
    assert code in {"", "command-malformed", "placeholder-unknown"}
    assert words
    assert "{out}" not in "".join(words) or "{{out}}" in template


def test_doubled_braces_are_the_text_itself() -> None:
    assert filled("echo {{out}} {out}", {"out": "1"}) == ("echo", "{out}", "1")


def test_braces_around_anything_but_a_name_are_left() -> None:
    assert filled("""echo '{"a": 1}' {} x{1,2}""", {}) == ("echo", '{"a": 1}', "{}", "x{1,2}")


def test_a_misspelt_placeholder_is_answered_with_the_nearest() -> None:
    code, message = code_of("train --out {ouput}", {"out": "", "model": ""})
    assert code == "placeholder-unknown"
    assert "did you mean {out}?" in message


def test_a_placeholder_far_from_any_lists_those_known() -> None:
    assert "known here: {out}, {port}" in code_of("train {zzz}", {"out": "", "port": ""})[1]
    assert "known here: none" in code_of("train {zzz}")[1]


@pytest.mark.parametrize("template", ["train 'unclosed", "  ", "train \\"])
def test_what_is_no_command_is_malformed(template: str) -> None:
    assert code_of(template)[0] == "command-malformed"


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (
            Completed(("train", "a b"), 3, "Traceback\nValueError: x", 2.0),
            r"ended with status 3: train 'a b'\nLast lines:",
        ),
        (Completed(("train",), -9, "", 2.0), r"killed by signal 9 \(SIGKILL\): train\nIt printed nothing."),
        (Completed(("train",), -99, "", 2.0), r"killed by signal 99: train"),
        (Completed(("train",), -15, "epoch 1", 2.0, timed_out=True), r"ended after its time limit of 60 s.*epoch 1"),
        (Completed(("train",), -9, "x", 2.0, flooded=True), r"printed without end"),
    ],
)
def test_a_failure_says_how_the_command_ended_and_what_it_said_last(done: Completed, said: str) -> None:
    found = failed("training", done, code="environment-failed", limit=60)
    assert re.search(said, found.message, re.DOTALL)
    assert found.evidence["status"] == done.status


def test_only_the_end_of_an_output_goes_into_a_finding() -> None:
    text = "\n".join(str(number) for number in range(500))
    assert last_lines(text, 3) == "497\n498\n499"
    assert len(last_lines("x" * 100_000)) == 6000
