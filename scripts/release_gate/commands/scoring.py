"""Scores partitions with a version's own `predict` in its own environment, into that version's table.

What is there already, made from the same rows, is not made again: after a kill only the rest is scored.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.files import sha256
from release_gate.findings import finding
from release_gate.verdict import Finding, Where

if TYPE_CHECKING:
    from release_gate.commands.staging import Staged
    from release_gate.serving.prediction_table import PredictionTable, Scored
    from release_gate.tables.partitions import Partition


def outdated(partitions: Sequence[Partition], entries: Mapping[str, Scored | None]) -> list[tuple[Partition, str]]:
    """The partitions that a table lacks or has from other rows, each with the hash of its rows as they are now."""
    hashed = [(one, sha256(one.file)) for one in partitions]
    return [(one, known) for one, known in hashed if (entry := entries.get(one.name)) is None or entry.input != known]


def retired(partitions: Sequence[Partition], table: PredictionTable) -> list[str]:
    """Partitions whose rows and whose predictions were both taken away: on purpose, by whoever keeps house there."""
    known = {one.name for one in partitions}
    return [name for name in table.entries() if name not in known and not table.file(name).exists()]


def score(
    context: Context,
    table: PredictionTable,
    wanted: Sequence[tuple[Partition, str]],
    staged: Callable[[], Staged],
    *,
    label: str,
) -> list[Finding]:
    """Score partitions, each kept as soon as it is made; what went wrong, after all others were made.

    Raises:
        CannotJudge: the rows can't be used, or the version can't be made ready.
    """
    if not wanted:
        return []
    ready = staged()
    problems: list[Finding] = []
    for partition, identity in wanted:
        # Inside the table's folder, for a file is taken in whole only on the same disk.
        with tempfile.TemporaryDirectory(
            prefix=".", suffix=".part", dir=table.folder, ignore_cleanup_errors=True
        ) as folder:
            problems += _scored(context, table, partition, identity, ready, label=label, work=Path(folder))
    return problems


def _scored(
    context: Context,
    table: PredictionTable,
    partition: Partition,
    identity: str,
    staged: Staged,
    *,
    label: str,
    work: Path,
) -> list[Finding]:
    from release_gate.commands.staging import Unfit, predict
    from release_gate.serving.prediction_table import Scored
    from release_gate.tables.partitions import rows_of
    from release_gate.tables.predictions import read_scores

    use, out = staged.use, work / "predictions.parquet"
    (work / "rows").mkdir()
    rows = rows_of(partition, key=use.key, label=label, out=work / "rows" / f"{partition.name}.parquet")
    try:
        predict(context, staged, rows.unlabelled, out)
    except Unfit as unfit:
        said = unfit.findings if staged.secrets is None else [staged.secrets.without(one) for one in unfit.findings]
        return [_of(partition, one) for one in said]
    read, problems = read_scores(out, rows, key=use.key, score=use.score, who=f"{table.digest[:19]}, {partition.name}")
    if read is None:
        return [_of(partition, one) for one in problems]
    scored = Scored(input=identity, output=sha256(out), rows=len(rows.keys), scored=context.clock.now())
    table.put(partition.name, out, scored, key=use.key, score=use.score)
    return []


def _of(partition: Partition, problem: Finding) -> Finding:
    named = problem.message if partition.name in problem.message else f"{partition.shown}: {problem.message}"
    where = Where(table=partition.name, column=problem.where.column)
    return finding(problem.code, named, where=where, remedy=problem.remedy, evidence=problem.evidence)
