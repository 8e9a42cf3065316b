"""Reads a contract whatever format it is written in: the open standard's YAML or pandera's."""

from __future__ import annotations

from release_gate.contracts import pandera_yaml
from release_gate.contracts.contract import Reading
from release_gate.documents import Document
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding, Where


def read(document: Document, table: str | None = None) -> Reading:
    """The contract in a document; `table` chooses among several tables by name.

    Raises:
        BadInput: `contract-format` where it is neither format, else every fault with its place.
    """
    value = document.value
    if isinstance(value, dict) and value.get("kind") == "DataContract":
        from release_gate.contracts import odcs  # noqa: PLC0415 - the standard's records take 0.1 s to import

        reading = odcs.read(document, table)
    elif isinstance(value, dict) and value.get("schema_type") == "dataframe":
        reading = pandera_yaml.read(document)
    else:
        message = (
            "it is neither an Open Data Contract (`kind: DataContract`) nor a pandera schema (`schema_type: dataframe`)"
        )
        raise BadInput.because("contract-format", message, where=document.where())
    return Reading(reading.contract, (*_version(document, reading), *reading.findings, *_drafted(reading)))


def _version(document: Document, reading: Reading) -> list[Finding]:
    contract = reading.contract
    if contract.semantic is not None:
        return []
    at = ("metadata", "version") if contract.format == "pandera" else ("version",)
    shown = f"'{contract.version}' is no semantic version" if contract.version else "the contract has no version"
    return [finding("contract-version-invalid", shown, where=document.where(at))]


def _drafted(reading: Reading) -> list[Finding]:
    """One warning for all columns whose backfill nobody has written since the contract was drafted."""
    backfills = [(column, column.policy.backfill or "") for column in reading.contract.columns]
    drafted = [column for column, backfill in backfills if backfill.lower().startswith("draft")]
    if not drafted:
        return []
    names = ", ".join(column.name for column in drafted[:5]) + (" and more" if len(drafted) > 5 else "")
    message = f"the backfill of {len(drafted)} of {len(backfills)} columns is still the draft's: {names}"
    return [finding("contract-backfill-drafted", message, where=drafted[0].where)]


def refuse_python(name: str) -> None:
    """Say plainly that a schema in Python code is not read.

    Raises:
        BadInput: `contract-python-unsupported`, for a name such as `package.module:Schema`.
    """
    head, colon, tail = name.partition(":")
    if colon and tail.isidentifier() and all(part.isidentifier() for part in head.split(".")):
        message = f"{name} names a schema in Python code, which is not read yet"
        raise BadInput.because("contract-python-unsupported", message, where=Where(file=name))
