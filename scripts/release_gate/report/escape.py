"""The one place where text of strangers is made harmless, for each place it is put.

A message may come from a fork's pull request: it must not become a link, an image, a mention, our hidden marker,
a table column, a workflow command or a second output. Punctuation goes into Markdown as numeric entities: they are
never structure, in a table or out of it, and GitHub shows them as the character they stand for.

>>> text("see <img src=x> @octocat | #12")
'see &lt;img src=x&gt; @&#8203;octocat &#124; #&#8203;12'
>>> code("a_b"), code("a|b`c")
('`a_b`', '<code>a&#124;b&#96;c</code>')
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\ufffd"
"""Shown instead of a character that can't be seen, or could repaint what is around it."""

_JOINERS = "\u200c\u200d"  # scripts and emoji need them, and they change nothing else
_GAP = "&#8203;"  # a zero-width space: GitHub looks for mentions and links in the rendered text
_ENTITY = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "&#92;", "`": "&#96;", "*": "&#42;", "_": "&#95;", "[": "&#91;",
    "]": "&#93;", "|": "&#124;", "~": "&#126;", "^": "&#94;", "$": "<span>$</span>",
}  # fmt: skip
_WITHIN_WORD = re.compile(r"(?<=[A-Za-z0-9])_+(?=[A-Za-z0-9])")  # there it is never emphasis
_REFERENCES = re.compile(r"@(?=\S)|#(?=\w)|\bGH-(?=\d)|:(?=//)|\bwww(?=\.)|\b(?:mailto|xmpp):", re.IGNORECASE)
_STRUCTURE_AT_START = re.compile(r"[-+](?!\d)|[=#:]|\d{1,9}(?=[.)](?:\s|$))")
_SPACES = re.compile(r"\s+")
_CODE_PAIR = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def visible(value: str) -> str:
    r"""Text whose every character can be seen: no control, bidi or surrogate characters; `\n` and tab stay."""
    return "".join(
        character if character in "\n\t" or character in _JOINERS else _seen(character) for character in _lines(value)
    )


def _lines(value: str) -> str:
    without_colour = _ANSI.sub("", value)
    return re.sub("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]", "\n", without_colour)


def _seen(character: str) -> str:
    return REPLACEMENT if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co") else character


def one_line(value: str) -> str:
    """Visible text with every run of white space as one blank."""
    return _SPACES.sub(" ", visible(value)).strip()


def cut(value: str, most: int) -> str:
    """At most so many characters, saying how many are gone."""
    return value if len(value) <= most else f"{value[:most]}… ({len(value) - most:,} more characters)"


def text(value: str, most: int = 2000) -> str:
    """Prose on one line of Markdown, also inside a table's cell; `words between backticks` become code."""
    line = cut(one_line(value), most)
    out: list[str] = []
    for index, piece in enumerate(_CODE_PAIR.split(line)):
        out.append(code(piece) if index % 2 else _prose(piece))
    whole = "".join(out)
    # A line that starts like a list, a heading or a workflow command must not become one.
    start = _STRUCTURE_AT_START.match(whole)
    if start is None:
        return whole
    return "".join(f"&#{ord(character)};" for character in start.group()) + whole[start.end() :]


def _prose(piece: str) -> str:
    # NUL and SOH stand for what entities are put in place of below; `visible` has taken out any of a stranger's.
    marked = _WITHIN_WORD.sub(lambda found: "\1" * len(found.group()), piece)
    marked = _REFERENCES.sub(lambda found: found.group() + "\0", marked)
    special = {**_ENTITY, "\0": _GAP, "\1": "_"}
    return "".join(special.get(character, character) for character in marked)


def code(value: str, most: int = 500) -> str:
    """A name as inline code, safe in a table too, where backticks and pipes quarrel."""
    line = cut(one_line(value), most)
    if not any(special in line for special in ("`", "|", "##[")):
        return f"`{line}`" if line else ""
    return f"<code>{_prose(line)}</code>"


def block(value: str, most: int = 4000) -> str:
    """Several lines as a fenced block; the end is kept when it is too long, as errors stand there."""
    seen = visible(value).strip("\n")
    if len(seen) > most:
        seen = f"… ({len(seen) - most:,} characters before this)\n{seen[-most:]}"
    longest = max((len(run) for run in re.findall(r"`+", seen)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{_no_command(seen)}\n{fence}"


def html(value: str, most: int = 500) -> str:
    """Text inside an HTML element or a quoted attribute, where Markdown is not read and backticks protect nothing."""
    shown = _prose(cut(one_line(value), most)).replace("<span>$</span>", "&#36;")
    return shown.replace('"', "&quot;").replace("'", "&#39;").replace(":", "&#58;")


def terminal(value: str) -> str:
    """Text for a terminal or a job's log, where a line may otherwise be a command to the runner."""
    return _no_command(visible(value))


def _no_command(value: str) -> str:
    # The runner trims a line before it looks for `::`, and finds the old form `##[` anywhere in it.
    broken = value.replace("##[", "##\u200b[")
    return _COMMAND_AT_START.sub("\\1:\u200b", broken)


def command(
    level: str, message: str, *, title: str = "", file: str = "", line: int | None = None, column: int | None = None
) -> str:
    """A workflow command that annotates: one line, whose values can neither end it nor add to it."""
    named = {
        "file": file,
        "line": str(line) if line else "",
        "col": str(column) if line and column else "",
        "title": title,
    }
    values = ",".join(f"{name}={_property(value)}" for name, value in named.items() if value)
    return f"::{level}{' ' if values else ''}{values}::{_message(message)}"


def mask(line: str) -> str:
    """A workflow command that has the runner hide a secret in everything that is logged from then on.

    Nothing of it is made visible first: it must be masked as it would be printed.
    """
    return "::add-mask::" + line.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _message(value: str) -> str:
    safe = visible(value).replace("##[", "##\u200b[")
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(one_line(value)).replace(":", "%3A").replace(",", "%2C")


def output(name: str, value: str, delimiter: str) -> str:
    """One entry of GITHUB_OUTPUT or GITHUB_ENV; `delimiter` is random, and must not be guessed by the value.

    Raises:
        ValueError: the name is not a plain word, or the value holds the delimiter.
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) is None:
        raise ValueError(f"not a name of an output: {name!r}")
    if delimiter in value or re.fullmatch(r"[A-Za-z0-9_]{20,}", delimiter) is None:
        raise ValueError("the value of an output holds its delimiter")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
