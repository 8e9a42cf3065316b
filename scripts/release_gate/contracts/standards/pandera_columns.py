"""Reads the columns (and named index levels) of a schema that pandera wrote, with our policy from its metadata."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from release_gate.contracts import storage
from release_gate.contracts.bounds import is_number, is_whole
from release_gate.contracts.contract import Column, Kind, Measure, Rule
from release_gate.contracts.contradictions import contradictions
from release_gate.contracts.standards import pandera_checks
from release_gate.contracts.standards.pandera_checks import Check
from release_gate.contracts.standards.policy import policy, since, undeclared, with_default
from release_gate.documents import Document
from release_gate.findings import finding
from release_gate.mistakes import Path_
from release_gate.verdict import Finding

_SPELLED = ("`on_null` under metadata.policy", "`on_invalid` under metadata.policy", "`backfill` under metadata.policy")
_POLICY_KEYS = ("on_null", "on_invalid", "backfill", "sensitive", "null_share_drift", "since")
KEYS = frozenset(
    {
        "title", "description", "dtype", "nullable", "checks", "unique", "coerce", "required", "regex", "name",
        "default", "report_duplicates", "drop_invalid_rows", "metadata", "parsers",
    }
)  # fmt: skip
_SWITCHES = ("nullable", "unique", "coerce", "required", "regex", "drop_invalid_rows")
"""Keys of a column that are true or false."""
_DTYPES = {"int": "int64", "float": "float64", "datetime": "datetime64[ns]", "datetime64": "datetime64[ns]"}
"""Names that are exact to pandera and not to everybody."""
_CATEGORY = {"category", "categorical", "enum"}
_SETS = frozenset({"isin", "unique_values_eq"})
"""Checks whose values tell of what kind the values of a category are."""


class Columns:
    """Reads columns, collecting what is wrong (`faults`) and what is lacking (`findings`)."""

    def __init__(self, document: Document, table: dict[str, Any]) -> None:
        self.document = document
        self.table = table
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []
        self.measures: list[Measure] = []

    def fault(self, code: str, message: str, at: Path_) -> None:
        """Note what is wrong at a place."""
        self.faults.append(finding(code, message, where=self.document.where(at)))

    def unjudged(self, what: str, at: Path_, remedy: str | None = None) -> None:
        """Refuse by name what can't be judged."""
        where = self.document.where(at)
        self.findings.append(finding("contract-rule-unjudged", f"{what} can't be judged", where=where, remedy=remedy))

    def mapping(self, value: object, at: Path_) -> dict[str, Any]:
        """A mapping that stands at a place, empty where there is none."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.fault("contract-invalid", f"'{'.'.join(map(str, at))}' must hold keys and values", at)
        return {}

    def known(self, value: dict[str, Any], keys: frozenset[str], at: Path_) -> None:
        """Refuse keys that the format does not have."""
        for key in value:
            if key not in keys:
                near = difflib.get_close_matches(str(key), sorted(keys), n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                self.fault("contract-unknown-key", f"unknown key '{key}'{hint}", (*at, key))

    def near_misses(self, value: dict[str, Any], keys: Iterable[str], at: Path_) -> None:
        """Refuse keys that are ours but for a slip, where keys of others may stand too."""
        ours = list(keys)
        for key in value:
            near = next((one for one in ours if slipped(str(key).lower(), one)), None)
            if near and key not in ours:
                self.fault("contract-unknown-key", f"unknown key '{key}'; did you mean '{near}'?", (*at, key))

    def switches(self, value: dict[str, Any], keys: Iterable[str], at: Path_, whose: str = "") -> None:
        """Refuse what is neither true nor false, such as the text "false", which would be taken for true."""
        for key in keys:
            if not isinstance(value.get(key), bool | None):
                message = f"{whose}`{key}` must be true or false (it is {value[key]!r})"
                self.fault("contract-invalid", message, (*at, key))

    def checks(self, value: dict[str, Any], at: Path_, keys: frozenset[str], whose: str = "") -> list[Check]:
        """The checks that stand at a place, none where `checks` holds something else."""
        under = value.get("checks")
        if not isinstance(under, dict | list | None):
            message = f"{whose}`checks` must be a list or a mapping of checks (it is {under!r})"
            self.fault("contract-invalid", message, (*at, "checks"))
        return pandera_checks.listed(value, at, keys)

    def column(self, name: str, entry: object, declared: object, at: Path_, everywhere: list[Check]) -> Column:
        """One column; `everywhere` are checks of the whole table, which pandera applies to every column."""
        written = self.mapping(entry, at)
        self.switches(written, _SWITCHES, at, f"column '{name}': ")
        asked = self._asked(name, written, declared, at)
        own = self.checks(written, at, KEYS, f"column '{name}': ")
        dtype, kind = self._dtype(name, written, own, at)
        said, wrong = policy(asked, kind)
        came = None
        try:
            came = since(asked.get("since"))
        except ValueError as error:
            wrong["since"] = str(error)
        for key, message in wrong.items():
            self.fault("contract-invalid", f"column '{name}': {message}", ("metadata", "policy", name, key))
        self._refuse(name, written, at)
        rules, refuses_null = self._rules(name, kind, [*own, *everywhere])
        default = written.get("default")
        if isinstance(default, dict | list):
            self.fault("contract-invalid", f"column '{name}': `default` must be a plain value", (*at, "default"))
            default = None
        coerced = bool(written.get("coerce") or self.table.get("coerce"))
        exact = storage.exact(dtype)
        column = Column(
            name=name,
            kind=kind,
            rules=tuple(rules),
            policy=said if default is None else with_default(said, default),
            unique=bool(written.get("unique")),
            # What is converted first may be stored in any way.
            storage=exact if kind in storage.SEVERAL and not coerced else None,
            zone=", tz=" in exact if exact and kind is Kind.TIMESTAMP and not coerced else None,
            description=None if written.get("description") is None else str(written["description"]),
            required=self._required(written),
            since=came,
            where=self.document.where(at),
        )
        self.findings += undeclared(column, _SPELLED)
        # pandera's default is that null is refused, so only a written `nullable: false` is a demand of the author.
        required = written.get("nullable") is False or refuses_null
        self.findings += contradictions(column, required=required, default=default)
        return column

    def _asked(self, name: str, written: dict[str, Any], declared: object, at: Path_) -> dict[str, Any]:
        """The policy of a column: under the schema's metadata, or in the column's own, which code can carry."""
        spot: Path_ = ("metadata", "policy", name)
        asked = self.mapping(declared, spot)
        self.known(asked, frozenset(_POLICY_KEYS), spot)
        own = self.mapping(written.get("metadata"), (*at, "metadata"))
        self.near_misses(own, _POLICY_KEYS, (*at, "metadata"))
        return {**{key: own[key] for key in _POLICY_KEYS if key in own}, **asked}

    def _dtype(self, name: str, written: dict[str, Any], checks: list[Check], at: Path_) -> tuple[str, Kind]:
        dtype = str(self.table.get("dtype") or written.get("dtype") or "")
        dtype = _DTYPES.get(dtype, dtype)
        kind = storage.kind(dtype)
        if kind is None and dtype.lower().split("(")[0] in _CATEGORY:
            sets = [next(iter(one.given.values()), None) for one in checks if one.name in _SETS]
            return dtype, _kind([value for given in sets if isinstance(given, list) for value in given])
        if kind is None:
            message = f"the dtype '{dtype}' is not known" if dtype else "it has no dtype"
            self.fault("contract-invalid", f"column '{name}': {message}", (*at, "dtype"))
        return dtype, kind or Kind.STRING

    def _required(self, written: dict[str, Any]) -> bool:
        """Whether the column must be there; pandera adds missing ones that have something to be filled with."""
        added = self.table.get("add_missing_columns") and (
            written.get("nullable") or written.get("default") is not None
        )
        return written.get("required") is not False and not added

    def _refuse(self, name: str, written: dict[str, Any], at: Path_) -> None:
        if written.get("regex"):
            message = f"column '{name}': `regex` names columns that only data knows; name each column instead"
            self.fault("contract-invalid", message, (*at, "regex"))
        if written.get("drop_invalid_rows"):
            remedy = "Declare `on_invalid: quarantine up to 5%` in the policy of the column instead."
            self.unjudged(f"column '{name}': `drop_invalid_rows`", (*at, "drop_invalid_rows"), remedy)
        if written.get("parsers"):
            remedy = "Parse the data before it is checked: a contract is held against the data as it lies there."
            self.unjudged(f"column '{name}': its parsers", (*at, "parsers"), remedy)

    def _rules(self, name: str, kind: Kind, checks: list[Check]) -> tuple[list[Rule], bool]:
        """The rules of a column, and whether one of its checks refuses nulls."""
        rules: list[Rule] = []
        refuses_null = False
        for check in checks:
            if not pandera_checks.known(check) or check.grouped:
                grouped = " in groups" if check.grouped and pandera_checks.known(check) else ""
                remedy = (
                    "Name the schema itself (module:Schema), where your own code can run it, or write it as a rule."
                )
                self.unjudged(f"column '{name}': the check `{check.name}`{grouped}", check.at, remedy)
                continue
            try:
                made, measures = pandera_checks.read(check, name, kind)
            except ValueError as error:
                self.fault("contract-invalid", f"column '{name}': {error}", check.at)
                continue
            rules += made
            self.measures += measures
            refuses_null = refuses_null or (check.refuses_null and not check.warns)
        return rules, refuses_null


def slipped(written: str, meant: str) -> bool:
    """Whether a word is another one with a letter too few, too many, wrong, or two in the wrong order.

    A longer word, such as a plural, is a word of its own.
    """
    if written.startswith(meant) and written != meant:
        return False
    if len(written) == len(meant):
        wrong = [place for place, pair in enumerate(zip(written, meant, strict=True)) if pair[0] != pair[1]]
        if len(wrong) != 2:
            return len(wrong) < 2
        one, other = wrong
        return other == one + 1 and (written[one], written[other]) == (meant[other], meant[one])
    shorter, longer = sorted((written, meant), key=len)
    return len(longer) == len(shorter) + 1 and any(
        longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer))
    )


def _kind(values: list[Any]) -> Kind:
    """Of what kind the values of a category are; text where none are told."""
    known = [value for value in values if value is not None]
    for kind, kept in ((Kind.BOOLEAN, _is_truth), (Kind.INTEGER, is_whole), (Kind.NUMBER, is_number)):
        if known and all(kept(value) for value in known):
            return kind
    return Kind.STRING


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)
