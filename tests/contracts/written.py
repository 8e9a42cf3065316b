"""Contracts as people write them, made small for tests: a line for each column, the rest declared in full."""

from __future__ import annotations

from typing import Any

import yaml

POLICY = {"onNull": "reject", "onInvalid": "reject", "backfill": "Run the load again; the data team; from 2020."}


def column(name: str, kind: str, *, policy: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """A property with a whole policy; `policy` overrides parts of it, None takes a part away."""
    said = {key: value for key, value in {**POLICY, **(policy or {})}.items() if value is not None}
    return {
        "name": name,
        "logicalType": kind,
        **rest,
        "customProperties": [{"property": key, "value": value} for key, value in said.items()],
    }


def odcs(*columns: dict[str, Any], version: object = "1.0.0", quality: list[Any] | None = None, **rest: Any) -> bytes:
    """An Open Data Contract of one table, with an owner unless `rest` says otherwise."""
    rest.setdefault("team", {"members": [{"username": "@octo-air", "role": "owner"}]})
    table = {"name": "rides", "properties": list(columns), **({"quality": quality} if quality else {})}
    head = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "rides", "name": "rides", "version": version}
    given = {key: value for key, value in rest.items() if value is not None}
    return yaml.safe_dump({**head, "status": "active", **given, "schema": [table]}, sort_keys=False).encode()


def valid(*values: object) -> list[dict[str, Any]]:
    """A `quality` entry that names the valid values."""
    return [{"type": "library", "metric": "invalidValues", "arguments": {"validValues": list(values)}, "mustBe": 0}]
