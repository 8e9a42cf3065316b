"""A policy: the bars and accepted risks of one file, and the identity that changes when they do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from release_gate.config import Risk
from release_gate.documents import Document, problems
from release_gate.findings import BadInput, finding
from release_gate.thresholds import Threshold
from release_gate.verdict import Finding


@dataclass(frozen=True)
class Policy:
    """The bars of one configuration; `base` marks the one that stands where the pull request goes."""

    file: str
    thresholds: tuple[Threshold, ...]
    risk: Risk = field(default_factory=Risk)
    base: bool = False


def identity(policy: Policy) -> str:
    """`sha256:…` of bars and risks as canonical JSON, whatever file they stand in and however it is laid out."""
    held = {
        "thresholds": [one.model_dump(mode="json") for one in policy.thresholds],
        "risk": policy.risk.model_dump(mode="json"),
    }
    text = json.dumps(held, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def thresholds_of(document: Document, slices: Sequence[str] = ()) -> Policy:
    """Read a YAML list of thresholds; each bar without slices of its own is also a guard in each of `slices`.

    Raises:
        BadInput: every unknown key and wrong value, each with its place.
    """
    if not isinstance(document.value, list) or not document.value:
        told = "the file must hold a list of thresholds, such as `- {metric: roc_auc, at_least: 0.7}`"
        raise BadInput.because("config-invalid", told, where=document.where())
    found: list[Finding] = []
    read: list[Threshold] = []
    adapter = TypeAdapter(Threshold)
    for index, entry in enumerate(document.value):
        if not isinstance(entry, dict):
            told = f"threshold {index + 1} must be a mapping of keys"
            found.append(finding("config-invalid", told, where=document.where((index,))))
            continue
        try:
            read.append(adapter.validate_python(entry))
        except ValidationError as error:
            found.extend(problems(document, Threshold, error, (index,)))
    if found:
        raise BadInput(*found)
    more = [
        one.model_copy(update={"slices": tuple(slices), "role": "guard"}) for one in read if slices and not one.slices
    ]
    return Policy(document.file, tuple(dict.fromkeys([*read, *more])))
