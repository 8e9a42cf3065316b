"""Evaluation rows, each with its label and the score of each model: joined by key, and everything wrong named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from release_gate.findings import finding
from release_gate.statistics.bootstrap import Rows
from release_gate.statistics.metrics import NEEDS_BOTH, PROBABILITY, REGRESSION
from release_gate.verdict import Finding, Where

Column = NDArray[Any]
_SHOWN = 5


@dataclass(frozen=True)
class Evaluation:
    """The rows that both models scored: keys, labels, what is sampled as one, and the columns to slice by."""

    file: str
    keys: Column = field(repr=False)
    labels: Column = field(repr=False)
    groups: Column | None = field(repr=False, default=None)
    slices: Mapping[str, Column] = field(repr=False, default_factory=dict)
    key: str = "key"
    label: str = "label"
    group: str | None = None


@dataclass(frozen=True)
class Predictions:
    """What one model wrote; `model` is `candidate` or `production`."""

    model: str
    file: str
    keys: Column = field(repr=False)
    scores: Column = field(repr=False)
    score: str = "score"


def joined(
    evaluation: Evaluation, candidate: Predictions, production: Predictions | None, metrics: frozenset[str]
) -> tuple[Rows | None, list[Finding]]:
    """Rows in the order of the evaluation data, or None where something is wrong that forbids judging."""
    keys = _index(evaluation.keys)
    if not len(keys):
        return None, [finding("evaluation-empty", f"{evaluation.file} has no rows", where=Where(file=evaluation.file))]
    found = _key_faults(keys, evaluation.file, evaluation.key, "evaluation")
    labels = _labels(evaluation, metrics, found)
    groups = _groups(evaluation, found)
    if any(one.code == "evaluation-key" for one in found):
        return None, found
    models = [candidate] if production is None else [candidate, production]
    scores = [_scores(keys, model, metrics, found) for model in models]
    if found or labels is None:
        return None, found
    compared = scores[1] if len(scores) > 1 else None
    agreed = compared is not None and np.array_equal(scores[0], compared)
    rows = Rows(labels, scores[0], compared, groups, agreed)
    return rows, [found for model, one in zip(models, scores, strict=True) for found in _constant(model, one)]


def _index(keys: NDArray[Any]) -> pd.Index[Any]:
    """Keys as they are: pandas would make Arrow's text of them, in which looking up takes a hundred times longer."""
    index: pd.Index[Any] = pd.Index(keys, dtype=keys.dtype)
    return index


def _key_faults(keys: pd.Index[Any], file: str, column: str, side: str) -> list[Finding]:
    found = []
    where = Where(table=file, column=column)
    if (empty := int(np.count_nonzero(keys.isna()))) and side == "evaluation":
        found.append(finding("evaluation-key", f"{file}: {empty:,} rows have no {column}", where=where))
    if twice := keys[keys.duplicated() & keys.notna()].unique().tolist():
        found.append(
            finding(
                "evaluation-key" if side == "evaluation" else "prediction-rows-duplicated",
                f"{file}: {len(twice):,} values of {column} stand in more than one row: {_some(twice)}",
                where=where,
                evidence={"keys": [str(key) for key in twice[:_SHOWN]], "count": len(twice)},
            )
        )
    return found


def _labels(evaluation: Evaluation, metrics: frozenset[str], found: list[Finding]) -> NDArray[np.float64] | None:
    where = Where(table=evaluation.file, column=evaluation.label)
    labels = pd.Series(evaluation.labels)
    try:
        numbers = np.asarray(labels.astype("float64"))
    except (TypeError, ValueError):
        found.append(
            finding("label-not-numeric", f"labels in {evaluation.label} are not numbers: {_kinds(labels)}", where=where)
        )
        return None
    if empty := int((~np.isfinite(numbers)).sum()):
        found.append(
            finding(
                "label-missing",
                f"{evaluation.file}: {empty:,} of {len(numbers):,} rows have no label in {evaluation.label}",
                where=where,
                evidence={"rows": empty},
            )
        )
        return None
    values = np.unique(numbers)
    if metrics - REGRESSION and not np.isin(values, (0.0, 1.0)).all():
        strange = [value for value in values.tolist() if value not in (0.0, 1.0)]
        found.append(
            finding(
                "label-not-binary",
                f"{_and(sorted(metrics - REGRESSION))} need labels 0 and 1, but {evaluation.label} also holds "
                f"{_some(strange)}",
                where=where,
            )
        )
        return None
    if metrics & NEEDS_BOTH and len(values) == 1:
        found.append(
            finding(
                "single-class",
                f"every label in {evaluation.label} is {values[0]:g}: {_and(sorted(metrics & NEEDS_BOTH))} "
                "have no meaning there",
                where=where,
            )
        )
        return None
    return numbers


