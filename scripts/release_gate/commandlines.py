"""A command of release-gate.yml as words: split without a shell, placeholders filled in each word.

A placeholder's value is one word or part of one, whatever is in it: it is filled after the splitting.

>>> filled("python -m train --out {out}", {"out": "a b; rm -rf"})
('python', '-m', 'train', '--out', 'a b; rm -rf')
"""

from __future__ import annotations

import difflib
import re
import shlex
import signal
from collections.abc import Mapping

from release_gate.edges import Completed
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding, Where

_BRACES = re.compile(r"\{\{(\w+)\}\}|\{([A-Za-z_]\w*)\}")
SHOWN_LINES = 25


def filled(template: str, values: Mapping[str, str], *, where: Where | None = None) -> tuple[str, ...]:
    """The words of a command; `{{word}}` stands for the text `{word}`.

    Raises:
        BadInput: `command-malformed`, or `placeholder-unknown` with a suggestion.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        cause = f"`{template}` can't be split into words: {str(error).lower()}"
        raise BadInput.because("command-malformed", cause, where=where) from error
    if not words:
        raise BadInput.because("command-malformed", "the command is empty", where=where)

    def fill(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal is not None:
            return f"{{{literal}}}"
        if name in values:
            return values[name]
        near = difflib.get_close_matches(name, values, n=1)
        known = ", ".join(f"{{{one}}}" for one in values) or "none"
        hint = f"did you mean {{{near[0]}}}?" if near else f"known here: {known}"
        raise BadInput.because("placeholder-unknown", f"`{template}` uses {{{name}}}; {hint}", where=where)

    return tuple(_BRACES.sub(fill, word) for word in words)


def failed(what: str, done: Completed, *, code: str, limit: float | None = None, where: Where | None = None) -> Finding:
    """A finding that says how a command ended and what it printed last; `what` names its role ("training")."""
    seconds = f"{limit:g} s" if limit is not None else f"{done.seconds:g} s"
    if done.timed_out:
        how = f"was ended after its time limit of {seconds}"
    elif done.flooded:
        how = "printed without end and was stopped"
    elif done.status < 0:
        how = f"was killed by signal {_signal(-done.status)}"
    else:
        how = f"ended with status {done.status}"
    last = last_lines(done.tail)
    message = f"{what} {how}: {shlex.join(done.command)[:1000]}"
    message += f"\nLast lines:\n{last}" if last else "\nIt printed nothing."
    return finding(
        code,
        message,
        where=where,
        evidence={"status": done.status, "seconds": done.seconds, "timed_out": done.timed_out},
    )


def last_lines(tail: str, lines: int = SHOWN_LINES) -> str:
    """The end of an output, short enough for a finding."""
    return "\n".join(tail.rstrip().splitlines()[-lines:])[-6000:]


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
