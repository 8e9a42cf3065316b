"""Text of strangers can't break out of any place it is put."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.report import escape
from tests.report.cases import ATTACK
from tests.report.rendering import assert_ours, rendered

PIECES = st.sampled_from(
    [
        "`",
        "``",
        "```",
        "|",
        "\\",
        "\\|",
        "\\`",
        "<",
        ">",
        "</code>",
        "</details>",
        "<b>",
        "<!--",
        "-->",
        "![a](b)",
        "[a](b)",
        "[a]: b",
        "@octocat",
        "#1",
        "GH-1",
        "https://x.example",
        "www.x.example",
        "HTTP://X",
        "a@b.example",
        "mailto:a@b.example",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "$",
        "$$",
        "&lt;",
        "&#64;",
        "&",
        "\n",
        "\r",
        "\r\n",
        "\u2028",
        "\x85",
        "\u202e",
        "\u200b",
        "\x00",
        "\x01",
        "\x1b[31m",
        "\x1b]0;x\x07",
        "::error::",
        "  ::set-output",
        "##[error]",
        "##",
        "[",
        "%0A",
        ",",
        ":",
        "-",
        "- ",
        "1. ",
        "> ",
        "# ",
        "===",
        "---",
        "+",
        "|-|-|",
        "\t",
        "    ",
        "\ud800",
        "\U000e0041",
        "a",
        "1",
        " ",
        "é",
        "漢",
    ]
)
NASTY = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60)


@given(NASTY)
def test_prose_is_only_prose_wherever_a_page_puts_it(value: str) -> None:
    shown = escape.text(value)
    assert "\n" not in shown
    for page in (shown, f"- **{shown or 'x'}**", f"### {shown}"):
        assert_ours(page)
    allowed = {"p", "code", "span"}
    assert set(rendered(shown).tags) <= allowed


@given(NASTY, NASTY)
def test_a_table_keeps_its_columns(one: str, other: str) -> None:
    for make in (escape.text, escape.code):
        page = assert_ours(f"| a | b | c |\n|--|--|--|\n| {make(one)} | {make(other)} | end |")
        assert page.tags.count("td") == 3
        assert page.tags.count("tr") == 2


@given(NASTY)
def test_code_shows_the_text_itself(value: str) -> None:
    shown = escape.code(value)
    page = assert_ours(f"a {shown} b")
    assert page.tags.count("code") == (1 if escape.one_line(value) else 0)
    assert set(page.tags) <= {"p", "code", "span"}


@given(NASTY)
def test_prose_reads_as_it_was_written_but_for_what_can_not_be_seen(value: str) -> None:
    def letters(text: str) -> str:
        return re.sub(r"[\s`\u200b\ufffd]", "", text)

    assert letters(rendered(f"x{escape.text(value, 10_000)}").everything) == letters(f"x{escape.visible(value)}")


@given(NASTY, st.integers(min_value=1, max_value=12))
def test_a_block_holds_all_its_lines_also_inside_a_list(value: str, number: int) -> None:
    indent = " " * len(f"{number}. ")
    block = "\n".join(f"{indent}{line}" for line in escape.block(value).split("\n"))
    page = assert_ours(f"{number}. x\n\n{block}\n\n{indent}after")
    assert page.tags.count("pre") == 1
    assert page.tags.count("p") == 2
    assert set(page.tags) == {"ol", "li", "p", "pre", "code"}


@given(NASTY)
def test_html_holds_one_text_in_an_element_and_in_an_attribute(value: str) -> None:
    shown = escape.html(value)
    page = assert_ours(f'<details class="{shown}"><summary>{shown}</summary>\n\nx\n\n</details>')
    assert page.tags == ["details", "summary", "p"]
    assert page.attributes == {"class"}


@given(NASTY)
def test_no_line_for_a_terminal_is_a_command_or_paints(value: str) -> None:
    shown = escape.terminal(value)
    assert "\x1b" not in shown
    assert "##[" not in shown
    assert not any(line.strip().startswith("::") for line in shown.splitlines())
    shown.encode()


@given(NASTY, NASTY, NASTY)
def test_an_annotation_is_one_command_with_our_properties(message: str, title: str, file: str) -> None:
    line = escape.command("error", message, title=title, file=file, line=3)
    assert "\n" not in line
    assert "\r" not in line
    assert "##[" not in line
    # As the runner takes it apart: properties up to the next `::`, separated by commas.
    parsed = re.fullmatch(r"::error ?(.*?)::(.*)", line)
    assert parsed is not None
    names = [one.split("=", 1)[0] for one in parsed.group(1).split(",") if one]
    assert set(names) <= {"file", "line", "title"}
    assert len(names) == len(set(names))
    assert parsed.group(2).replace("%0A", "\n").replace("%25", "%").replace("\u200b", "") == escape.visible(
        message
    ).replace("\u200b", "")


@given(NASTY)
def test_an_output_is_one_output(value: str) -> None:
    delimiter = "ends_4f9a1c0b7d2e6f8a"
    lines = escape.output("outcome", value, delimiter).split("\n")
    assert lines[0] == f"outcome<<{delimiter}"
    assert lines.index(delimiter) == len(lines) - 2


@pytest.mark.parametrize(
    ("name", "value", "delimiter"),
    [
        ("a=b", "x", "ends_4f9a1c0b7d2e6f8a"),
        ("a\nb", "x", "ends_4f9a1c0b7d2e6f8a"),
        ("a", "x\nends_4f9a1c0b7d2e6f8a\nb=c", "ends_4f9a1c0b7d2e6f8a"),
        ("a", "x", "short"),
    ],
)
def test_an_output_that_could_be_two_is_refused(name: str, value: str, delimiter: str) -> None:
    with pytest.raises(ValueError, match="output"):
        escape.output(name, value, delimiter)


def test_the_worst_we_know_is_plain_text() -> None:
    page = assert_ours(escape.text(ATTACK))
    assert "img" not in page.tags
    assert not page.addresses


def test_words_between_backticks_become_code() -> None:
    assert escape.text("run `release-gate init` now") == "run `release-gate init` now"
    assert "code" not in rendered(escape.text("an odd ` stays")).tags


def test_names_and_numbers_stay_readable() -> None:
    assert escape.text("roc_auc fell by -0.06 (7.5%)") == "roc_auc fell by -0.06 (7.5%)"
    assert escape.text("-0.06 … +0.01") == "-0.06 … +0.01"


def test_what_is_cut_is_counted() -> None:
    assert escape.text("a" * 30, 10) == f"{'a' * 10}… (20 more characters)"
    assert escape.block("first\n" + "x" * 20, 5).split("\n")[1] == "… (21 characters before this)"


def test_a_surrogate_from_json_can_be_written() -> None:
    escape.text(json.loads('"\\ud800"')).encode()


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x07", "\x9b", "\U000e0041"])
def test_what_can_not_be_seen_is_replaced(character: str) -> None:
    assert escape.visible(f"a{character}b") == "a\ufffdb"
