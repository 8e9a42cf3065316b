"""Texts that a regular expression matches: the shortest, the longest, and others drawn at random.

The expression is read by Python's own parser, which knows most of RE2; whoever uses the texts asks RE2 about them.
Generators on the package index were weighed: one draws in the order of a hash, another has a licence that a tool run by
others can't take, and hypothesis writes files into the working folder.
"""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Callable, Sequence
from random import Random
from re import _parser  # type: ignore[attr-defined] # the only parser of expressions there is
from typing import Any

UNBOUNDED = 40
"""Repeats that stand for `*` and `+` without end."""
POOL = string.ascii_letters + string.digits + " -_.,:;/'\"#é中"
CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": lambda one: one in string.digits,
    "CATEGORY_WORD": lambda one: one in string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": lambda one: one in string.whitespace,
}

Repeats = Callable[[int, int], int]
Choice = Callable[[Sequence[Any]], Any]


def texts(pattern: str, random: Random, wanted: int) -> list[str]:
    """The shortest text, the longest, the shortest with text around it, then up to `wanted` others, none twice.

    Empty where Python's parser does not read the pattern, or it asks for what no text can be made of.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # RE2's `[[:alpha:]]` looks odd to Python; what comes of it is checked
            parsed = _parser.parse(pattern)
        made = [
            _text(parsed, lambda low, _: low, lambda several: several[0]),
            _text(parsed, lambda _, high: high, lambda several: several[-1]),
        ]
        made.append(f"x {made[0]} y")
        made += [_text(parsed, random.randint, random.choice) for _ in range(wanted)]
    except (re.error, KeyError, IndexError, OverflowError, RecursionError):
        return []
    return list(dict.fromkeys(made))


def _text(parsed: Any, repeats: Repeats, choice: Choice) -> str:
    return "".join(_part(operation.name, argument, repeats, choice) for operation, argument in parsed)


def _part(operation: str, argument: Any, repeats: Repeats, choice: Choice) -> str:
    """One part of an expression as text; KeyError for what RE2 has no word for either, such as look-around."""
    if operation == "LITERAL":
        return chr(argument)
    if operation == "AT":
        return ""
    if operation == "ANY":
        return str(choice(POOL))
    if operation == "NOT_LITERAL":
        return str(choice([one for one in POOL if one != chr(argument)]))
    if operation == "IN":
        return str(choice(_members(argument)))
    if operation == "BRANCH":
        return _text(choice(argument[1]), repeats, choice)
    if operation == "SUBPATTERN":
        return _text(argument[-1], repeats, choice)
    if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        low, high, inner = argument
        most = max(low, UNBOUNDED) if high is _parser.MAXREPEAT else int(high)
        return "".join(_text(inner, repeats, choice) for _ in range(repeats(low, most)))
    raise KeyError(operation)


def _members(argument: Sequence[tuple[Any, Any]]) -> list[str]:
    """The characters of a set, in its own order: of a negated one those of the pool that it leaves."""
    negated = argument[0][0].name == "NEGATE"
    tests = [_test(operation.name, inner) for operation, inner in argument[negated:]]
    if negated:
        return [one for one in POOL if not any(test(one) for test in tests)]
    written: list[str] = []
    for operation, inner in argument:
        if operation.name == "LITERAL":
            written.append(chr(inner))
        elif operation.name == "RANGE":
            written += [chr(code) for code in range(inner[0], min(inner[1], inner[0] + 200) + 1)]
        else:
            written += [one for one in POOL + "\t" if _test(operation.name, inner)(one)]
    return written


def _test(operation: str, argument: Any) -> Callable[[str], bool]:
    if operation == "LITERAL":
        return lambda one: ord(one) == argument
    if operation == "RANGE":
        return lambda one: bool(argument[0] <= ord(one) <= argument[1])
    name = argument.name
    if name in CATEGORIES:
        return CATEGORIES[name]
    positive = CATEGORIES[name.replace("_NOT_", "_")]
    return lambda one: not positive(one)
