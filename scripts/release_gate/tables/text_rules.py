"""Rules on texts as DuckDB's SQL, without the time that importing Ibis takes.

All mean what Ibis makes of them; patterns of one length are a GLOB, which finds the same in half the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from release_gate.contracts.contract import Rule, RuleKind
from release_gate.tables.spoken import as_text

_PIECE = re.compile(
    r"(?P<set>\[(?:[0-9A-Za-z]-[0-9A-Za-z]|[0-9A-Za-z_])+\])|(?P<digit>\\d)|(?P<plain>[0-9A-Za-z \-_:/@#%,;=<>!&'\"~])"
    r"|\\(?P<escaped>[.\-/])"
)
"""One character of RE2's that GLOB has words for; both know them as one byte of ASCII."""
_LONGEST = 256
"""Characters that a GLOB may find: RE2 refuses patterns that grow too large."""
_TIMES = re.compile(r"\{([1-9][0-9]?)\}")


def glob_of(pattern: str) -> str | None:
    """A regular expression as a GLOB, where every text that it matches as a whole is of one length."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return None
    made, length, place, end = "", 0, 1, len(pattern) - 1
    while place < end:
        piece = _PIECE.match(pattern, place, end)
        if piece is None or _backwards(piece["set"] or ""):
            return None
        times = _TIMES.match(pattern, piece.end(), end)
        one = piece["set"] or ("[0-9]" if piece["digit"] else piece["plain"] or piece["escaped"])
        several = int(times[1]) if times else 1
        made, length, place = made + one * several, length + several, (times or piece).end()
        if length > _LONGEST:
            return None
    return made or None


def _backwards(among: str) -> bool:
    """Whether a set has a range from a later character to an earlier one, which RE2 refuses."""
    return any(first > last for first, last in re.findall(r"(.)-(.)", among))


def _matching(text: str, value: Any) -> str:
    glob = glob_of(str(value))
    return f"regexp_matches({text}, {as_text(str(value))})" if glob is None else f"{text} GLOB {as_text(glob)}"


def _among(text: str, values: Any) -> str | None:
    members = [one for one in (values if isinstance(values, tuple) else (values,)) if isinstance(one, str)]
    return f"{text} IN ({', '.join(map(as_text, members))})" if members else None


def _among_none(text: str, values: Any) -> str | None:
    among = _among(text, values)
    return f"NOT ({among})" if among else None


_SAID: Mapping[RuleKind, Callable[[str, Any], str | None]] = {
    RuleKind.ONE_OF: _among,
    RuleKind.NONE_OF: _among_none,
    RuleKind.PATTERN: _matching,
    RuleKind.STARTS_WITH: lambda text, value: f"starts_with({text}, {as_text(str(value))})",
    RuleKind.ENDS_WITH: lambda text, value: f"suffix({text}, {as_text(str(value))})",
    RuleKind.LONGEST: lambda text, value: f"length({text}) <= {value}" if isinstance(value, int) else None,
    RuleKind.SHORTEST: lambda text, value: f"length({text}) >= {value}" if isinstance(value, int) else None,
}


def said(rule: Rule, text: str) -> str | None:
    """The rule on a text, as SQL; None for one that is left to Ibis."""
    made = _SAID.get(rule.kind)
    return None if made is None else made(text, rule.value)


def answerable(rule: Rule) -> bool:
    """Whether the rule can be said at all."""
    return said(rule, "") is not None


def slow(rule: Rule) -> bool:
    """Whether judging a text takes longer than finding it again among many."""
    return rule.kind is RuleKind.PATTERN and glob_of(str(rule.value)) is None
