"""Reads a contract written as pandera's own YAML or JSON, old and new shapes, without pandera's reader.

That reader is tied to pandera's version and drops column metadata and timestamp units. Our policy stands under the
schema's `metadata:` (`version`, `owner`, `policy: {column: {on_null: ...}}`). A schema in Python code comes here in
the same shape, handed back by the caller's own Python, with the list of its checks that only that Python can run.
"""

from __future__ import annotations

from typing import Any

from release_gate.contracts.bounds import is_whole
from release_gate.contracts.contract import Column, Contract, Custom, Reading
from release_gate.contracts.standards import pandera_checks
from release_gate.contracts.standards.pandera_checks import Check
from release_gate.contracts.standards.pandera_columns import Columns
from release_gate.documents import Document
from release_gate.findings import BadInput
from release_gate.mistakes import Path_

_KEYS = frozenset(
    {
        "schema_type", "version", "api", "dataframe_library", "columns", "checks", "index", "multiindex", "dtype",
        "coerce", "strict", "name", "ordered", "unique", "report_duplicates", "unique_column_names",
        "add_missing_columns", "drop_invalid_rows", "title", "description", "metadata",
    }
)  # fmt: skip
_EXPORTED = frozenset({"custom", "refused", "parsers"})
"""What only our own export of a schema in code holds beside pandera's keys."""
_SWITCHES = ("coerce", "ordered", "unique_column_names", "add_missing_columns", "drop_invalid_rows")
"""Keys of the table that are true or false."""
_TOGETHER = frozenset({"coerce", "strict", "name", "ordered", "unique"})
"""What an index of several levels says of them all."""
_OURS = ("version", "owner", "policy", "rows_at_least", "rows_at_most")
"""Our keys under `metadata`, where keys of others may stand too."""


def read(document: Document, reference: str | None = None) -> Reading:
    """The contract, and what it should declare and does not; `reference` where it was exported from code.

    Raises:
        BadInput: what is wrong with it, each with its place.
    """
    value: dict[str, Any] = document.value
    reader = Columns(document, value)
    reader.known(value, _KEYS | _EXPORTED if reference else _KEYS, ())
    reader.switches(value, _SWITCHES, ())
    metadata = reader.mapping(value.get("metadata"), ("metadata",))
    reader.near_misses(metadata, _OURS, ("metadata",))
    columns = _columns(reader, value, metadata)
    _refuse(reader, value)
    rows = [_rows(reader, metadata, key) for key in ("rows_at_least", "rows_at_most")]
    if None not in rows and rows[0] > rows[1]:  # type: ignore[operator]
        at = ("metadata", "rows_at_least")
        reader.fault("contract-contradictory", "rows_at_least is above rows_at_most: no table has both", at)
    unique = _unique(reader, value, columns)
    if reader.faults:
        raise BadInput(*reader.faults)
    contract = Contract(
        name=str(value.get("name") or metadata.get("name") or "contract"),
        version=str(metadata.get("version") or ""),
        columns=tuple(columns),
        table=str(value.get("name") or "table"),
        owner=str(metadata["owner"]) if metadata.get("owner") else None,
        rows_least=rows[0],
        rows_most=rows[1],
        key=unique[0] if unique else (),
        unique_together=tuple(unique[1:]),
        measures=tuple(reader.measures),
        custom=tuple(_custom(one) for one in value.get("custom") or []) if reference else (),
        closed=value.get("strict") is True,
        ordered=bool(value.get("ordered")),
        reference=reference,
        file=document.file,
        format="pandera",
    )
    return Reading(contract, tuple(reader.findings))


def _columns(reader: Columns, value: dict[str, Any], metadata: dict[str, Any]) -> list[Column]:
    """Every column, and after them the named levels of the index: a file holds both alike."""
    policies = reader.mapping(metadata.get("policy"), ("metadata", "policy"))
    described = _described(reader, value) + _levels(reader, value)
    everywhere = _everywhere(reader, value)
    columns = [reader.column(name, entry, policies.get(name), at, everywhere) for name, entry, at in described]
    if not described and not value.get("columns"):
        reader.fault("contract-invalid", "the schema has no `columns`", ("columns",))
    for name in sorted(set(policies) - {column.name for column in columns}):
        message = f"the policy names a column '{name}' that the schema does not have"
        reader.fault("contract-unknown-key", message, ("metadata", "policy", name))
    return columns


def _described(reader: Columns, value: dict[str, Any]) -> list[tuple[str, object, Path_]]:
    written = value.get("columns")
    if not isinstance(written, list):
        return [(name, entry, ("columns", name)) for name, entry in reader.mapping(written, ("columns",)).items()]
    found: list[tuple[str, object, Path_]] = []
    for place, entry in enumerate(written):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            found.append((name, entry, ("columns", place)))
        else:
            message = f"the name of a column must be text (it is {name!r}): Parquet and CSV have no other names"
            reader.fault("contract-invalid", message, ("columns", place))
    return found


