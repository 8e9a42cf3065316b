"""What a rollout or a rollback of a batch model acts with: tables scored, compared and pointed to, in place of servers.

A release scores whatever is missing before it compares. A way back scores nothing that is there: the pointer moves
first, and what has to be scored again is told afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.commands.context import Context
from release_gate.commands.hands import Hands
from release_gate.commands.scoring import outdated, retired, score
from release_gate.config import ModelConfig
from release_gate.findings import BadInput, CannotJudge, Refused, finding
from release_gate.verdict import Finding, Scalar, Table

if TYPE_CHECKING:
    from release_gate.commands.staging import Staged
    from release_gate.gates.shadow import Pair, Scores
    from release_gate.lifecycle.package import Package
    from release_gate.rollouts import Batch as Declared
    from release_gate.serving.prediction_table import PredictionTable
    from release_gate.serving.targets.batch import Batch
    from release_gate.tables.partitions import Partition

Ready = Callable[[str], "tuple[Package, Staged]"]

SCORING, RESTORING = 6 * 3600.0, 60.0
"""Seconds to wait for another run that scores the same table: as long as a job may run, or hardly at all."""
PREDICTION = "prediction-"
"""Begin of the codes for predictions that are wrong, whoever asks for them: against the version, not the world."""
SHOWN = 20
ROWS = 1000


class Batches:
    """The tables of one model. `restoring`: this is a way back."""

    def __init__(
        self,
        context: Context,
        model: ModelConfig,
        root: Path,
        hands: Hands,
        ready: Ready,
        *,
        restoring: bool,
    ) -> None:
        self._context, self._model, self._root = context, model, root
        self._hands, self._ready, self._restoring = hands, ready, restoring

    @property
    def _target(self) -> Batch:
        from release_gate.serving.targets.batch import Batch

        assert isinstance(self._hands.target, Batch)  # noqa: S101 - for the type checker: as declared
        return self._hands.target

    @property
    def _declared(self) -> Declared:
        declared = self._model.rollout.target.batch if self._model.rollout is not None else None
        assert declared is not None  # noqa: S101 - for the type checker: these hands are a batch model's
        return declared

    def start(self, digest: str) -> str:
        """Have its table whole; on the way forward with every partition there is now. Where it lies.

        Raises:
            BadInput: the predictions of the version being rolled out are wrong.
            CannotJudge: anything else that keeps the table from being whole.
        """
        going = None if self._restoring else self._hands.read()[1].rollout
        if self._restoring or (going is not None and going.phase == "taking-back"):
            self._mended(digest)
        elif problems := self._refreshed(digest):
            against = going is not None and going.package == digest
            wrong = against and all(one.code.startswith(PREDICTION) for one in problems)
            raise BadInput(*problems) if wrong else CannotJudge(*problems)
        from release_gate.serving.targets.target import Version

        folder = self._target.table(digest).folder
        version = Version(digest, folder, command=None, cwd=folder, variables={}, health="/", start_within=0.0)
        return self._target.start(version)

    def proven(self, digest: str, url: str, answering: Collection[str]) -> Sequence[Finding]:
        """What speaks against a table: where the pointer names it, by itself; before, against the one in use."""
        table = self._target.table(digest)
        faults = [finding("table-not-whole", fault) for fault in table.faults()[:SHOWN]]
        if url == self._target.url:
            named = set(self._target.routed())
            if named != set(answering):
                said = f"the pointer names {', '.join(sorted(named)) or 'no table'}, not {digest}"
                faults.append(finding("route-not-taken", said))
            return faults
        return faults or self._compared(digest)

    def afterwards(self, digest: str) -> None:
        """Once a version serves: what is new is scored; after a rollback what is to be scored again is told."""
        if self._restoring:
            self._tell_missing(digest)
            return
        try:
            self._hands.aside.tell(*self._refreshed(digest))
        except Refused as refusal:
            self._hands.aside.tell(*refusal.findings)

    def _partitions(self) -> list[Partition]:
        from release_gate.tables.partitions import partitions

        return partitions(self._root / self._declared.data, self._declared.data)

    def _refreshed(self, digest: str) -> list[Finding]:
        """Score what is missing or was made from other rows; what went wrong."""
        with self._target.scoring(digest, SCORING) as table:
            partitions = self._partitions()
            table.retire(retired(partitions, table))
            wanted = outdated(partitions, table.entries())
            problems = self._score(table, wanted)
        failed = {one.where.table for one in problems}
        if done := [one.name for one, _ in wanted if one.name not in failed]:
            self._hands.aside.tell(finding("partitions-scored", f"{digest} scored {_named(done)}"))
        return problems

    def _mended(self, digest: str) -> None:
        """Score only what was lost of a table that is to serve again."""
        if not self._target.table(digest).faults():
            return
        with self._target.scoring(digest, RESTORING) as table:
            partitions = self._partitions()
            table.retire(retired(partitions, table))
            entries = table.entries()
            lost = [one for one in partitions if not entries or (one.name in entries and entries[one.name] is None)]
            if problems := self._score(table, outdated(lost, {})):
                raise CannotJudge(*problems)

    def _score(self, table: PredictionTable, wanted: Sequence[tuple[Partition, str]]) -> list[Finding]:
        label = self._model.evaluation.label
        return score(self._context, table, wanted, lambda: self._ready(table.digest)[1], label=label)

    def _compared(self, digest: str) -> Sequence[Finding]:
        from release_gate.gates.shadow import judge
        from release_gate.statistics.metrics import PROBABILITY

        going = self._hands.read()[1].rollout
        baseline = going.replaces if going is not None and going.package == digest else None
        shadow = self._target.table(digest)
        used = self._target.table(baseline) if baseline is not None else None
        gone: list[str] = []
        if used is not None:
            self._retired(shadow, used)
            gone = sorted(set(used.entries()) - set(shadow.entries()))
        found = judge(
            self._pairs(shadow, used),
            gone=gone,
            change=self._declared.change,
            at_most=self._declared.changed_at_most,
            probability=any(one.metric in PROBABILITY for one in self._model.thresholds),
        )
        self._hands.aside.tell(*found.notes)
        self._hands.aside.tables[:] = [found.table] if found.table is not None else []
        return found.problems

    def _retired(self, shadow: PredictionTable, used: PredictionTable) -> None:
        """Take out of a table what it has from an earlier time, and neither rows nor the table in use have any more."""
        stale = set(shadow.entries()) - set(used.entries()) - {one.name for one in self._partitions()}
        if stale:
            with self._target.scoring(shadow.digest, RESTORING):
                shadow.retire(stale)

    def _pairs(self, shadow: PredictionTable, used: PredictionTable | None) -> Iterator[Pair]:
        """Partition by partition.

        Raises:
            CannotJudge: `shadow-rows-moved`: rows changed between one table and the other.
        """
        from release_gate.gates.shadow import Pair

        others = used.entries() if used is not None else {}
        for name, entry in shadow.entries().items():
            other = others.get(name)
            if used is None:
                yield Pair(name, self._scores(shadow, name))
            elif other is None or entry is None or other.input != entry.input:
                message = f"the two tables were made from different rows of {name}"
                raise CannotJudge.because("shadow-rows-moved", message)
            else:
                yield Pair(name, self._scores(shadow, name), self._scores(used, name))

    def _scores(self, table: PredictionTable, name: str) -> Scores:
        from release_gate.gates.shadow import Scores
        from release_gate.tables.partitions import scores

        return Scores(*scores(table.file(name), key=table.key, score=table.score))

    def _tell_missing(self, digest: str) -> None:
        """Name the partitions that the version taken out scored, or that came since, and this one lacks."""
        table, pointer = self._target.table(digest), self._target.pointer()
        entries = table.entries()
        why = dict.fromkeys(entries, "")
        before = pointer.previous.version if pointer is not None and pointer.previous is not None else None
        if before is not None:
            others = self._target.table(before).entries()
            # What has rows still gets its reason below.
            why |= {name: "it can't be scored: its rows are gone" for name in others if name not in entries}
        partitions = self._partitions()
        for one, _ in outdated(partitions, entries):
            why[one.name] = "its rows changed since" if one.name in entries else "never scored by this version"
        missing = {name: reason for name, reason in sorted(why.items()) if reason}
        if not missing:
            return
        command = f"release-gate deploy --model {self._model.model} --version {digest.removeprefix('sha256:')[:12]}"
        message = f"{_named(list(missing))} to be scored again by {digest}: {command}"
        evidence: dict[str, Scalar | Sequence[Scalar]] = {"partitions": list(missing)[:ROWS], "count": len(missing)}
        self._hands.aside.tell(finding("partitions-to-score", message, evidence=evidence))
        rows: list[list[Scalar]] = [[name, reason] for name, reason in list(missing.items())[:ROWS]]
        self._hands.aside.tables.append(
            Table(title="Partitions to score again", columns=["partition", "why"], rows=rows)
        )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{len(names):,} partition{'s' * (len(names) != 1)}: {', '.join(names[:SHOWN])}{more}"
