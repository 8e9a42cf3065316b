"""Writes the rows that a contract sends to quarantine, each with its reasons, without sensitive columns."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from release_gate.contracts.contract import Contract
from release_gate.files import write_whole
from release_gate.tables.scan import Scanned

ROW, REASONS = "_row", "_reasons"


def write(path: Path, scanned: Scanned, contract: Contract, columns: Iterable[str]) -> int:
    """Write the rows that break the rules of `columns`; returns how many. Nothing is written for none.

    The file holds the declared columns that are not sensitive, the row's number from 1, and the reasons.
    """
    reasons: dict[int, list[str]] = {}
    for column in columns:
        for row, why in scanned.reasons.get(column, {}).items():
            reasons.setdefault(row, []).append(why)
    if not reasons:
        path.unlink(missing_ok=True)
        return 0
    rows = sorted(reasons)
    shown = [name for name in scanned.read.table.schema.names if name not in contract.sensitive]
    table = scanned.read.table.select(shown).take(pa.array(rows))
    table = table.append_column(ROW, pa.array([row + 1 for row in rows], pa.int64()))
    table = table.append_column(REASONS, pa.array(["; ".join(reasons[row]) for row in rows], pa.string()))
    written = io.BytesIO()
    pq.write_table(table, written)
    write_whole(path, written.getvalue())
    return len(rows)
