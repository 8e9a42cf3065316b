"""Reads pandera's built-in checks, in every shape that pandera has written them, into rules and measures."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from release_gate.contracts.bounds import bad_bound, possible
from release_gate.contracts.contract import Bounds, Kind, Measure, Metric, Rule, RuleKind
from release_gate.contracts.patterns import unreadable
from release_gate.mistakes import Path_

_OPTIONS = frozenset(
    {"check_name", "ignore_na", "raise_warning", "n_failure_cases", "groupby", "groups", "error", "name"}
)
"""Keys of a check that are no value of it; the last ones only shape pandera's own messages."""
_SWITCHES = ("ignore_na", "raise_warning")
"""Options that are true or false."""
_ALIASES = {
    "eq": "equal_to",
    "ne": "not_equal_to",
    "gt": "greater_than",
    "ge": "greater_than_or_equal_to",
    "lt": "less_than",
    "le": "less_than_or_equal_to",
    "between": "in_range",
}


@dataclass(frozen=True)
class Check:
    """One check as it is written: its values by name, and its options."""

    name: str
    given: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    at: Path_ = ()

    @property
    def warns(self) -> bool:
        """Whether a breach is only told."""
        return bool(self.options.get("raise_warning"))

    @property
    def refuses_null(self) -> bool:
        """Whether a null breaks it."""
        return self.options.get("ignore_na") is False

    @property
    def grouped(self) -> bool:
        """Whether it sees the column in groups, which only pandera can make."""
        return self.options.get("groupby") is not None or self.options.get("groups") is not None


def listed(written: Mapping[str, Any], at: Path_, keys: frozenset[str]) -> list[Check]:
    """Checks as flat keys beside `dtype` (all but `keys`), or under `checks` as a mapping or a list.

    A list's entry that names no check is one called `None`, which nobody knows.
    """
    found = [_named(key, given, (*at, key)) for key, given in written.items() if key not in keys]
    under = written.get("checks")
    if isinstance(under, dict):
        return found + [_named(key, given, (*at, "checks", key)) for key, given in under.items()]
    for index, one in enumerate(under if isinstance(under, list) else []):
        given_options = one.get("options") if isinstance(one, dict) else None
        options = given_options if isinstance(given_options, dict) else {}
        name = options.get("check_name")
        given = {key: value for key, value in one.items() if key != "options"} if name else {}
        found.append(Check(str(name), given, options, (*at, "checks", index)))
    return found


def _named(name: str, given: Any, at: Path_) -> Check:
    if not isinstance(given, dict):
        return Check(name, {} if given is None else {"value": given}, at=at)
    options = {key: value for key, value in given.items() if key in _OPTIONS}
    values = {key: value for key, value in given.items() if key not in _OPTIONS}
    if isinstance(values.get("options"), dict | None):
        options |= values.pop("options", None) or {}
    return Check(name, values, options, at)


def unsound(check: Check) -> str | None:
    """What is wrong with the options of a known check, which would else do nothing or the opposite; None if nothing."""
    for key, value in check.options.items():
        if key not in _OPTIONS:
            near = difflib.get_close_matches(str(key), sorted(_OPTIONS), n=1)
            return f"`{check.name}` has no option '{key}'" + (f"; did you mean '{near[0]}'?" if near else "")
        if key in _SWITCHES and not isinstance(value, bool | None):
            return f"`{check.name}`: `{key}` must be true or false (it is {value!r})"
    return None


def known(check: Check) -> bool:
    """Whether it is one of pandera's own checks."""
    return _ALIASES.get(check.name, check.name) in {*_MAKERS, "unique_values_eq"}


def read(check: Check, column: str, kind: Kind) -> tuple[list[Rule], list[Measure]]:
    """What a known check demands of a column of this kind.

    Raises:
        ValueError: its values are missing or wrong, or its options are.
    """
    if wrong := unsound(check):
        raise ValueError(wrong)
    name = _ALIASES.get(check.name, check.name)
    if name == "unique_values_eq":
        values = _values(check)
        absent = Measure(
            Metric.ABSENT, Bounds(most=0), columns=(column,), values=values, name="unique_values_eq", warns=check.warns
        )
        return [Rule(RuleKind.ONE_OF, values, check.warns)], [absent]
    rules = _MAKERS[name](check)
    if name in {"notin", "not_equal_to"}:
        forbidden = possible(kind, rules[0].value if isinstance(rules[0].value, tuple) else ())
        return [Rule(RuleKind.NONE_OF, forbidden, check.warns)] if forbidden else [], []
    for rule in rules:
        if rule.kind is RuleKind.ONE_OF:
            continue
        if wrong := bad_bound(kind, rule.kind, rule.value):
            raise ValueError(f"`{check.name}`: its value {wrong} (it is {rule.value!r})")
        if rule.kind is RuleKind.PATTERN and (cause := unreadable(str(rule.value))):
            raise ValueError(f"`{check.name}`: RE2 can't run its pattern: {cause}")
    return rules, []


