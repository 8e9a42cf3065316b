"""Reads a contract whatever format it is written in: the open standard's YAML, or pandera's YAML or JSON."""

from __future__ import annotations

from release_gate.contracts.contract import Contract, Reading
from release_gate.contracts.standards import pandera_yaml
from release_gate.contracts.standards.policy import newcomers
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
        from release_gate.contracts.standards import odcs  # noqa: PLC0415 - the standard's records take 0.1 s to import

        reading = odcs.read(document, table)
    elif isinstance(value, dict) and value.get("schema_type") == "dataframe":
        reading = pandera_yaml.read(document)
    else:
        message = (
            "it is neither an Open Data Contract (`kind: DataContract`) nor a pandera schema (`schema_type: dataframe`)"
        )
        raise BadInput.because("contract-format", message, where=document.where())
    return _whole(document, reading)


def read_exported(document: Document, reference: str) -> Reading:
    """The contract in a schema that the caller's Python handed back; `reference` is its `module:Schema`.

    Raises:
        BadInput: every fault, at the place in the caller's code.
    """
    return _whole(document, pandera_yaml.read(document, reference))


def is_reference(name: str) -> bool:
    """Whether a name is `package.module:Schema` and no path of a file."""
    head, colon, tail = name.partition(":")
    return bool(colon) and tail.isidentifier() and all(part.isidentifier() for part in head.split("."))


def refuse_python(name: str, *, lock: bool = True) -> None:
    """Say plainly that a schema in Python code is not read without the caller's environment.

    Without a `lock` file nobody knows what to import it with, here or elsewhere.

    Raises:
        BadInput: `contract-python-unsupported`, for a name such as `package.module:Schema`.
    """
    if is_reference(name):
        message = f"{name} names a schema in Python code, and there is no environment of yours here to import it in"
        remedy = (
            f"Where the repository's lock file is, run `release-gate contract export {name} --out contract.yml` and "
            "name that file instead; checks in Python are left out of it. On a laptop the lock file alone is enough."
        )
        if not lock:
            message = f"{name} names a schema in Python code, and no lock file says which packages to import it with"
            remedy = (
                "Run `uv lock` (or `uv pip compile requirements.in -o requirements.txt`), commit the result and run "
                "this at the repository's root; or export the schema by pandera's `to_yaml()` and name that file."
            )
        raise BadInput.because("contract-python-unsupported", message, where=Where(file=name), remedy=remedy)


def _whole(document: Document, reading: Reading) -> Reading:
    """The reading with what the contract as a whole should declare."""
    contract = reading.contract
    general = (*_version(document, reading), *_owner(document, contract))
    return Reading(contract, (*general, *reading.findings, *newcomers(contract), *_drafted(reading)))


def _version(document: Document, reading: Reading) -> list[Finding]:
    contract = reading.contract
    if contract.semantic is not None:
        return []
    at = ("metadata", "version") if contract.format == "pandera" else ("version",)
    shown = f"'{contract.version}' is no semantic version" if contract.version else "the contract has no version"
    return [finding("contract-version-invalid", shown, where=document.where(at))]


def _owner(document: Document, contract: Contract) -> list[Finding]:
    if contract.owner:
        return []
    pandera = contract.format == "pandera"
    remedy = (
        "Add `owner` under `metadata`."
        if pandera
        else "Add a member with the role `owner` under `team`, or the custom property `owner`."
    )
    where = document.where(("metadata", "owner") if pandera else ("team",))
    return [finding("contract-owner-missing", "the contract has no owner", where=where, remedy=remedy)]


def _drafted(reading: Reading) -> list[Finding]:
    """One warning for all columns whose backfill nobody has written since the contract was drafted."""
    columns = reading.contract.columns
    drafted = [
        column
        for column in columns
        if column.policy.backfill is not None and column.policy.backfill.how.lower().startswith("draft")
    ]
    if not drafted:
        return []
    names = ", ".join(column.name for column in drafted[:5]) + (" and more" if len(drafted) > 5 else "")
    message = f"the backfill of {len(drafted)} of {len(columns)} columns is still the draft's: {names}"
    return [finding("contract-backfill-drafted", message, where=drafted[0].where)]
