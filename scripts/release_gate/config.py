"""`release-gate.yml` as frozen values: every key a repository can declare, its type, default and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from release_gate.change_kinds import ContractChanges
from release_gate.data_places import connection_text
from release_gate.documents import Document, Duration, Share, read, validated
from release_gate.findings import BadInput, finding
from release_gate.forms import Command, ModelName, Reference, RelativePath, parquet
from release_gate.mistakes import undecided
from release_gate.owners import Owner
from release_gate.registries import Registries, Registry
from release_gate.rollouts import Rollout
from release_gate.thresholds import Threshold
from release_gate.tolerances import Declared, Tolerance
from release_gate.verdict import Finding, Value

DataPlace = Annotated[
    str,
    BeforeValidator(connection_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "path, pattern or URL of Parquet, CSV, JSON lines or Arrow files"},
                {
                    "type": "object",
                    "description": "a table, or one SELECT, of a database",
                    "properties": {name: {"type": "string"} for name in ("connection", "table", "sql")},
                    "required": ["connection"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Where the data of a contract lies, as one text."""


class ContractFuzz(Value):
    """How many rows of the contract the transforms are tried on."""

    rows: Annotated[int, Field(ge=0, le=10_000, description="rows to try; 0 tries none")] = 200
    seed: Annotated[int, Field(description="the same seed gives the same rows")] = 0
    limit: Annotated[Duration, Field(description="time after which the search is ended")] = 60.0


class MutationCheck(Value):
    """How many changes of the transforms' code the tests are run against."""

    mutants: Annotated[int, Field(ge=0, le=10_000, description="changes to try; 0 tries none")] = 20
    seed: Annotated[int, Field(description="the same seed chooses the same changes")] = 0
    limit: Annotated[Duration, Field(description="time after which no further change is tried")] = 30.0


class Transforms(Value):
    """The feature code: one function for training, one for serving, the tests that cover them."""

    training: Annotated[Reference, Field(description="module:function that makes features of a table of raw rows")]
    serving: Annotated[Reference, Field(description="module:function that makes the same features of one request")]
    tests: Annotated[
        tuple[RelativePath, ...], Field(description="files or folders that pytest collects", min_length=1)
    ] = ("tests",)
    coverage: Annotated[Share, Field(description="least branch coverage of the modules that hold the transforms")] = 0.9
    rows: Annotated[int, Field(ge=1, le=100_000, description="rows on which training and serving must agree")] = 200
    tolerance: Annotated[
        Declared,
        Field(description="difference of numbers still called equal: relative, or relative, absolute and columns"),
    ] = Tolerance()
    serving_rows: Annotated[
        Literal["any", "one"],
        Field(description="how many rows a request may hold; with one, serving is not asked in batches"),
    ] = "any"
    features: Annotated[
        RelativePath | None,
        Field(description="contract that the features of both sides must keep; sealed in the package"),
    ] = None
    fuzz: Annotated[
        ContractFuzz, Field(description="rows that the contract allows, at its edges, on which both are tried")
    ] = ContractFuzz()
    mutation: Annotated[
        MutationCheck, Field(description="small changes of the transforms' files that the tests must notice")
    ] = MutationCheck()
    limit: Annotated[Duration, Field(description="time after which the tests are ended")] = 600.0


class Fetched(Value):
    """A model trained elsewhere: the file or folder to take, proven by its digest."""

    path: Annotated[
        str, Field(min_length=1, max_length=2000, description="path or https URL of a file or a tar archive")
    ]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of the file")]


class Candidate(Value):
    """How the candidate is made and used. Placeholders: {out}, {model}, {data}, {port}."""

    train: Annotated[Command | None, Field(description="command that writes a model into the folder {out}")] = None
    from_: Annotated[Fetched | None, Field(alias="from", description="a model trained elsewhere, instead of train")] = (
        None
    )
    predict: Annotated[Command, Field(description="command that scores {data} with {model} into {out}")]
    serve: Annotated[Command | None, Field(description="command that serves {model} on 127.0.0.1:{port}")] = None
    lock: Annotated[RelativePath | None, Field(description="lock file of the environment; found when absent")] = None
    files: Annotated[
        tuple[str, ...] | None,
        Field(description="globs of the files to package; tracked files without data and tests when absent"),
    ] = None
    train_limit: Annotated[Duration, Field(description="time after which training is ended")] = 3600.0
    predict_limit: Annotated[Duration, Field(description="time after which prediction is ended")] = 900.0

    @model_validator(mode="after")
    def _one_origin(self) -> Candidate:
        if (self.train is None) == (self.from_ is None):
            raise ValueError("give either train (a command) or from (a model trained elsewhere), not both or none")
        return self


