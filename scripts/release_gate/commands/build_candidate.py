"""`build-candidate`: make the model, predict with it and with production on the same rows, record, seal.

What stands in the build folder afterwards was made from the package itself, unpacked elsewhere, in the package's own
environment. `build.json` is written last: without it nothing was built.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate import __version__
from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, run_gate
from release_gate.commands.options import gate_options
from release_gate.config import ModelConfig
from release_gate.files import naming, sha256, write_whole
from release_gate.findings import CannotJudge, Refused
from release_gate.names import FILE
from release_gate.verdict import Finding, Outcome, Subject, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from release_gate.commands.staging import Staged
    from release_gate.gates.build_candidate import Built
    from release_gate.lifecycle.package import Contents, Golden, Package, Use
    from release_gate.registry.layers import Layers
    from release_gate.registry.selection import Selection
    from release_gate.serving.checks import Smoke
    from release_gate.tables.predictions import Rows

GATE = "build-candidate"
ALWAYS = ("pyproject.toml", ".python-version", FILE)
"""Files an environment or a rollback is made from: packaged whatever the globs say."""


@click.command()
@gate_options
@click.pass_obj
def command(context: Context, /, **asked: Any) -> None:
    """Train or fetch, predict candidate and production on the same rows, record golden predictions, seal."""
    run_gate(context, Asked(**asked), GATE, gate)


def gate(context: Context, model: ModelConfig, place: Place) -> Verdict:
    """Build one model's candidate."""
    from release_gate.commands.staging import Unfit
    from release_gate.gates.build_candidate import judge

    # First the file that says there is a build: a kill from here on leaves none.
    (place.build / "build.json").unlink(missing_ok=True)
    if place.build.exists():
        shutil.rmtree(place.build)
    started = context.clock.now()
    with tempfile.TemporaryDirectory(prefix="release-gate-", ignore_cleanup_errors=True) as folder:
        building = _Building(context, model, place, Path(folder))
        try:
            with naming(Path(folder)):
                built = building.build()
        except Unfit as unfit:
            found = [*building.notes, *unfit.findings]
            return Verdict(gate=GATE, model=model.model, outcome=Outcome.FAIL, findings=found, started=started)
    return judge(built, started)


