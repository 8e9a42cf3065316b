"""Reads a contract from a file, or from Python code (`module:Schema`) in the caller's own environment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.findings import BadInput

if TYPE_CHECKING:
    from release_gate.caller.environments import Environment
    from release_gate.contracts.contract import Reading
    from release_gate.contracts.counts import CustomCount

IMPORT_LIMIT = 120.0
"""Seconds in which a module must be imported and its schema exported."""
CHECKS_LIMIT = 3600.0
"""Seconds in which checks of the caller's Python must have seen all rows."""


@dataclass(frozen=True)
class Source:
    """A contract as it was read; `environment` is where its own checks run, None for a file."""

    reading: Reading
    identity: str
    environment: Environment | None = None


def read_contract(context: Context, root: Path, name: str, table: str | None = None) -> Source:
    """The contract of a file under `root`, or of the schema that `module:Schema` names.

    Raises:
        BadInput: the file is missing, everything that is wrong with the contract, or there is no environment to
            import a schema in.
    """
    from release_gate.contracts.reading import is_reference, read
    from release_gate.documents import content, parse

    path = root / name
    if is_reference(name) and not path.exists():
        return _imported(context, root, name)
    text = content(path, name)
    # Of what was read, not of what a second look would find there.
    return Source(read(parse(text, name), table), f"sha256:{hashlib.sha256(text).hexdigest()}")


def _imported(context: Context, root: Path, reference: str) -> Source:
    from release_gate.caller.environments import development_environment, find_lock
    from release_gate.caller.schemas import schema_of
    from release_gate.contracts.reading import read_exported, refuse_python

    if find_spec("uv") is None:
        refuse_python(reference)  # our image leaves uv out: no Docker action runs a caller's code
    try:
        lock = find_lock(root)
    except BadInput as refusal:
        if refusal.findings[0].code == "lock-missing":
            refuse_python(reference, lock=False)
        raise
    runner = context.runner()
    environment = development_environment(root, lock, runner, version=context.python)
    document = schema_of(reference, root=root, environment=environment, runner=runner, limit=IMPORT_LIMIT)
    exported = json.dumps(document.value, sort_keys=True, default=str).encode()
    identity = f"sha256:{hashlib.sha256(exported).hexdigest()}"
    return Source(read_exported(document, reference), identity, environment)


def custom_counts(context: Context, root: Path, source: Source, data: Path) -> tuple[CustomCount, ...]:
    """What the schema's own Python finds in a Parquet or CSV file; nothing where it has no check of its own."""
    contract = source.reading.contract
    if not contract.custom or source.environment is None or contract.reference is None:
        return ()
    from release_gate.caller.custom_checks import checked

    return checked(
        contract.reference,
        contract.custom,
        data,
        root=root,
        environment=source.environment,
        runner=context.runner(),
        limit=CHECKS_LIMIT,
        sensitive=contract.sensitive,
    )