class Evaluation(Value):
    """The rows on which candidate and production are compared."""

    data: Annotated[
        str,
        Field(min_length=1, description="Parquet file of the evaluation rows, with labels"),
        AfterValidator(parquet),
    ]
    key: Annotated[str, Field(min_length=1, description="column that names a row, unique")]
    label: Annotated[str, Field(min_length=1, description="column with the truth; stripped before predict runs")]
    group: Annotated[
        str | None, Field(description="column of rows that belong together (a day, a user): sampled as one")
    ] = None
    score: Annotated[str, Field(min_length=1, description="column with the score in what predict writes")] = "score"


class Risk(Value):
    """How often a threshold may be wrong."""

    wrong_pass: Annotated[Share, Field(gt=0, lt=0.5, description="chance to pass a candidate that is too bad")] = 0.05
    wrong_block: Annotated[Share, Field(gt=0, lt=0.5, description="chance to block one that is good enough")] = 0.05


class ModelConfig(Value):
    """All that is declared for one model."""

    model: Annotated[ModelName, Field(description="the model's name in ledger, comment and files")]
    owner: Annotated[Owner, Field(description="GitHub user or team who decides, or who does by business hours")]
    contracts: Annotated[
        dict[str, DataPlace],
        Field(min_length=1, description="contract file: the data that must keep it"),
    ]
    engine: Annotated[
        Literal["duckdb", "spark"],
        Field(description="what reads the data of the contracts: the embedded DuckDB, or the Spark that is set up"),
    ] = "duckdb"
    contract_changes: Annotated[
        ContractChanges, Field(description="whom a contract's version warns, and what single kinds of change weigh")
    ] = ContractChanges()
    transforms: Annotated[Transforms | None, Field(description="feature code; transform-tests is skipped without")] = (
        None
    )
    candidate: Annotated[Candidate, Field(description="how the model is made and used")]
    evaluation: Annotated[Evaluation, Field(description="the rows of the comparison")]
    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1, description="the bars to clear")]
    risk: Annotated[Risk, Field(description="accepted error rates")] = Risk()
    smoke: Annotated[RelativePath, Field(description="checks of a running server")] = "smoke.yml"
    card: Annotated[RelativePath, Field(description="the model card's prose")] = "MODEL_CARD.md"
    registry: Annotated[
        Registry,
        Field(description="where packages and ledger lie: a folder, a bucket, branch:NAME, or a mapping of the two"),
    ] = Registries.of(".release-gate/registry")
    rollout: Annotated[
        Rollout | None, Field(description="how a registered version reaches its users; registered only when absent")
    ] = None
    migrations: Annotated[
        tuple[RelativePath, ...],
        Field(max_length=100, description="globs of data migrations beside those that are found by their tool"),
    ] = ()
    delivery: Annotated[
        Literal["endpoint", "batch", "none"] | None,
        Field(description="how predictions reach users; endpoint when serve is given, else none"),
    ] = None

    @model_validator(mode="after")
    def _can_be_rolled_out(self) -> ModelConfig:
        """The target fits what is delivered: a proxy needs a server, a pointer needs a table."""
        if self.rollout is None:
            return self
        batch, served = self.rollout.target.batch is not None, self.candidate.serve is not None
        if batch != (self.delivery == "batch"):
            raise ValueError("`delivery: batch` and `rollout.target.batch` go together: give both or none")
        if self.rollout.target.command is None and not batch and not served:
            raise ValueError("this target starts the model's server: say how with `candidate.serve`")
        return self


class Config(Value):
    """A whole release-gate.yml."""

    file: str
    models: tuple[ModelConfig, ...]
    written: frozenset[tuple[str | int, ...]] = frozenset()

    def named(self, name: str | None) -> tuple[ModelConfig, ...]:
        """The model of that name, or all.

        Raises:
            BadInput: `model-unknown`.
        """
        chosen = tuple(model for model in self.models if name in (None, "", model.model))
        if not chosen:
            known = ", ".join(model.model for model in self.models)
            raise BadInput.because("model-unknown", f"no model '{name}' in {self.file}; known: {known}")
        return chosen


def load(path: Path, *, shown: str | None = None) -> Config:
    """Read and check a release-gate.yml.

    Raises:
        BadInput: everything that is wrong with it, each with file, line and column.
    """
    name = shown or str(path)
    if not path.exists():
        above = upwards(path) if name == path.name else None
        found = f"; there is one in a folder above: {above}" if above else ""
        remedy = f"Name it: --config {above}; its paths count from its own folder." if above else None
        raise BadInput.because("config-missing", f"{name} does not exist{found}", remedy=remedy)
    return parsed(read(path, shown=name))