class _Building:
    """One build: its places, and what is learned on the way."""

    def __init__(self, context: Context, model: ModelConfig, place: Place, work: Path) -> None:
        self.context, self.model, self.place, self.work = context, model, place, work
        self.notes: list[Finding] = []
        self.seconds: dict[str, float] = {}

    def build(self) -> Built:
        """Everything in order; what fails raises Unfit or a refusal."""
        from release_gate.commands.origin import make_model
        from release_gate.commands.staging import RECORDING, stage
        from release_gate.gates.build_candidate import Built
        from release_gate.registry.repository import inspect
        from release_gate.tables.predictions import strip_label

        data, root = self.model.evaluation, self.place.root
        smoke = self._smoke()
        with self._step("evaluation rows"):
            unlabelled = self.work / "rows" / "evaluation.parquet"
            unlabelled.parent.mkdir()
            rows = strip_label(root / data.data, data.label, data.key, unlabelled, shown=data.data)
        with self._step("production's package"):
            # Before the caller's code runs: training must not decide what it is compared with.
            production, staged_production = self._production()
        with self._step("model"):
            make_model(self.context, self.model.candidate, root, self.work / "model")
        with self._step("layers"):
            repository = inspect(root)
            selection, layers = self._layers(repository)
        with self._step("environment"):
            staged = stage(self.context, layers, self._use(), self.work / "candidate", version=RECORDING)
        with self._step("predict"):
            candidate = self._scores(staged, rows, "candidate")
        with self._step("production"):
            others = self._scores_of_production(production, staged_production, rows)
        with self._step("golden"):
            golden = self._golden(staged, rows, candidate, smoke)
        with self._step("seal"):
            contents = self._contents(layers, golden, tree=repository.source.tree, dirty=_dirty(selection))
            package = self._seal(layers, contents, repository.source.commit, {"candidate": candidate, **others})
        sizes = {name: layers.size(name) for name in ("code", "model", "lock")}
        evaluation = Subject(kind="data", name=data.data, identity=f"sha256:{sha256(root / data.data)}")
        built = Built(package, production, evaluation, len(rows.keys), sizes, self.seconds, self.notes)
        self._tell(built)
        return built

    def _layers(self, repository: Any) -> tuple[Selection, Layers]:
        from release_gate.caller.environments import find_lock
        from release_gate.registry.layers import make_layers
        from release_gate.registry.selection import select

        root, model = self.place.root, self.model
        origin = model.candidate.from_
        lock = find_lock(root, model.candidate.lock).path
        named = lock.relative_to(root).as_posix()
        selection = select(
            root,
            repository,
            globs=model.candidate.files,
            # A model trained elsewhere is packaged as the model, not a second time as the archive it came in.
            data=[*model.contracts.values(), model.evaluation.data, *([origin.path] if origin else [])],
            tests=["tests", *(model.transforms.tests if model.transforms else ())],
            # With its contract inside a package says what its features must be, wherever it is restored.
            always=[*ALWAYS, model.smoke, named, *([self._features] if self._features else [])],
        )
        self.notes.extend(selection.findings)
        layers = make_layers(self.work / "layers", code=selection.files, model=self.work / "model", lock=(named, lock))
        return selection, layers

    @property
    def _features(self) -> str | None:
        """The contract of the model's features."""
        return self.model.transforms.features if self.model.transforms else None

    def _use(self) -> Use:
        from release_gate.lifecycle.package import Use

        candidate, evaluation = self.model.candidate, self.model.evaluation
        return Use(
            predict=candidate.predict,
            serve=candidate.serve,
            key=evaluation.key,
            score=evaluation.score,
            predict_limit=candidate.predict_limit,
            smoke=self.model.smoke if (self.place.root / self.model.smoke).is_file() else None,
        )

    def _scores(self, staged: Staged, rows: Rows, who: str) -> pa.Table:
        """The scores a package gives the rows, under the names of today's configuration."""
        from release_gate.commands.staging import Unfit, predict
        from release_gate.tables.predictions import read_scores

        out = self.work / f"{who}.parquet"
        predict(self.context, staged, rows.unlabelled, out)
        table, problems = read_scores(out, rows, key=staged.use.key, score=staged.use.score, who=who)
        if table is None:
            raise Unfit(*problems)
        return table.rename_columns([self.model.evaluation.key, self.model.evaluation.score])

    def _production(self) -> tuple[str | None, Staged | None]:
        """Production's digest, and its package unpacked with its own environment."""
        from release_gate.commands.staging import stage
        from release_gate.lifecycle.state import fold
        from release_gate.registry.opened import open_registry

        registry = open_registry(self.model.registry, root=self.place.root, environment=self.context.environment)
        digest = fold(registry.ledger(self.model.model).read()).production
        if digest is None:
            return None, None
        try:
            sealed = registry.open(digest)
            use, folder = sealed.package.contents.use, self.work / "production"
            return digest, stage(self.context, sealed.layers, use, folder, version=digest)
        except Refused as problem:
            raise _unusable(digest, problem.findings) from problem

    def _scores_of_production(self, digest: str | None, staged: Staged | None, rows: Rows) -> dict[str, pa.Table]:
        """What production's own package predicts for the same rows; nothing on a first release."""
        from release_gate.commands.staging import Unfit

        if digest is None or staged is None:
            return {}
        try:
            return {"production": self._scores(staged, rows, "production")}
        except (Unfit, Refused) as problem:
            raise _unusable(digest, problem.findings) from problem

    def _smoke(self) -> Smoke | None:
        """How the server is asked, read before an hour is spent on training; None where there is no server."""
        from release_gate.serving.checks import load

        if self.model.candidate.serve is None:
            return None
        return load(self.place.root / self.model.smoke, self.model.smoke)

    def _golden(self, staged: Staged, rows: Rows, candidate: pa.Table, smoke: Smoke | None) -> Golden:
        from release_gate.commands.staging import Unfit, served_scores
        from release_gate.gates.build_candidate import agreement
        from release_gate.lifecycle.package import Golden
        from release_gate.tables import predictions

        numbers = predictions.golden_numbers(rows)
        chosen = self.work / "rows" / "golden.parquet"
        predictions.take(rows.unlabelled, numbers, chosen)
        scores = predictions.scores_of(candidate, self.model.evaluation.score, numbers)
        golden = Golden(through="predict", rows=predictions.records(chosen), scores=scores)
        if smoke is None:
            return golden
        served = served_scores(self.context, staged, smoke, golden)
        if apart := agreement(served, scores, smoke.tolerance):
            raise Unfit(*apart)
        return golden.model_copy(update={"through": "serve", "scores": served})

    def _contents(self, layers: Layers, golden: Golden, *, tree: str | None, dirty: bool) -> Contents:
        from release_gate.caller.environments import find_lock
        from release_gate.commands.accepted import sealed
        from release_gate.lifecycle.package import Contents, Environment
        from release_gate.registry.datasets import contract_of, contracts_of, datasets_of

        model, root = self.model, self.place.root
        lock = root / layers.lock
        kind = find_lock(root, layers.lock).kind
        return Contents(
            model=model.model,
            tree=tree,
            dirty=dirty,
            producer=f"release-gate {__version__}",
            files=layers.files,
            environment=Environment(kind=kind, lock=layers.lock, sha256=sha256(lock)),
            datasets=datasets_of(root, [*model.contracts.values(), model.evaluation.data]),
            contracts=contracts_of(root, model.contracts),
            features=contract_of(root, self._features) if self._features else None,
            delivery=model.delivery or ("endpoint" if model.candidate.serve else "none"),
            use=self._use(),
            profile=sealed(self.context, root, model.contracts.items()),
            golden=golden,
        )

    def _seal(self, layers: Layers, contents: Contents, commit: str | None, scores: dict[str, pa.Table]) -> Package:
        from release_gate.registry.packages import seal
        from release_gate.tables.predictions import write

        for who, table in scores.items():
            write(table, self.work / f"{who}-scores.parquet")
            write_whole(self.place.build / f"{who}.parquet", (self.work / f"{who}-scores.parquet").read_bytes())
        return seal(self.place.build / "package", layers, contents, commit=commit)

    def _tell(self, built: Built) -> None:
        """Write build.json: from here on there is a build."""
        contents = built.package.contents
        facts = {
            "schema": 1,
            "model": self.model.model,
            "package": {"digest": built.package.digest},
            "production": {"digest": built.production} if built.production else None,
            "subjects": [subject.model_dump() for subject in contents.datasets],
            "source": built.package.source.model_dump(),
            "environment": contents.environment.model_dump(),
            "golden": {"rows": len(contents.golden.rows), "through": contents.golden.through}
            if contents.golden
            else None,
            "rows": built.rows,
            "bytes": dict(built.sizes),
            "seconds": dict(built.seconds),
        }
        write_whole(self.place.build / "build.json", (json.dumps(facts, indent=1) + "\n").encode())

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = self.context.clock.monotonic()
        yield
        self.seconds[name] = round(self.context.clock.monotonic() - began, 3)


def _unusable(digest: str, findings: Sequence[Finding]) -> Refused:
    told = "; ".join(found.message for found in findings)
    return CannotJudge.because("production-unusable", f"production is {digest}: {told}")


def _dirty(selection: Selection) -> bool:
    return any(note.code == "tree-dirty" for note in selection.findings)
