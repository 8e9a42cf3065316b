"""Holds one table against one contract: opens both, counts, and does with bad rows what the contract declares."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatch
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context, Place
from release_gate.commands.contract_reading import Source, custom_counts, read_contract
from release_gate.findings import BadInput, finding
from release_gate.meanwhile import Meanwhile
from release_gate.verdict import Finding, Scalar, Severity, Subject, Where

if TYPE_CHECKING:
    from release_gate.commands.schema_check import Wanted
    from release_gate.contracts.contract import Contract
    from release_gate.contracts.counts import CustomCount
    from release_gate.gates.schema_check import Judged
    from release_gate.tables.places import Data
    from release_gate.tables.relation import Unanswered
    from release_gate.tables.scan import Scanned


def held(context: Context, contract: str, data: str, spot: Place, wanted: Wanted, *, quarantine: str) -> Judged:
    """What was counted in the data against the contract, and what became of the contract since the base.

    `quarantine` names the file of rows that are sent there. Where nothing is wrong, the table is written as it is
    declared to be read, if that is asked for.

    Raises:
        BadInput: the contract or the data can't be read, or the data changed meanwhile.
    """
    from release_gate.tables.places import data_at

    now = context.clock.now()
    place = data_at(
        spot.root, data, table=wanted.table, sql=wanted.sql, engine=wanted.engine or "duckdb", memory=wanted.memory,
        now=now, environment=context.environment,
    )  # fmt: skip
    before = place.state()
    identity = Meanwhile(place.identity)
    source = read_contract(context, spot.root, contract, place.stem)
    reading = source.reading
    scanned = _scanned(place, reading.contract, now, exact=wanted.exact)
    try:
        from release_gate.commands.contract_revision import revision
        from release_gate.gates.schema_check import Judged, findings_of

        scanned = _with_customs(context, spot.root, source, scanned, place)
        accepted = _accepted(context, wanted, contract, watched=_watched(reading.contract))
        scanned, acts = _quarantined(scanned, reading.contract, spot, quarantine)
        subjects = (
            Subject(kind="contract", name=contract, identity=source.identity),
            Subject(kind="data", name=place.shown, identity=identity.result()),
        )
        if place.state() != before:
            message = f"{place.shown} changed while it was read: what was counted may be of neither state"
            raise BadInput.because("data-changed", message, where=Where(file=place.shown))
        path = spot.root / contract
        old = revision(context, path, reading.contract, place.stem, wanted.base, rules=wanted.changes)
        judged = Judged(reading, scanned.counts, old, subjects, accepted, tuple(acts))
        rejected = any(one.severity is Severity.ERROR for one in findings_of(judged))
        if wanted.write is None or rejected:
            return judged
        keeps = partial(_keeps, judged, now=now, customs=partial(custom_counts, context, spot.root, source))
        written = _written(scanned, judged, context.home / wanted.write, wanted.write, keeps)
        return replace(judged, acts=(*acts, *written))
    finally:
        scanned.close()


def refuse_overwriting(context: Context, contract: str, data: str, wanted: Wanted, out: str | None) -> None:
    """Refuse to write over what is read, or what is no Parquet file by its name.

    Raises:
        BadInput: `usage`.
    """
    if wanted.write is None:
        return
    if not wanted.write.lower().endswith((".parquet", ".pq")):
        raise BadInput.because("usage", f"--write {wanted.write}: what is written is Parquet; name it .parquet")
    target = (context.home / wanted.write).resolve()
    read = {"--contract": contract, "--data": data, "--accepted": wanted.accepted, "--out": out}
    for option, name in read.items():
        if name is not None and _names(context.home / name, target):
            message = f"--write {wanted.write} would overwrite what {option} {name} names"
            raise BadInput.because("usage", message, remedy="Write to another file, outside the pattern of the data.")


def _names(given: Path, target: Path) -> bool:
    """Whether a path or pattern names the file, there or not yet."""
    return given.resolve() == target or (has_magic(str(given)) and fnmatch(str(target), str(given.absolute())))


def _scanned(place: Data, contract: Contract, now: datetime, *, exact: bool) -> Scanned:
    """Open the data and count every breach of the contract.

    Raises:
        BadInput: it can't be read.
    """
    from release_gate.tables.relation import Unanswered

    relation = place.open(None if exact else contract)
    try:
        # Where files are asked ahead, the engine is at work already, and imports cost no time: what comes after too.
        import release_gate.commands.contract_revision
        import release_gate.tables.quarantine  # noqa: F401 - `_quarantined` asks for it
        from release_gate.tables.scan import scanned

        return scanned(relation, contract, place.shown, now=now, exact=exact)
    except Unanswered as cause:
        relation.close()
        raise place.refusal(cause) from cause
    except BaseException:
        relation.close()
        raise


def identity_of(path: Path) -> str:
    """The digest of a file."""
    from release_gate.files import sha256

    return f"sha256:{sha256(path)}"


def _with_customs(context: Context, root: Path, source: Source, scanned: Scanned, place: Data) -> Scanned:
    """What was counted, and what the schema's own Python finds in the same rows."""
    if not source.reading.contract.custom:
        return scanned
    from release_gate.contracts.counts import CustomCount
    from release_gate.tables.handing import as_it_lies, write_typed
    from release_gate.tables.relation import Unanswered

    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
        file = root / place.shown
        try:
            if not (file.is_file() and file.suffix.lower() in {".parquet", ".pq"} and as_it_lies(scanned)):
                file = Path(folder) / "data.parquet"
                write_typed(file, scanned)
            counts = custom_counts(context, root, source, file)
        except Unanswered as refusal:
            quotes = refusal.__cause__ is not None and not refusal.full  # only an engine's own words hold values
            secret = quotes and source.reading.contract.sensitive
            why = "a value can't be stored" if secret else str(refusal)
            cause = f"the rows can't be handed over: {why}"
            counts = tuple(CustomCount(check, cause=cause) for check in source.reading.contract.custom)
    return replace(scanned, counts=replace(scanned.counts, custom=counts))