def _groups(evaluation: Evaluation, found: list[Finding]) -> NDArray[np.intp]:
    """Codes of the groups; without a group column each row is its own."""
    if evaluation.groups is None:
        return np.arange(len(evaluation.keys))
    codes, _ = pd.factorize(pd.Series(evaluation.groups))
    if empty := int((codes < 0).sum()):
        where = Where(table=evaluation.file, column=evaluation.group)
        found.append(finding("group-missing", f"{empty:,} rows have no {evaluation.group}", where=where))
    return np.asarray(codes, dtype=np.intp)


def _scores(
    keys: pd.Index[Any], predictions: Predictions, metrics: frozenset[str], found: list[Finding]
) -> NDArray[np.float64]:
    """Scores in the order of `keys`; faults are added to `found`, and NaN stands where there is no score."""
    given = _index(predictions.keys)
    place = Where(table=predictions.file, column=predictions.score)
    faults = _key_faults(given, predictions.file, "the key", "prediction")
    found.extend(faults)
    if faults:
        return np.full(len(keys), np.nan)
    found.extend(_foreign(keys, given, predictions))
    try:
        numbers = np.asarray(pd.Series(predictions.scores).astype("float64"))
    except (TypeError, ValueError):
        kinds = _kinds(pd.Series(predictions.scores))
        text = f"scores of the {predictions.model} in {predictions.score} are not numbers: {kinds}"
        found.append(finding("prediction-not-finite", text, where=place))
        return np.full(len(keys), np.nan)
    known = given.isin(keys)
    position = given[known].get_indexer(keys)
    scores = np.full(len(keys), np.nan)
    scores[position >= 0] = numbers[known][position[position >= 0]]
    if empty := keys[(position >= 0) & ~np.isfinite(scores)].tolist():
        found.append(
            finding(
                "prediction-not-finite",
                f"the {predictions.model} gave {len(empty):,} of {len(keys):,} rows no finite score: {_some(empty)}",
                where=place,
                evidence={"rows": len(empty)},
            )
        )
    outside = keys[(scores < 0) | (scores > 1)].tolist()
    if outside and metrics & PROBABILITY:
        found.append(
            finding(
                "prediction-not-probability",
                f"the {predictions.model} gave {len(outside):,} rows a score outside 0 to 1 "
                f"({_some(outside)}), but {_and(sorted(metrics & PROBABILITY))} read scores as probabilities",
                where=place,
                evidence={"rows": len(outside)},
            )
        )
    return scores


def _foreign(keys: pd.Index[Any], given: pd.Index[Any], predictions: Predictions) -> list[Finding]:
    """Rows that stand on one side only."""
    found = []
    kinds = "" if keys.dtype == given.dtype else f" (keys are {keys.dtype} in the data, {given.dtype} here)"
    for code, rows, text in (
        ("prediction-rows-missing", keys[~keys.isin(given)], "has no prediction for {} of {} evaluation rows"),
        ("prediction-rows-unknown", given[~given.isin(keys)], "has {} predictions for rows that are not evaluated"),
    ):
        if count := len(rows):
            said = text.format(f"{count:,}", f"{len(keys):,}")
            found.append(
                finding(
                    code,
                    f"the {predictions.model} {said}: {_some(rows.tolist())}{kinds}",
                    where=Where(table=predictions.file),
                    evidence={"rows": count, "keys": [str(key) for key in rows[:_SHOWN]]},
                )
            )
    return found


def _constant(predictions: Predictions, scores: NDArray[np.float64]) -> list[Finding]:
    if len(scores) < 2 or np.ptp(scores) > 0:
        return []
    text = f"the {predictions.model} gives every row the same score, {scores[0]:g}"
    code = "constant-scores" if predictions.model == "candidate" else "production-constant-scores"
    return [finding(code, text, where=Where(table=predictions.file, column=predictions.score))]


def _kinds(values: pd.Series[Any]) -> str:
    return _some(sorted({repr(value) for value in values[pd.to_numeric(values, errors="coerce").isna()].head(50)}))


def _some(values: Sequence[object]) -> str:
    shown = ", ".join(str(value)[:60] for value in values[:_SHOWN])
    return shown + (", …" if len(values) > _SHOWN else "")


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
