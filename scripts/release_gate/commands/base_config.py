"""The configuration where a change wants to go: what it demands holds until the merge, whatever the change says."""

from __future__ import annotations

from pathlib import Path

from release_gate.commands.base_revision import before_merge
from release_gate.commands.context import Context
from release_gate.config import Config, parsed
from release_gate.documents import parse
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding


def base_config(context: Context, path: Path) -> tuple[Config | None, list[Finding]]:
    """The base's configuration, and what is to be said where it demands nothing.

    None without a word where nothing waits to be merged; an error where it does and the base is not here. A base that
    this version can't read demands nothing; blocking would keep out the change that mends it.
    """
    found = before_merge(path, context.environment)
    if found is None:
        return None, []
    if not found.name:
        return None, [finding("base-not-fetched", f"{path.name} can't be compared with its base: {found.absent}")]
    if found.content is None:
        told = f"only {path.name} as it is here demands anything: {found.absent}"
        return None, [finding("base-policy-absent", told)]
    shown = f"{path.name} at {found.name}"
    try:
        return parsed(parse(found.content, shown)), []
    except BadInput as refusal:
        return None, [finding("base-policy-unreadable", f"{shown} demands nothing: {refusal}")]