def _accepted(context: Context, wanted: Wanted, contract: str, *, watched: bool) -> Mapping[str, float] | None:
    """The share of nulls by column of the data accepted last, where it is watched and anything is known of it.

    Raises:
        BadInput: what `--accepted` names is not there, or no baseline.
    """
    if wanted.accepted is not None:
        from release_gate.commands.accepted import read, told

        verdict = read(context.home / wanted.accepted, wanted.accepted)
        return told(verdict, wanted.accepted, contract) if watched else None
    return wanted.production().get(contract) if watched and wanted.production is not None else None


def _watched(contract: Contract) -> bool:
    return any(column.policy.drift is not None for column in contract.columns)


def _written(scanned: Scanned, judged: Judged, path: Path, shown: str, keeps: Callable[[Path], None]) -> list[Finding]:
    """Write the table as its contract declares it to be read; what is written `keeps` the contract, or nothing is."""
    from release_gate.tables.cleaning import unwritable, write_clean
    from release_gate.tables.relation import Unanswered

    contract = judged.reading.contract
    impossible = [
        finding("write-impossible", f"column '{name}': {why}", where=column.where)
        for name, why in unwritable(contract)
        if (column := contract.column(name)) is not None
    ]
    if impossible:
        return impossible
    try:
        rows = write_clean(path, scanned, keeps)
    except Unanswered as cause:
        return [_unstored(f"{shown} is not written", cause, contract, Where(file=shown))]
    except BadInput as refusal:
        found = "; ".join(str(one) for one in refusal.findings[:5])
        message = f"{shown} is not written, since it would not keep the contract itself: {found}"
        remedy = "Declare another behaviour for what it names, or mend the data at its source."
        return [finding("write-impossible", message, where=Where(file=shown), remedy=remedy)]
    left_out = scanned.counts.rows - rows
    message = f"{rows:,} row{'s' * (rows != 1)} written to {shown} as {contract.name} {contract.version} declares"
    message += f"; {left_out:,} left out" if left_out else ""
    evidence: dict[str, Scalar] = {"rows": rows, "left_out": left_out, "sha256": identity_of(path)}
    return [finding("data-written", message, where=Where(file=shown), evidence=evidence)]


def _unstored(what: str, cause: Unanswered, contract: Contract, where: Where) -> Finding:
    """What the engine says of a file it can't write, without a sensitive value."""
    # Of a limit that is too small the engine's words are our own.
    why = "a value can't be stored" if contract.sensitive and not cause.full else str(cause)
    if cause.full:
        remedy = "Give it more memory by --memory."
    elif cause.unreadable:
        remedy = "The folder needs room and permission for the file, and the data must stay while it is read."
    else:
        remedy = "Mend the values that a Parquet file has no place for, or let the contract drop their rows."
    return finding("write-impossible", f"{what}: {why}", where=where, remedy=remedy)


def _keeps(judged: Judged, written: Path, *, now: datetime, customs: Callable[[Path], tuple[CustomCount, ...]]) -> None:
    """Hold what was written against the same contract, its own Python too.

    Raises:
        BadInput: every reason why it breaks it.
    """
    from release_gate.contracts.judgement import data_findings
    from release_gate.tables.scan import scan

    contract = judged.reading.contract
    again = scan(written, contract, shown=judged.counts.table, now=now)
    again.close()
    counts = replace(again.counts, custom=customs(written))
    errors = [one for one in data_findings(contract, counts, judged.accepted) if one.severity is Severity.ERROR]
    if errors:
        raise BadInput(*errors)


def _quarantined(scanned: Scanned, contract: Contract, spot: Place, name: str) -> tuple[Scanned, list[Finding]]:
    """Write the rows of every quarantined column within its share; a file of an earlier run is taken away."""
    from release_gate.contracts.contract import OnInvalid
    from release_gate.contracts.judgement import within_share
    from release_gate.tables.quarantine import write
    from release_gate.tables.relation import Unanswered

    counts, path = scanned.counts, spot.run / "quarantine" / name
    within = [
        count.name
        for count in counts.columns
        if (column := contract.column(count.name))
        and column.policy.on_invalid is OnInvalid.QUARANTINE
        and within_share(column, count, counts.rows)
    ]
    try:
        rows = write(path, scanned, contract, within)
    except Unanswered as cause:
        what = "the rows for the quarantine can't be written"
        return scanned, [_unstored(what, cause, contract, Where(table=counts.table))]
    if rows == 0:
        return scanned, []
    shown = str(path.relative_to(spot.root)) if path.is_relative_to(spot.root) else name
    return replace(scanned, counts=replace(counts, quarantined=rows, quarantine=shown)), []
