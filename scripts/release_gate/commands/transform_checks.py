"""What transform-tests asks beside parity: tests, changes that they must notice, rows at the contract's edges."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.findings import BadInput

if TYPE_CHECKING:
    from release_gate.caller.environments import Environment
    from release_gate.config import Transforms
    from release_gate.contracts.contract import Contract
    from release_gate.edges import Runner
    from release_gate.gates.transform_facts import Part, TestRun


@dataclass(frozen=True)
class Checks:
    """The transforms of a repository at `root`, and the environment and runner that they are tried in."""

    transforms: Transforms
    root: Path
    environment: Environment
    runner: Runner

    def tested(self, files: Sequence[Path]) -> tuple[TestRun, list[Part]]:
        """The caller's tests, and what they say of each function and of changes in `files`."""
        from release_gate.caller.pytest_run import tested
        from release_gate.gates.transform_functions import part

        asked = self.transforms
        sides = (asked.training, asked.serving)
        with tempfile.TemporaryDirectory(prefix="release-gate-") as folder:
            traces = Path(folder) if asked.mutation.mutants else None
            run = tested(
                asked.tests,
                files,
                root=self.root,
                environment=self.environment,
                runner=self.runner,
                limit=asked.limit,
                traces=traces,
            )
            return run, [part(run, sides), self._mutated(run, files, traces)]

    def _mutated(self, run: TestRun, files: Sequence[Path], traces: Path | None) -> Part:
        from release_gate.caller.mutation import mutated
        from release_gate.gates.transform_mutation import part

        # Tests that fail, or that measure nothing, are told of elsewhere.
        if traces is None or not run.sound or not files:
            return part(None)
        wanted, tests = self.transforms.mutation, self.transforms.tests
        root, environment, runner = self.root, self.environment, self.runner
        return part(mutated(wanted, tests, files, traces, root=root, environment=environment, runner=runner))

    def texts(self, contract: str, data: Path) -> tuple[str, ...]:
        """The columns that hold texts by the contract in a file; none where it can't be read, which others tell."""
        from release_gate.contracts.contract import Kind

        try:
            columns = self._contract(contract, data.stem).columns
        except BadInput:
            return ()
        return tuple(column.name for column in columns if column.kind is Kind.STRING)

    def fuzzed(self, contract: str, data: Path) -> Part:
        """Both transforms on rows at the edges of the contract in a file, typed as `data` is."""
        from release_gate.caller.fuzz import fuzzed
        from release_gate.gates.transform_fuzz import Fuzz, part

        asked = self.transforms
        if asked.fuzz.rows == 0:
            return part(None, contract)
        try:
            rows = self._contract(contract, data.stem)
            features = self._contract(asked.features, None) if asked.features is not None else None
        except BadInput as refusal:
            # Whoever judges the contract itself tells all that is wrong with it.
            return part(Fuzz(failed=refusal.findings[0].message), contract)
        found = fuzzed(
            asked,
            rows,
            data,
            features=features,
            root=self.root,
            environment=self.environment,
            runner=self.runner,
        )
        return part(found, contract)

    def _contract(self, name: str, table: str | None) -> Contract:
        """The contract in a file; `table` chooses among several of one file."""
        from release_gate.contracts.reading import read, refuse_python
        from release_gate.documents import read as read_document

        if not (self.root / name).exists():
            refuse_python(name)
        return read(read_document(self.root / name, shown=name), table).contract
