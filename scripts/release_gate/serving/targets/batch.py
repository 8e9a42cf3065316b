"""Tables of predictions, and a pointer that names the one in use: readers follow it, it moves whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from release_gate.counts import Counts
from release_gate.edges import Clock
from release_gate.files import write_whole
from release_gate.findings import CannotJudge
from release_gate.rollouts import Batch as Declared
from release_gate.serving.prediction_table import PredictionTable
from release_gate.serving.standing import Standing, StandingFile
from release_gate.serving.targets import fencing
from release_gate.serving.targets.target import Fenced, Version
from release_gate.verdict import Value


class Named(Value):
    """A table: whose it is, and where it lies, from the pointer's folder."""

    model_config = ConfigDict(extra="ignore")

    version: str
    table: str


class Pointer(Named):
    """The table in use, since when, by which decision, and the one before it."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, serialize_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    fence: Annotated[int, Field(ge=0)]
    since: datetime
    previous: Named | None = None


class Batch(fencing.Routing):
    """The target `batch`. `root` is the folder from which paths count."""

    def __init__(self, declared: Declared, file: StandingFile, clock: Clock, *, root: Path) -> None:
        super().__init__(file, clock)
        self._file, self._clock = file, clock
        self._place = (root / declared.pointer).absolute()
        self._tables = (root / declared.tables).absolute()
        self._known: dict[str, PredictionTable] = {}
        self.url = self._place.as_uri()

    def table(self, digest: str) -> PredictionTable:
        """A version's table."""
        return self._known.setdefault(digest, PredictionTable(self._tables, digest))

    @contextmanager
    def scoring(self, digest: str, patience: float) -> Iterator[PredictionTable]:
        """A version's table, for the one that writes into it.

        Raises:
            CannotJudge: `target-locked`: another run scores it for longer than `patience` seconds.
        """
        table = self.table(digest)
        with self._file.held(f"scoring-{table.folder.name}.lock", patience):
            table.prepare()
            yield table

    def start(self, version: Version) -> str:
        """Prove that its table is there and whole; where it lies.

        Raises:
            CannotJudge: `table-not-whole`.
        """
        return self._whole(version.digest).folder.as_uri()

    def routed(self) -> dict[str, float]:
        """The version whose table the pointer names.

        Raises:
            CannotJudge: `pointer-unreadable`.
        """
        pointer = self.pointer()
        return {pointer.version: 1.0} if pointer is not None else {}

    def pointer(self) -> Pointer | None:
        """What the pointer says; None before the first release.

        Raises:
            CannotJudge: `pointer-unreadable`.
        """
        try:
            return Pointer.model_validate_json(self._place.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            cause = str(error).splitlines()[0][:300]
            raise CannotJudge.because("pointer-unreadable", f"{self._place}: {cause}") from error

    def counts(self) -> dict[str, Counts]:
        """Nothing asks a table anything that could be counted."""
        return {}

    def running(self) -> tuple[str, ...]:
        """No server was started for any version."""
        return ()

    def stop(self, digest: str) -> None:
        """Nothing runs. The table stays, for a way back."""

    def _whole(self, digest: str) -> PredictionTable:
        table = self.table(digest)
        if faults := table.faults():
            more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise CannotJudge.because("table-not-whole", f"{'; '.join(faults[:3])}{more}")
        return table

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        (digest,) = shares  # more than one would be a mistake of ours: a table is in use or not
        table = self._whole(digest)
        now = self._before()
        if not standing.owed and now is not None and now.fence > standing.fence:
            raise Fenced(now.fence)  # moved from another machine, which keeps a memory of its own
        same = now is not None and now.version == digest
        previous = None if now is None else now.previous if same else Named(version=now.version, table=now.table)
        pointer = Pointer(
            version=digest,
            table=Path(os.path.relpath(table.folder, self._place.parent)).as_posix(),
            fence=max(standing.fence, now.fence if now is not None else 0),
            since=now.since if now is not None and same else self._clock.now(),
            previous=previous,
        )
        write_whole(self._place, (pointer.model_dump_json(indent=1) + "\n").encode())
        return standing

    def _before(self) -> Pointer | None:
        try:
            return self.pointer()
        except CannotJudge:
            return None  # one that can't be read is replaced: nobody can follow it