def _one(check: Check) -> Any:
    values = list(check.given.values())
    if len(values) != 1:
        raise ValueError(f"`{check.name}` takes one value, and has {', '.join(check.given) or 'none'}")
    return values[0]


def _values(check: Check) -> tuple[Any, ...]:
    given = _one(check)
    if not isinstance(given, list) or any(isinstance(value, list | dict) for value in given):
        raise ValueError(f"`{check.name}` takes a list of values (it is {given!r})")
    # pandera leaves nulls out before it looks, so a null among the values changes nothing.
    return tuple(value for value in given if value is not None)


def _simple(kind: RuleKind) -> Callable[[Check], list[Rule]]:
    return lambda check: [Rule(kind, _one(check), check.warns)]


def _set(kind: RuleKind) -> Callable[[Check], list[Rule]]:
    return lambda check: [Rule(kind, _values(check), check.warns)]


def _single(kind: RuleKind) -> Callable[[Check], list[Rule]]:
    return lambda check: [Rule(kind, (_one(check),), check.warns)]


def _pattern(template: str) -> Callable[[Check], list[Rule]]:
    def made(check: Check) -> list[Rule]:
        given = _one(check)
        if not isinstance(given, str):
            raise ValueError(f"`{check.name}` takes a text (it is {given!r})")  # noqa: TRY004 - one kind of error here
        return [Rule(RuleKind.PATTERN, template.format(given), check.warns)]

    return made


def _range(check: Check) -> list[Rule]:
    _only(check, {"min_value", "max_value", "include_min", "include_max"})
    if check.given.get("min_value") is None or check.given.get("max_value") is None:
        raise ValueError(f"`{check.name}` needs min_value and max_value")
    for key in ("include_min", "include_max"):
        if not isinstance(given := check.given.get(key, True), bool):
            raise ValueError(f"`{check.name}`: `{key}` must be true or false (it is {given!r})")  # noqa: TRY004 - one kind of error here
    low = RuleKind.AT_LEAST if check.given.get("include_min", True) else RuleKind.ABOVE
    high = RuleKind.AT_MOST if check.given.get("include_max", True) else RuleKind.BELOW
    return [Rule(low, check.given["min_value"], check.warns), Rule(high, check.given["max_value"], check.warns)]


def _length(check: Check) -> list[Rule]:
    _only(check, {"min_value", "max_value", "exact_value", "value"})
    exact = check.given.get("exact_value", check.given.get("value"))
    ends = (exact, exact) if exact is not None else (check.given.get("min_value"), check.given.get("max_value"))
    if ends == (None, None):
        raise ValueError(f"`{check.name}` needs min_value, max_value or exact_value")
    kinds = (RuleKind.SHORTEST, RuleKind.LONGEST)
    return [Rule(kind, end, check.warns) for kind, end in zip(kinds, ends, strict=True) if end is not None]


def _only(check: Check, keys: set[str]) -> None:
    if unknown := sorted(set(check.given) - keys):
        raise ValueError(f"`{check.name}` has no value '{unknown[0]}'; it takes {', '.join(sorted(keys))}")


_MAKERS: Mapping[str, Callable[[Check], list[Rule]]] = {
    "equal_to": _single(RuleKind.ONE_OF),
    "not_equal_to": _single(RuleKind.NONE_OF),
    "greater_than": _simple(RuleKind.ABOVE),
    "greater_than_or_equal_to": _simple(RuleKind.AT_LEAST),
    "less_than": _simple(RuleKind.BELOW),
    "less_than_or_equal_to": _simple(RuleKind.AT_MOST),
    "in_range": _range,
    "isin": _set(RuleKind.ONE_OF),
    "notin": _set(RuleKind.NONE_OF),
    # pandera looks for the pattern at the beginning of the text, as Python's `re.match` does.
    "str_matches": _pattern("^(?:{})"),
    "str_contains": _pattern("{}"),
    "str_startswith": _simple(RuleKind.STARTS_WITH),
    "str_endswith": _simple(RuleKind.ENDS_WITH),
    "str_length": _length,
}
