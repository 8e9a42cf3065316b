"""Reads a contract written as pandera's own YAML, old and new shapes, without pandera's reader.

That reader is tied to pandera's version and drops column metadata and timestamp units. Our policy stands under the
schema's `metadata:` (`version`, `owner`, `policy: {column: {on_null: ...}}`).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from release_gate.contracts import storage
from release_gate.contracts.contract import Column, Contract, Kind, Reading, Rule, RuleKind
from release_gate.contracts.policy import contradictions, policy, undeclared
from release_gate.documents import Document
from release_gate.findings import BadInput, finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding

_SPELLED = ("`on_null` under metadata.policy", "`on_invalid` under metadata.policy", "`backfill` under metadata.policy")
_POLICY_KEYS = ("on_null", "on_invalid", "backfill", "sensitive")
_TABLE_KEYS = {
    "schema_type", "version", "api", "columns", "checks", "index", "dtype", "coerce", "strict", "name", "ordered",
    "unique", "report_duplicates", "unique_column_names", "add_missing_columns", "title", "description", "metadata",
}  # fmt: skip
_COLUMN_KEYS = {
    "title", "description", "dtype", "nullable", "checks", "unique", "coerce", "required", "regex", "name", "default",
    "report_duplicates", "drop_invalid_rows", "metadata",
}  # fmt: skip


def _range(given: dict[str, Any]) -> list[Rule]:
    low = RuleKind.AT_LEAST if given.get("include_min", True) else RuleKind.ABOVE
    high = RuleKind.AT_MOST if given.get("include_max", True) else RuleKind.BELOW
    return [Rule(low, given["min_value"]), Rule(high, given["max_value"])]


def _length(given: dict[str, Any]) -> list[Rule]:
    exact = given.get("exact_value")
    low, high = (exact, exact) if exact is not None else (given.get("min_value"), given.get("max_value"))
    rules = [Rule(RuleKind.SHORTEST, low)] if low is not None else []
    return rules + ([Rule(RuleKind.LONGEST, high)] if high is not None else [])


def _one(kind: RuleKind, template: str = "{}") -> Callable[[dict[str, Any]], list[Rule]]:
    def rule(given: dict[str, Any]) -> list[Rule]:
        values = [value for key, value in given.items() if key != "options"]
        (value,) = values
        if isinstance(value, list):
            return [Rule(kind, tuple(value))]
        return [Rule(kind, template.format(value) if kind is RuleKind.PATTERN else value)]

    return rule


_CHECKS: dict[str, Callable[[dict[str, Any]], list[Rule]]] = {
    "greater_than": _one(RuleKind.ABOVE),
    "greater_than_or_equal_to": _one(RuleKind.AT_LEAST),
    "less_than": _one(RuleKind.BELOW),
    "less_than_or_equal_to": _one(RuleKind.AT_MOST),
    "in_range": _range,
    "isin": _one(RuleKind.ONE_OF),
    "notin": _one(RuleKind.NONE_OF),
    "str_matches": _one(RuleKind.PATTERN, "^(?:{})"),
    "str_contains": _one(RuleKind.PATTERN),
    "str_length": _length,
    "equal_to": lambda given: [Rule(RuleKind.ONE_OF, (given["value"],))],
    "not_equal_to": lambda given: [Rule(RuleKind.NONE_OF, (given["value"],))],
}


def read(document: Document) -> Reading:
    """The contract, and what it should declare and does not.

    Raises:
        BadInput: what is wrong with it, each with its place.
    """
    value: dict[str, Any] = document.value
    reader = _Reader(document)
    reader.known(value, _TABLE_KEYS, ())
    metadata = reader.mapping(value.get("metadata"), ("metadata",))
    policies = reader.mapping(metadata.get("policy"), ("metadata", "policy"))
    described = reader.mapping(value.get("columns"), ("columns",))
    columns = [reader.column(name, entry, policies.get(name)) for name, entry in described.items()]
    if not described:
        reader.fault("contract-invalid", "the schema has no `columns`", ("columns",))
    for name in sorted(set(policies) - set(described)):
        reader.fault("contract-unknown-key", f"the policy names a column '{name}' that the schema does not have",
                     ("metadata", "policy", name))  # fmt: skip
    if reader.faults:
        raise BadInput(*reader.faults)
    if value.get("checks"):
        reader.unjudged("checks of the whole table", ("checks",))
    unique = value.get("unique")
    together = [unique] if isinstance(unique, str) else unique or []
    contract = Contract(
        name=value.get("name") or metadata.get("name") or "contract",
        version=str(metadata.get("version") or ""),
        columns=tuple(columns),
        table=value.get("name") or "table",
        owner=metadata.get("owner"),
        rows_least=metadata.get("rows_at_least"),
        rows_most=metadata.get("rows_at_most"),
        key=tuple(together),
        file=document.file,
        format="pandera",
    )
    return Reading(contract, tuple(reader.findings))


class _Reader:
    """Reads columns, collecting what is wrong (`faults`) and what is lacking (`findings`)."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []

    def fault(self, code: str, message: str, at: Path_) -> None:
        self.faults.append(finding(code, message, where=self.document.where(at)))

    def unjudged(self, what: str, at: Path_) -> None:
        self.findings.append(finding("contract-rule-unjudged", f"{what} are not judged", where=self.document.where(at)))

    def mapping(self, value: object, at: Path_) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self.fault("contract-invalid", f"'{'.'.join(map(str, at))}' must hold keys and values", at)
        return {}

    def known(self, value: dict[str, Any], keys: set[str], at: Path_) -> None:
        for key in value:
            if key not in keys:
                near = difflib.get_close_matches(key, sorted(keys), n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                self.fault("contract-unknown-key", f"unknown key '{key}'{hint}", (*at, key))

    def column(self, name: str, entry: object, declared: object) -> Column:
        at: Path_ = ("columns", name)
        written = self.mapping(entry, at)
        spot: Path_ = ("metadata", "policy", name)
        asked = self.mapping(declared, spot)
        self.known(asked, set(_POLICY_KEYS), spot)
        said, wrong = policy(asked)
        for key, message in wrong.items():
            self.fault("contract-invalid", f"column '{name}': {message}", (*spot, key))
        dtype = str(written.get("dtype") or "")
        kind = storage.kind(dtype)
        if kind is None:
            self.fault("contract-invalid", f"column '{name}': the dtype '{dtype}' is not known", (*at, "dtype"))
        if written.get("regex") or written.get("required") is False:
            self.fault("contract-invalid", f"column '{name}': `regex` and `required: false` are not read", at)
        exact = storage.exact(dtype)
        column = Column(
            name=name,
            kind=kind or Kind.STRING,
            rules=tuple(self._rules(written, at)),
            policy=said,
            unique=bool(written.get("unique")),
            storage=exact if kind in storage.SEVERAL else None,
            zone=", tz=" in exact if exact and kind is Kind.TIMESTAMP else None,
            description=written.get("description"),
            where=self.document.where(at),
        )
        self.findings += undeclared(column, _SPELLED)
        # pandera's default is that null is refused, so only a written `nullable: false` is a demand of the author.
        self.findings += contradictions(column, required=written.get("nullable") is False)
        return column

    def _rules(self, written: dict[str, Any], at: Path_) -> list[Rule]:
        rules: list[Rule] = []
        for check, given, place in self._checks(written, at):
            if check not in _CHECKS:
                self.unjudged(f"values by the check `{check}`", place)
                continue
            try:
                rules += _CHECKS[check](given if isinstance(given, dict) else {"value": given})
            except (KeyError, ValueError):
                self.fault("contract-invalid", f"the check `{check}` lacks its values", place)
        return rules

    def _checks(self, written: dict[str, Any], at: Path_) -> list[tuple[str, Any, Path_]]:
        """Checks by name: flat keys beside `dtype` (pandera 0.35), or under `checks` as a mapping or a list."""
        flat: list[tuple[str, Any, Path_]] = [
            (key, given, (*at, key)) for key, given in written.items() if key not in _COLUMN_KEYS
        ]
        under = written.get("checks")
        if isinstance(under, dict):
            return flat + [(key, given, (*at, "checks", key)) for key, given in under.items()]
        for index, one in enumerate(under if isinstance(under, list) else []):
            options = one.get("options") if isinstance(one, dict) else None
            name = options.get("check_name") if isinstance(options, dict) else None
            flat.append((str(name), {key: v for key, v in one.items() if key != "options"} if name else {},
                         (*at, "checks", index)))  # fmt: skip
        return flat
