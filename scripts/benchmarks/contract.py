"""How fast a contract is checked, against what users have today and against the engine alone.

Every contestant gets the same checks and the same Parquet file, runs in an environment of its own and is measured as a
whole process, import included. Before it is measured it must find every check broken in a table that breaks them all,
and none in the clean one, so that no one is measured doing less.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import checks
from benchmarks.checks import FLOATING, ORDERS, WIDE, Column
from benchmarks.contestants import BIN, Contestant, Task, by_hand, datacontract, release_gate, scripted, told
from benchmarks.processes import Environment, Run, checked, run

HERE = Path(__file__).resolve().parent
TIMES = 9
LONG, LONG_TIMES = 10.0, 3
"""Seconds from which three runs are enough: a moment in which the machine is busy weighs less on them."""
SLOW = 60.0
"""Seconds after which once is enough."""

Row = tuple[str, str, str]


@dataclass(frozen=True)
class Sizes:
    """Rows of each table."""

    orders: int = 5_000_000
    many: int = 50_000_000
    wide: int = 2_000_000


QUICK = Sizes(500_000, 5_000_000, 200_000)


@dataclass(frozen=True)
class Cost:
    """The medians of wall and CPU seconds, and the highest peak of memory."""

    wall: float
    cpu: float
    peak: int

    def row(self, name: str, said: str = "") -> Row:
        """A row of its own."""
        more = f"{self.cpu:.1f} s CPU, {self.peak / 1e9:.2f} GB" + (f"; {said}" if said else "")
        return name, f"{self.wall:.2f} s", more

    def against(self, ours: Cost, name: str, promised: str) -> Row:
        """How many times as long as ours it takes."""
        return f"  {name}", f"{self.wall / ours.wall:.2f} x", f"{promised} (by CPU {self.cpu / ours.cpu:.2f} x)"


def measured(*, quick: bool = False) -> Iterator[Row]:
    """The rows of the benchmark; data and environments are kept in a folder under the temporary one."""
    sizes = QUICK if quick else Sizes()
    place = _place()
    yield ("data and environments are kept in", "", str(place))
    tables = _Tables(place)
    ours, rows = _peers(tables, sizes)
    yield from rows
    yield from _wide(tables, sizes)
    yield from _many(tables, sizes, ours)


def _place() -> Path:
    """A folder that nobody else may write to, since programs are run from it."""
    place = Path(tempfile.gettempdir()) / f"release-gate-bench-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid != os.getuid() or place.stat().st_mode & 0o077:
        raise SystemExit(f"bench: {place} is not this user's alone; remove it or set TMPDIR")
    return place


@dataclass(frozen=True)
class _Tables:
    """Tables and checks, made where they are not there yet or were made otherwise."""

    place: Path

    def task(self, kind: str, rows: int, columns: tuple[Column, ...]) -> Task:
        """The table of a kind with so many rows, held to the checks of these columns."""
        name = f"{kind}-{rows}-{checks.count(columns)}"
        data = self._data(kind, rows)
        conditions = self.place / f"{name}.sql.json"
        conditions.write_text(json.dumps(checks.conditions(columns)))
        contract = checks.as_contract(columns, self.place / f"{name}.odcs.yaml", data)
        return Task(data, contract, checks.as_list(columns, self.place / f"{name}.json"), conditions)

    def _data(self, kind: str, rows: int) -> Path:
        code = b"".join((HERE / name).read_bytes() for name in ("tables.py", "checks.py"))
        path = self.place / f"{kind}-{rows}-{hashlib.sha256(code).hexdigest()[:8]}.parquet"
        if not path.exists():
            for old in self.place.glob(f"{kind}-{rows}-*.parquet*"):
                old.unlink()
            part = path.with_suffix(".parquet.part")
            command = [sys.executable, "-m", "benchmarks.tables", kind, str(rows), str(part)]
            checked(run(command, HERE.parent), command)
            part.rename(path)
        return path


def _race(contestants: list[Contestant], task: Task, broken: Task, columns: tuple[Column, ...]) -> list[Cost]:
    """What each costs, in the order given. They take turns, so that a busy minute meets them all."""
    place = task.data.parent
    for one in contestants:
        told(one, broken, place, checks.every(columns))
    runs: list[list[Run]] = [[] for _ in contestants]
    for _ in range(TIMES):
        for one, done in zip(contestants, runs, strict=True):
            if len(done) < _times(done):
                done.append(told(one, task, place, frozenset()))
    return [_cost(done) for done in runs]


def _times(done: list[Run]) -> int:
    """How often to run what has been run so."""
    if not done or done[0].wall < LONG:
        return TIMES
    return LONG_TIMES if done[0].wall < SLOW else 1


def _cost(runs: list[Run]) -> Cost:
    wall, cpu = (statistics.median(values) for values in ([one.wall for one in runs], [one.cpu for one in runs]))
    return Cost(wall, cpu, max(one.peak for one in runs))


def _peers(tables: _Tables, sizes: Sizes) -> tuple[Cost, list[Row]]:
    """The table of ten columns by everybody: our own cost, and the rows."""
    task, broken = (tables.task(kind, sizes.orders, ORDERS) for kind in ("orders", "orders-broken"))
    peers = _installed(tables.place)
    contestants = [release_gate(), *(one for one, _, _ in peers), by_hand("together")]
    ours, *others, hand = costs = _race(contestants, task, broken, ORDERS)
    versions = ["", *(version for _, version, _ in peers), ""]
    rows = [_titled(task, sizes.orders, ORDERS, "")]
    rows += [cost.row(one.name, said) for one, cost, said in zip(contestants, costs, versions, strict=True)]
    rows += [
        cost.against(ours, f"{one.name} against release-gate", f"promised: {least} x at least")
        for (one, _, least), cost in zip(peers, others, strict=True)
    ]
    rows.append(ours.against(hand, "release-gate against one DuckDB query by hand", "promised: 1.25 x at most"))
    return ours, rows


def _installed(place: Path) -> list[tuple[Contestant, str, str]]:
    """The peers, each in an environment of its own; with their versions and how much faster we promise to be."""

    def environment(name: str, *packages: str) -> Environment:
        return Environment(place / name, packages, str(BIN / "uv")).made(sys.executable)

    expectations = environment("great-expectations", "great-expectations", "pyarrow")
    pandas = environment("pandera-pandas", "pandera", "pandas", "pyarrow")
    contracts = environment("datacontract-cli", "datacontract-cli[duckdb,parquet]")
    polars = environment("pandera-polars", "pandera[polars]")
    return [
        (
            scripted("Great Expectations on pandas", expectations, "great_expectations_pandas.py"),
            expectations.versions("great-expectations", "pandas"),
            "15",
        ),
        (
            scripted("pandera on pandas", pandas, "pandera_pandas.py"),
            pandas.versions("pandera", "pandas"),
            "3",
        ),
        (
            datacontract(contracts, place),
            contracts.versions("datacontract-cli", "duckdb") + ", which checks no types in Parquet",
            "3",
        ),
        (
            scripted("pandera on Polars", polars, "pandera_polars.py"),
            polars.versions("pandera", "polars"),
            "1.3",
        ),
    ]


def _titled(task: Task, rows: int, columns: tuple[Column, ...], said: str) -> Row:
    size = task.data.stat().st_size / 1e6
    return f"{rows:,} rows x {len(columns)} columns", f"{size:.0f} MB", f"{checks.count(columns)} checks{said}"


def _wide(tables: _Tables, sizes: Sizes) -> Iterator[Row]:
    """The table of sixty columns: what counting every check costs, and what more checks cost."""
    task, broken = (tables.task(kind, sizes.wide, WIDE) for kind in ("wide", "wide-broken"))
    contestants = [release_gate(), by_hand("apart"), by_hand("together")]
    costs = _race(contestants, task, broken, WIDE)
    few = checks.checked_only(WIDE, 10)
    fewer, fewer_broken = (tables.task(kind, sizes.wide, few) for kind in ("wide", "wide-broken"))
    (cost_of_few,) = _race([release_gate()], fewer, fewer_broken, few)
    yield _titled(task, sizes.wide, WIDE, ", all kept")
    for one, cost in zip(contestants, costs, strict=True):
        yield cost.row(one.name)
    ours, apart, together = costs
    yield _alone(task, "our own scan, every check counted against proven first", "promised: 20 x at least; ")
    floating = tables.task("floating", sizes.wide, FLOATING)
    yield _alone(floating, "  the same in floating point, where NaN has to be looked for", "")
    yield apart.against(ours, "one DuckDB query a check against release-gate", "starts of both included")
    yield together.against(ours, "one DuckDB query for all against release-gate", "starts of both included")
    more = f"{checks.count(WIDE)} checks against {checks.count(few)}"
    yield ours.against(cost_of_few, more, "promised: nearly flat")


def _alone(task: Task, what: str, promised: str) -> Row:
    """What proving saves in the scan itself, where processes don't start."""
    command = [sys.executable, "-m", "benchmarks.scan_alone", str(task.contract), str(task.data)]
    took = json.loads(checked(run(command, HERE.parent), command).out)
    counted, proven = took["counted"], took["proven"]
    said = f"{promised}{counted * 1000:.0f} ms against {proven * 1000:.0f} ms, start left out"
    return f"  {what}", f"{counted / proven:.1f} x", said


def _many(tables: _Tables, sizes: Sizes, fewer: Cost) -> Iterator[Row]:
    """Ten times the rows, in bounded memory."""
    task = tables.task("orders", sizes.many, ORDERS)
    limit = "1GB"
    contestants = [release_gate(limit), by_hand("together", limit)]
    broken = tables.task("orders-broken", sizes.orders, ORDERS)
    ours, hand = _race(contestants, task, broken, ORDERS)
    yield _titled(task, sizes.many, ORDERS, f", {limit} of memory allowed")
    for one, cost in zip(contestants, (ours, hand), strict=True):
        yield cost.row(one.name)
    yield ("  peak of memory of release-gate", f"{ours.peak / 1e9:.2f} GB", "promised: below 1.5 GB")
    times = sizes.many / sizes.orders
    yield ours.against(fewer, f"{times:g} times the rows", f"promised: {times:g} x at most")
