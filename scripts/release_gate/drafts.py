"""What `init` writes for a repository it has never seen: facts found in it → texts, and what people must decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from release_gate.caller_workflows import CALLERS
from release_gate.mistakes import UNDECIDED

ROLES: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training", "fit"),
    "predict": ("predict", "score", "inference", "predictions"),
    "serve": ("serve", "server", "app", "api"),
    "features": ("features", "transforms", "preprocessing", "feature_engineering"),
}
"""Role → names of modules that usually play it, the likeliest first."""

FLAGS: Mapping[str, tuple[str, ...]] = {
    "out": ("--out", "--output", "--output-dir", "--model-dir", "-o"),
    "model": ("--model", "--model-dir", "--model-path", "-m"),
    "data": ("--data", "--input", "--in", "--features", "-i"),
    "port": ("--port", "-p"),
}
"""Placeholder → options that usually take it."""

TOOLS = ("pytest", "coverage")
"""What transform-tests runs in the repository's own environment."""

CONFIGURATION = "release-gate.yml"
LABELS = ("label", "target", "y", "class", "outcome", "truth")


@dataclass(frozen=True)
class Module:
    """A Python module: its dotted name, the options its command line takes, the functions it defines."""

    name: str
    options: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableFacts:
    """A data file: rows, column → type name, the columns that are unique, the columns with only two values."""

    path: str
    rows: int
    columns: Mapping[str, str]
    unique: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()

    @property
    def for_evaluation(self) -> bool:
        """Whether its name says that it is held out."""
        stem = self.path.rsplit("/", 1)[-1].lower()
        return any(word in stem for word in ("eval", "test", "holdout", "held_out", "valid"))


@dataclass(frozen=True)
class Repository:
    """What was found in a repository; `lock` is the file that pins its environment, `pinned` the tools it names.

    `branch` is the one that is released.
    """

    name: str
    owner: str | None
    lock: str | None = None
    pinned: tuple[str, ...] = ()
    modules: Mapping[str, Module] = field(default_factory=dict)
    tables: tuple[TableFacts, ...] = ()
    branch: str = "main"


@dataclass(frozen=True)
class Draft:
    """Files to write (path → text), what people must decide in each, and what the gates need beside them.

    `purposes`: what a file is for, where its name does not say it.
    """

    files: Mapping[str, str]
    decide: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ()
    purposes: Mapping[str, str] = field(default_factory=dict)


def draft(found: Repository, contracts: Mapping[str, str], gate: str) -> Draft:
    """Draft everything but the contracts, whose paths are given with the data each describes.

    Args:
        found: the repository.
        contracts: contract file → data file.
        gate: `owner/release-gate@ref` of the workflows to call.
    """
    questions: list[str] = []
    files = {CONFIGURATION: _configuration(found, contracts, questions)}
    decide = [(CONFIGURATION, question) for question in questions]
    if "serve" in found.modules:
        files["smoke.yml"] = SMOKE
        decide.append(("smoke.yml", "how your server is asked for a prediction, and where its answer holds the scores"))
    files["MODEL_CARD.md"] = CARD.format(name=found.name)
    decide.append(("MODEL_CARD.md", "intended use, limits, training data; publishing is refused without them"))
    decide += [(path, "every range and null behaviour is a draft") for path in contracts]
    repository, _, ref = gate.partition("@")
    for caller in CALLERS.values():
        files[caller.path] = caller.text.format(repository=repository, ref=ref, branch=json.dumps(found.branch))
    return Draft(files, tuple(decide), _needs(found), {one.path: one.purpose for one in CALLERS.values()})


def _needs(found: Repository) -> tuple[str, ...]:
    """What must stand before the first `check`, whatever is decided; what stands already is said too."""
    locks = "uv.lock, pylock.toml, or requirements.txt with exact versions"
    absent = [tool for tool in TOOLS if tool not in found.pinned]
    return (
        f"a lock file of the Python environment: {found.lock or f'none was found ({locks})'}",
        f"{' and '.join(TOOLS)} in the lock, as development dependencies, for transform-tests: "
        + (f"{' and '.join(absent)} not found there" if absent else "there"),
        "predict reads {data} and writes {out}, both as Parquet: rows without the label in, key and score out",
        "everything committed: a package is made of tracked files",
    )


def _configuration(found: Repository, contracts: Mapping[str, str], decide: list[str]) -> str:
    def known(value: str | None, question: str) -> str:
        if value is None:
            decide.append(question)
        return value or UNDECIDED

    lines = [
        "version: 1",
        f"model: {found.name}",
        *_owner(known(found.owner, "owner: the GitHub user or team who decides about this model"), decide),
        "contracts:",
    ]
    if not contracts:
        known(None, "contracts: no Parquet or CSV file was found to draft one from")
        contracts = {UNDECIDED: UNDECIDED}
    lines += [f"  {path}: {data}" for path, data in contracts.items()]
    if features := found.modules.get("features"):
        training, serving = _transforms(features, decide)
        lines += ["transforms:", f"  training: {training}", f"  serving: {serving}"]
    else:
        decide.append("transforms: no feature module was found; transform-tests is skipped without")
    lines.append("candidate:")
    needs = {"train": ("out",), "predict": ("model", "data", "out"), "serve": ("model", "port")}
    for role, placeholders in needs.items():
        if module := found.modules.get(role):
            lines.append(f"  {role}: {_command(role, module, placeholders, decide)}")
        elif role != "serve":
            lines.append(f'  {role}: "{known(None, f"candidate.{role}: the command; no module named like it")}"')
    decide.append("registry: on GitHub a branch or a bucket; a folder lasts there no longer than its runner")
    decide.append("rollout: how a version reaches users, from the runner `deploy-runs-on`; only registered without")
    return "\n".join([*lines, *_evaluation(found, known, decide), *RELEASING]) + "\n"


