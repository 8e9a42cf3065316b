"""Reads the arguments of the standard's metrics: valid and missing values, patterns, columns that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release_gate.contracts.bounds import is_absent, possible
from release_gate.contracts.contract import Kind, Rule, RuleKind
from release_gate.contracts.patterns import unreadable

ARGUMENTS: Mapping[str, frozenset[str]] = {
    "nullValues": frozenset(),
    "missingValues": frozenset({"missingValues"}),
    "invalidValues": frozenset({"validValues", "pattern"}),
    "duplicateValues": frozenset({"properties"}),
    "rowCount": frozenset(),
}
"""What each metric takes."""


class Wrong(Exception):
    """What is wrong with one entry; `code` is that of its finding."""

    def __init__(self, message: str, code: str = "contract-invalid") -> None:
        super().__init__(message)
        self.code = code


def valid(arguments: Mapping[str, Any]) -> list[Rule]:
    """What `invalidValues` says that a value must keep.

    Raises:
        Wrong: it says nothing, or what no engine can run.
    """
    values, pattern = arguments.get("validValues"), arguments.get("pattern")
    if values is None and pattern is None:
        raise Wrong("`invalidValues` needs the argument `validValues` or `pattern`")
    rules = []
    if values is not None:
        # A null is missing, not invalid: whether it may be is declared by onNull.
        listed = _scalars(values, "validValues")
        rules.append(Rule(RuleKind.ONE_OF, tuple(value for value in listed if value is not None)))
    if pattern is not None:
        if not isinstance(pattern, str):
            raise Wrong("`pattern` must be text")
        if cause := unreadable(pattern):
            raise Wrong(f"`pattern` is none that RE2 can run: {cause}")
        rules.append(Rule(RuleKind.PATTERN, pattern))
    return rules


def missing(arguments: Mapping[str, Any], kind: Kind) -> list[Any]:
    """The values that count as missing in a column of the kind; None for all that is read as null there.

    Raises:
        Wrong: none are named that such a column can hold.
    """
    if "missingValues" not in arguments:
        raise Wrong("`missingValues` needs the argument `missingValues`: a list such as [null, '', 'N/A']")
    listed = _scalars(arguments["missingValues"], "missingValues")
    found = possible(kind, [None if is_absent(kind, value) else value for value in listed])
    if not found:
        named = ", ".join(map(repr, listed)) or "no value"
        raise Wrong(f"`missingValues` names {named}: nothing that a column of type {kind.value} can hold")
    return list(dict.fromkeys(found))


def alone(arguments: Mapping[str, Any], columns: Mapping[str, str], column: str) -> tuple[str]:
    """The one column of a rule that stands at it; `columns` are the table's by every name they have.

    Raises:
        Wrong: the rule names others.
    """
    others = [name for name in together(arguments, columns) if name != column] if "properties" in arguments else []
    if others:
        message = f"`duplicateValues` of a column names {', '.join(others)} beside it"
        raise Wrong(f"{message}: columns that differ together belong to the `quality` of the table")
    return (column,)


def together(arguments: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that are compared together; `columns` are the table's by every name they have.

    Raises:
        Wrong: none are named, or one that the table does not have.
    """
    names = arguments.get("properties")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise Wrong("`duplicateValues` of several columns needs the argument `properties`: a list of columns")
    for name in names:
        if name not in columns:
            raise Wrong(f"`duplicateValues` names '{name}', which is no property of the table")
    return tuple(dict.fromkeys(columns[name] for name in names))


def _scalars(values: object, key: str) -> list[Any]:
    if not isinstance(values, list) or any(isinstance(value, dict | list) for value in values):
        raise Wrong(f"`{key}` must be a list of values")
    return values
