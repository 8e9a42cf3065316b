"""`threshold-comparison`: gathers labels, predictions and bars, and lets the gate decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_gate.commands.context import Context, Place
from release_gate.commands.emit import Asked, finish, judged, run_gate
from release_gate.commands.options import gate_options, option
from release_gate.config import Config, ModelConfig, load
from release_gate.findings import BadInput, finding
from release_gate.verdict import Finding, Outcome, Severity, Subject, SubjectKind, Verdict, Where

if TYPE_CHECKING:
    from release_gate.gates.threshold_policy import Policy

NAME = "threshold-comparison"


@click.command()
@gate_options
@option("--base-config", metavar="FILE", help="Configuration at the base of the pull request: its bars judge too.")
@option("--thresholds", metavar="FILE", help="YAML list of thresholds, as under `thresholds:` in release-gate.yml.")
@option("--candidate", metavar="FILE", help="Parquet with the key and the candidate's score of each row.")
@option("--production", metavar="FILE", help="The same from production; a first release when absent.")
@option("--evaluation", metavar="FILE", help="Parquet with key, label, group and slices; --candidate when absent.")
@option("--key", metavar="COLUMN", help="Column that names a row.")
@option("--label", metavar="COLUMN", help="Column with the truth.")
@option("--score", metavar="COLUMN", help="Column with the score, in both predictions.")
@option("--group", metavar="COLUMN", help="Column of rows that belong together, sampled as one.")
@option(
    "--slice",
    "slices",
    multiple=True,
    metavar="COLUMN",
    help="Column in whose values each bar is also a guard.",
)
@click.pass_obj
def command(context: Context, /, base_config: str | None, slices: tuple[str, ...], **asked: Any) -> None:
    """Good enough, and no worse than production?"""
    own = {name: asked.pop(name) for name in _STAND_ALONE}
    if not any(own.values()) and not slices:
        run_gate(context, Asked(**asked), NAME, lambda *given: gate(*given, base_config=base_config))
        return
    missing = [f"--{name}" for name in ("thresholds", "candidate", "key", "label", "score") if not own[name]]
    if missing:
        raise click.UsageError(f"without release-gate.yml these are needed too: {', '.join(missing)}")
    if base_config:
        raise click.UsageError("--base-config belongs to release-gate.yml; it can't be given with --thresholds.")
    options = Asked(**asked)
    model = options.model or "-"
    finish(options, [judged(context, NAME, model, lambda: _stand_alone(context, model, own, slices))])


_STAND_ALONE = ("thresholds", "candidate", "production", "evaluation", "key", "label", "score", "group")


def gate(context: Context, model: ModelConfig, place: Place, *, base_config: str | None = None) -> Verdict:
    """Judge what build-candidate left in the run folder; nothing is compared where it was built against what is not
    in production.

    Raises:
        BadInput: a file is missing or unreadable; `candidate-missing`, `production-missing`, `build-facts-missing`.
    """
    from release_gate.commands.known_production import doubts
    from release_gate.gates.threshold_policy import Policy

    policies = [Policy(place.config, model.thresholds, model.risk)]
    base, notes = _base(context, place, base_config)
    if base is not None:
        # The same bars twice are one policy; the gate drops those that say the same in other words.
        old = [one for one in base.models if one.model == model.model]
        policies += [Policy(base.file, one.thresholds, one.risk, base=True) for one in old if not _same(one, model)]
    facts = _facts(place.build / "build.json")
    subjects = [Subject(kind="package", name=model.model, identity=facts["package"]["digest"])]
    notes += doubts(context, model, place, facts["production"] and facts["production"]["digest"])
    if any(one.severity is Severity.ERROR for one in notes):
        started = context.clock.now()
        return Verdict(
            gate=NAME, model=model.model, outcome=Outcome.FAIL, findings=notes, subjects=subjects, started=started
        )
    candidate, production = place.build / "candidate.parquet", place.build / "production.parquet"
    if not candidate.is_file():
        raise BadInput.because("candidate-missing", f"{candidate.name} is not in {_shown(place)}")
    if facts["production"] is not None and not production.is_file():
        told = f"build.json names a version in production, but {production.name} is not in {_shown(place)}"
        raise BadInput.because("production-missing", told)
    evaluation = model.evaluation
    if facts["production"] is not None:
        subjects.append(Subject(kind="production", name=model.model, identity=facts["production"]["digest"]))
    notes += _data_changed(context, place, evaluation.data)
    verdict = _judged(
        context,
        model.model,
        policies,
        data=(place.root / evaluation.data, evaluation.data),
        columns={"key": evaluation.key, "label": evaluation.label, "group": evaluation.group},
        candidate=(candidate, candidate.name),
        production=None if facts["production"] is None else (production, production.name),
        score=evaluation.score,
        subjects=subjects,
    )
    return verdict.model_copy(update={"findings": [*verdict.findings, *notes]})


def _base(context: Context, place: Place, given: str | None) -> tuple[Config | None, list[Finding]]:
    """The configuration whose bars judge too: the one given, else the one where the change wants to go."""
    from release_gate.commands.base_config import base_config

    if given is not None:
        return load((context.home / given).resolve(), shown=given), []
    return base_config(context, place.root / place.config)


def _data_changed(context: Context, place: Place, data: str) -> list[Finding]:
    """Whether this change brings other evaluation rows; with Git LFS the base holds a pointer with their sha256."""
    import hashlib
    import re

    from release_gate.commands.base_revision import before_merge
    from release_gate.files import sha256

    file = place.root / data
    found = before_merge(file, context.environment) if file.is_file() else None
    if found is None or found.content is None:
        return []
    pointer = re.match(rb"version https://git-lfs[^\n]*\noid sha256:([0-9a-f]{64})\n", found.content)
    before = pointer[1].decode() if pointer else hashlib.sha256(found.content).hexdigest()
    if sha256(file) == before:
        return []
    told = f"{data} is not what it is at {found.name}; candidate and production are both scored on the rows of now"
    return [finding("evaluation-changed", told, where=Where(file=data))]


def _same(one: ModelConfig, other: ModelConfig) -> bool:
    return (one.thresholds, one.risk) == (other.thresholds, other.risk)


def _shown(place: Place) -> str:
    return str(place.build.relative_to(place.root)) if place.build.is_relative_to(place.root) else str(place.build)


def _facts(path: Path) -> dict[str, Any]:
    """What build-candidate says it built; `production` must be there, if only as null: absence proves nothing."""

    def refused(cause: str) -> BadInput:
        return BadInput.because("build-facts-missing", f"build.json {cause}", where=Where(file=path.name))

    try:
        facts = json.loads(path.read_bytes())
    except OSError as error:
        raise refused(f"can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise refused(f"is not JSON: {error}") from error
    if not isinstance(facts, dict) or "production" not in facts:
        raise refused("does not say what is in production (`null` on a first release)")
    for name in ("package", "production"):
        known = facts.get(name)
        absent = name == "production" and known is None
        if not absent and not (isinstance(known, dict) and str(known.get("digest", "")).startswith("sha256:")):
            raise refused(f"has no digest of the {name}")
    return facts


def _stand_alone(context: Context, model: str, own: Mapping[str, str | None], slices: tuple[str, ...]) -> Verdict:
    from release_gate.documents import read
    from release_gate.files import sha256
    from release_gate.gates.threshold_policy import thresholds_of

    def path(name: str) -> tuple[Path, str] | None:
        given = own[name]
        return ((context.home / given), given) if given else None

    bars, candidate, production = path("thresholds"), path("candidate"), path("production")
    if bars is None or candidate is None:
        raise ValueError("the command asks for both")
    policy = thresholds_of(read(bars[0], shown=bars[1]), slices)
    verdict = _judged(
        context,
        model,
        [policy],
        data=path("evaluation") or candidate,
        columns={name: own[name] for name in ("key", "label", "group")},
        candidate=candidate,
        production=production,
        score=own["score"] or "",
        subjects=[],
    )
    scored_files: tuple[tuple[SubjectKind, tuple[Path, str] | None], ...]
    scored_files = (("model", candidate), ("production", production))
    scored: list[Subject] = [
        Subject(kind=kind, name=given[1], identity=f"sha256:{sha256(given[0])}")
        for kind, given in scored_files
        if given is not None
    ]
    return verdict.model_copy(update={"subjects": [*verdict.subjects, *scored]})


def _judged(
    context: Context,
    model: str,
    policies: list[Policy],
    *,
    data: tuple[Path, str],
    columns: Mapping[str, str | None],
    candidate: tuple[Path, str],
    production: tuple[Path, str] | None,
    score: str,
    subjects: list[Subject],
) -> Verdict:
    """Read the tables and judge; the bootstrap's seed comes from the data, so building again can't draw new luck."""
    from release_gate.files import sha256
    from release_gate.gates.scored_rows import Evaluation, Predictions
    from release_gate.gates.threshold_comparison import judge
    from release_gate.gates.threshold_policy import identity

    wanted = sorted({name for policy in policies for one in policy.thresholds for name in one.slices})
    named = {role: name for role, name in columns.items() if name}
    read = _columns(data, (*named.values(), *wanted), "evaluation-column-missing", needed=tuple(named.values()))
    key = columns["key"] or ""

    def predictions(who: str, file: tuple[Path, str]) -> Predictions:
        found = _columns(file, (key, score), "prediction-column-missing", needed=(key, score))
        return Predictions(who, file[1], found[key], found[score], score)

    digest = sha256(data[0])
    return judge(
        model=model,
        policies=policies,
        evaluation=Evaluation(
            data[1],
            read[key],
            read[columns["label"] or ""],
            read[columns["group"]] if columns["group"] else None,
            {name: read[name] for name in wanted if name in read},
            key=key,
            label=columns["label"] or "",
            group=columns["group"],
        ),
        candidate=predictions("candidate", candidate),
        production=None if production is None else predictions("production", production),
        subjects=[
            *subjects,
            Subject(kind="data", name=data[1], identity=f"sha256:{digest}"),
            *(Subject(kind="policy", name=policy.file, identity=identity(policy)) for policy in policies),
        ],
        seed=int(digest[:16], 16),
        started=context.clock.now(),
    )


def _columns(file: tuple[Path, str], wanted: tuple[str, ...], code: str, *, needed: tuple[str, ...]) -> dict[str, Any]:
    """Columns of a file by name, as arrays of Python values where they hold no plain numbers."""
    from release_gate.tables.reading import read

    found = read(file[0], file[1], tuple(dict.fromkeys(wanted)))
    names = set(found.table.column_names)
    absent = [name for name in dict.fromkeys(needed) if name not in names]
    if absent:
        told = f"{file[1]} has no single column {' and no '.join(absent)}, but {', '.join(found.names[:20]) or 'none'}"
        raise BadInput.because(code, told, where=Where(table=file[1], column=absent[0]))
    return {name: found.table.column(name).to_pandas().to_numpy() for name in names}