def upwards(path: Path) -> str | None:
    """The nearest file of that name in a folder above, up to the repository's own, as it is reached from below."""
    folder, steps = path.absolute().parent, ""
    while not (folder / ".git").exists() and folder != folder.parent:
        folder, steps = folder.parent, f"{steps}../"
        if (folder / path.name).is_file():
            return steps + path.name
    return None


def parsed(document: Document) -> Config:
    """Check a document that is already read: one model at the top, or several under `models`.

    Raises:
        BadInput: everything that is wrong; of a placeholder still to be decided, that and nothing else.
    """
    waiting = undecided(document.value, document.where)
    try:
        config = _parsed(document)
    except BadInput as refusal:
        told = [one for one in refusal.findings if one.code != "config-undecided" or not waiting]
        raise BadInput(*sorted([*waiting, *told], key=lambda one: one.where.line or 0)) from refusal
    if waiting:
        raise BadInput(*waiting)
    return config


def _parsed(document: Document) -> Config:
    value = document.value
    if not isinstance(value, dict):
        raise _invalid(document, (), "the file must hold keys and values, such as `version: 1`")
    if "version" not in value:
        raise _invalid(document, (), "the first key must be `version: 1`")
    if value["version"] != 1:
        raise _invalid(
            document, ("version",), f"version {value['version']!r:.80} is not known; this release reads version 1"
        )
    shared = {key: inner for key, inner in value.items() if key not in ("version", "models")}
    if "models" not in value:
        models: tuple[ModelConfig, ...] = (validated(document, ModelConfig, shared or {}, ()),)
    else:
        models = _several(document, shared, value["models"])
    return Config(file=document.file, models=models, written=frozenset(document.marks))


def _several(document: Document, shared: dict[str, Any], entries: object) -> tuple[ModelConfig, ...]:
    if not isinstance(entries, list) or not entries:
        raise _invalid(document, ("models",), "`models` must be a list with at least one model")
    found: list[Finding] = []
    models: list[ModelConfig] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _invalid(document, ("models", index), "each model must be a mapping of keys")
        try:
            # Places of shared keys fall back to the model's own: the path ("models", index, key) is not written.
            models.append(validated(document, ModelConfig, {**shared, **entry}, ("models", index)))
        except BadInput as refusal:
            found.extend(refusal.findings)
    names = [model.model for model in models]
    found.extend(
        finding("config-invalid", f"two models are called '{name}'", where=document.where(("models",)))
        for name in sorted({name for name in names if names.count(name) > 1})
    )
    found.extend(_sharing(document, models))
    if found:
        raise BadInput(*found)
    return tuple(models)


def _sharing(document: Document, models: list[ModelConfig]) -> Iterator[Finding]:
    """Each two models of which one would take the other's traffic away."""
    holders: dict[str, str] = {}
    for index, model in enumerate(models):
        held = model.rollout.target.held if model.rollout is not None else None
        other = holders.setdefault(held, model.model) if held is not None else model.model
        if other != model.model:
            message = f"models '{other}' and '{model.model}' both have {held}: give each its own `rollout.target`"
            yield finding("config-invalid", message, where=document.where(("models", index, "rollout", "target")))


def _invalid(document: Document, path: tuple[str | int, ...], message: str) -> BadInput:
    return BadInput.because("config-invalid", message, where=document.where(path))


def defaults(config: Config, model: ModelConfig) -> list[Finding]:
    """A note for each key whose default decides something a reader should know of."""
    index = config.models.index(model)
    said: list[Finding] = []
    top: tuple[tuple[str, str], ...] = (
        ("registry", f"the registry is the folder {model.registry}"),
        ("risk", "a threshold may wrongly pass or block in 5% of cases"),
        ("smoke", f"smoke checks are read from {model.smoke}"),
    )
    for key, text in top:
        if (key,) not in config.written and ("models", index, key) not in config.written:
            said.append(finding("config-default", f"{model.model}: `{key}` is not given: {text}"))
    return said


def json_schema() -> dict[str, Any]:
    """The JSON Schema of release-gate.yml, for editors: one model at the top, or several under `models`."""
    schema = ModelConfig.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    required = schema.pop("required")
    properties = schema.pop("properties")
    version = {"const": 1, "description": "the format of this file"}
    one = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "release-gate.yml",
        "type": "object",
        "properties": {
            "version": version,
            "models": {
                "type": "array",
                "minItems": 1,
                "items": one,
                "description": "several models in one repository; keys at the top are shared",
            },
            **properties,
        },
        "additionalProperties": False,
        "anyOf": [{"required": ["version", *required]}, {"required": ["version", "models"]}],
        "$defs": definitions,
    }