def _levels(reader: Columns, value: dict[str, Any]) -> list[tuple[str, object, Path_]]:
    """The named levels of an index, which pandas stores as columns; one without a name is in no file."""
    found: list[tuple[str, object, Path_]] = []
    levels = value.get("index")
    if not isinstance(levels, list | None):
        reader.fault("contract-invalid", "`index` must be a list of its levels", ("index",))
    converted = _together(reader, value)
    for place, entry in enumerate(levels if isinstance(levels, list) else []):
        if not isinstance(entry, dict):
            message = f"a level of the index must hold keys and values (it is {entry!r})"
            reader.fault("contract-invalid", message, ("index", place))
        elif isinstance(entry.get("name"), str):
            found.append((entry["name"], {**entry, "coerce": True} if converted else entry, ("index", place)))
        else:
            remedy = "Name the index, which makes it a column of the file, or leave `index` out of the schema."
            reader.unjudged("an index without a name", ("index", place), remedy)
    return found


def _together(reader: Columns, value: dict[str, Any]) -> bool:
    """Whether all levels of an index are converted first; what else is said of them together is judged or refused.

    Their order is that of the columns, which only the table's `ordered` demands.
    """
    at: Path_ = ("multiindex",)
    written = reader.mapping(value.get("multiindex"), at)
    reader.known(written, _TOGETHER, at)
    reader.switches(written, ("coerce", "ordered"), at)
    _strict(reader, written, at)
    if written.get("strict") and value.get("strict") is not True:
        remedy = "In a file the levels of an index are columns: write `strict: true` of the table."
        reader.unjudged("`strict` of the index, where the table is not strict,", (*at, "strict"), remedy)
    return written.get("coerce") is True


def _strict(reader: Columns, written: dict[str, Any], at: Path_) -> None:
    if not isinstance(written.get("strict"), bool) and written.get("strict") not in (None, "filter"):
        message = f"`strict` must be true, false or filter (it is {written['strict']!r})"
        reader.fault("contract-invalid", message, (*at, "strict"))


def _everywhere(reader: Columns, value: dict[str, Any]) -> list[Check]:
    """Built-in checks of the whole table: pandera applies each to every column."""
    found = []
    for check in reader.checks({"checks": value.get("checks")}, (), frozenset({"checks"})):
        texts = check.name.startswith("str_") or check.name == "unique_values_eq"
        if pandera_checks.known(check) and (wrong := pandera_checks.unsound(check)):
            reader.fault("contract-invalid", wrong, check.at)
        elif pandera_checks.known(check) and not check.grouped and not texts:
            found.append(check)
        else:
            remedy = "Write it as a check of each column, or name the schema itself (module:Schema)."
            reader.unjudged(f"the check `{check.name}` of the whole table", check.at, remedy)
    return found


def _refuse(reader: Columns, value: dict[str, Any]) -> None:
    if value.get("drop_invalid_rows"):
        remedy = "Declare `on_invalid: quarantine up to 5%` for each column in the policy instead."
        reader.unjudged("`drop_invalid_rows` of the table", ("drop_invalid_rows",), remedy)
    if value.get("parsers"):
        remedy = "Parse the data before it is checked: a contract is held against the data as it lies there."
        reader.unjudged("parsers of the table", ("parsers",), remedy)
    _strict(reader, value, ())
    for name in value.get("refused") or []:
        reader.unjudged(str(name), ("columns",))


def _rows(reader: Columns, metadata: dict[str, Any], key: str) -> int | None:
    given = metadata.get(key)
    if given is None:
        return None
    if not is_whole(given) or given < 0:
        message = f"`{key}` must be a whole number from 0 (it is {given!r})"
        reader.fault("contract-invalid", message, ("metadata", key))
        return None
    return int(given)


def _unique(reader: Columns, value: dict[str, Any], columns: list[Column]) -> list[tuple[str, ...]]:
    """The sets of columns that are unique together: the table's, and those of an index of several levels."""
    found: list[tuple[str, ...]] = []
    names = {column.name for column in columns}
    together = value.get("multiindex")
    for at, given in (
        (("unique",), value.get("unique")),
        (("multiindex", "unique"), together.get("unique") if isinstance(together, dict) else None),
    ):
        wanted = [given] if isinstance(given, str) else given or []
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(name, str) or name not in names:
                reader.fault("contract-invalid", f"`unique` names '{name}', which is no column of the schema", at)
        if isinstance(wanted, list) and wanted:
            found.append(tuple(str(name) for name in wanted))
    return found


def _custom(one: dict[str, Any]) -> Custom:
    return Custom(name=one["name"], place=one["place"], column=one.get("column"), warns=bool(one.get("warns")))