def _owner(name: str, decide: list[str]) -> list[str]:
    """Who decides; of a team its people too, since a job's token can't read teams."""
    if "/" not in name:
        return [f'owner: "{name}"']
    decide.append(f"owner.members: the people of {name}")
    return ["owner:", f'  people: ["{name}"]', f'  members: {{"{name}": ["{UNDECIDED}"]}}']


def _transforms(module: Module, decide: list[str]) -> tuple[str, str]:
    def named(*words: str) -> str | None:
        return next((name for word in words for name in module.functions if word in name.lower()), None)

    first = next(iter(module.functions), None)
    training, serving = named("train") or first, named("serv", "infer", "online", "request") or first
    if training is None or training == serving:
        decide.append(f"transforms: which functions of {module.name} make features, in each place")
    return (f"{module.name}:{training or UNDECIDED}", f"{module.name}:{serving or UNDECIDED}")


def _command(role: str, module: Module, placeholders: tuple[str, ...], decide: list[str]) -> str:
    words = [f"python -m {module.name}"]
    for placeholder in placeholders:
        option = next((flag for flag in FLAGS[placeholder] if flag in module.options), None)
        if option is None:
            option = FLAGS[placeholder][0]
            decide.append(f"candidate.{role}: {module.name} shows no option for {{{placeholder}}}")
        words.append(f"{option} {{{placeholder}}}")
    return " ".join(words)


def _evaluation(found: Repository, known: object, decide: list[str]) -> list[str]:
    assert callable(known)  # noqa: S101 - a closure of the caller's
    held_out = [table for table in found.tables if table.for_evaluation]
    table = next((table for table in held_out if table.path.endswith(".parquet")), next(iter(held_out), None))
    if table is not None and not table.path.endswith(".parquet"):
        decide.append(f"evaluation.data: convert {table.path} to Parquet; predict is given Parquet")
    columns = table.columns if table else {}
    unique = table.unique if table else ()
    key = next((name for name in unique if "id" in name.lower()), next(iter(unique), None))
    label = next((name for name in columns if name.lower() in LABELS), None)
    if label is None and table is not None and len(table.binary) == 1:
        label = table.binary[0]
        decide.append(f"evaluation.label: '{label}' is a guess: the only column with two values")
    binary = table is not None and label in table.binary
    bar = "{metric: roc_auc, at_least: 0.5" if binary else "{metric: r2, at_least: 0.0"
    decide.append("thresholds: the bar drafted is only 'better than guessing'")
    values = {
        "data": known(table.path if table else None, "evaluation.data: rows held out from training, with labels"),
        "key": known(key, "evaluation.key: the column that names a row"),
        "label": known(label, "evaluation.label: the column with the truth"),
    }
    return [
        "evaluation: {" + ", ".join(f"{name}: {_scalar(value)}" for name, value in values.items()) + "}",
        "thresholds:",
        f"  - {bar}, no_worse_than_production_by: 0.01, role: goal}}",
    ]


def _scalar(value: str) -> str:
    """A YAML scalar in flow style: quoted unless it is a plain word."""
    return (
        value
        if value.replace("_", "").replace("/", "").replace(".", "").replace("-", "").isalnum()
        else json.dumps(value)
    )


SMOKE = """version: 1
predict:                                   # how a prediction is asked for
  post: /predict
  body: {rows: "{rows}"}                   # "{rows}" becomes the list of records
  scores: predictions[*].score             # where the answer holds the scores, one a row
checks:
  - {name: health, get: /health, status: 200}
  - {name: version, get: /health, json: {version: "{version}"}}   # RELEASE_GATE_VERSION in the server's environment
  - {name: golden predictions, golden: {tolerance: 1e-6}}
  - {name: body is not JSON, post: /predict, body: "{", status: 4xx}
  - {name: latency, latency: {requests: 50, p95_below: 200ms}}
"""

CARD = """# Model card: {name}

## Intended use
<!-- decide: who uses the predictions, for what, and for what not -->

## Training data
<!-- decide: where it comes from, which period, what it leaves out -->

## Limits
<!-- decide: where it is known to be wrong -->
"""

RELEASING = (
    "# registry: branch:release-gate           # packages and ledger; .release-gate/registry when absent",
    "# rollout: {target: {caddy: {}}}          # or haproxy, or commands of your own; registered only when absent",
)
