"""release-gate.yml: the smallest useful one works; every mistake has place and suggestion."""

import copy
import json
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from release_gate import config, thresholds
from release_gate.documents import parse
from release_gate.findings import BadInput
from release_gate.statistics.metrics import BOUNDED

SMALLEST = """\
version: 1
model: flight-delay
owner: "@octocat"
contracts: {contracts/flights.yml: data/flights.parquet}
transforms:
  training: flight_delay.features:training_features
  serving: flight_delay.features:serving_features
candidate:
  train: python -m flight_delay.train --out {out}
  predict: python -m flight_delay.predict --model {model} --data {data} --out {out}
  serve: python -m flight_delay.serve --model {model} --port {port}
evaluation: {data: data/evaluation.parquet, key: flight_id, label: late, group: date}
thresholds:
  - {metric: roc_auc, at_least: 0.70, no_worse_than_production_by: 0.01, role: goal}
  - {metric: roc_auc, no_worse_than_production_by: 0.03, slices: [origin, carrier], role: guard}
"""
LINES = SMALLEST.splitlines()


def parsed(text: str) -> config.Config:
    return config.parsed(parse(text.encode(), "release-gate.yml"))


def test_the_fifteen_lines_are_enough() -> None:
    (model,) = parsed(SMALLEST).models
    assert model.model == "flight-delay"
    assert model.thresholds[1].slices == ("origin", "carrier")
    assert model.risk.wrong_pass == 0.05
    assert model.evaluation.score == "score"
    assert {found.code for found in config.defaults(parsed(SMALLEST), model)} == {"config-default"}


@pytest.mark.parametrize(
    ("line", "instead", "place", "words"),
    [
        (0, "version: 2", "1:1", "version 2 is not known"),
        (0, "model_version: 1", "1:1", "`version: 1`"),
        (1, "model: Flight Delay", "2:1", "'model'"),
        (1, "modle: flight-delay", "2:1", "did you mean 'model'?"),
        (2, "owner: octocat", "3:1", "'owner'"),
        (3, "contracts: {}", "4:1", "'contracts'"),
        (5, "  training: flight_delay/features.py", "6:3", "'transforms.training'"),
        (8, "  trian: x", "9:3", "did you mean 'train'?"),
        (8, "  train_limit: forever", "9:3", "a duration is a number with a unit"),
        (8, "  from: {path: m.tar, sha256: abc}", "9:23", "sha256"),
        (11, "evaluation: {data: d, key: k}", "12:1", "'evaluation.label'"),
        (13, "  - {metric: auc, at_least: 0.7}", "14:6", "roc_auc"),
        (13, "  - {metric: roc_auc, role: goal}", "14:5", "at least one of at_least"),
        (13, "  - {metric: roc_auc, at_least: high}", "14:23", "'high'"),
        (13, "  - {metric: roc_auc, at_least: .inf}", "14:23", "finite number (it is inf)"),
        (13, "  - {metric: roc_auc, at_least: -.inf}", "14:23", "finite number (it is -inf)"),
        (13, "  - {metric: roc_auc, at_least: .nan}", "14:23", "finite number (it is nan)"),
        (13, "  - {metric: log_loss, at_most: 1e999}", "14:24", "finite number (it is inf)"),
        (13, "  - {metric: log_loss, at_most: inf}", "14:24", "finite number (it is 'inf')"),
        (13, "  - {metric: mae, no_worse_than_production_by: .inf}", "14:19", "finite number"),
        (13, "  - {metric: mae, no_worse_than_production_by: .nan}", "14:19", "'thresholds.0.no_worse"),
        (13, "  - {metric: f1, at_least: 0.0}", "14:18", "can never fail: f1 is never below 0 (it is 0.0)"),
        (14, "risk: {wrong_pass: 60%}", "15:8", "less than 0.5"),
        (14, "smoke: ../smoke.yml", "15:1", "inside the repository"),
        (14, "contract_changes: {for: reader}", "15:20", "did you mean 'readers'?"),
        (14, "contract_changes: {severities: {range-widend: editorial}}", "15:33", "did you mean 'range-widened'?"),
        (14, "contract_changes: {severities: {x: editorial}}", "15:33", "docs/reference/contract-changes.md"),
        (14, "contract_changes: {severities: {range-widened: minor}}", "15:33", "'breaking', 'compatible'"),
    ],
)
def test_a_mistake_is_told_with_its_place(line: int, instead: str, place: str, words: str) -> None:
    text = "\n".join([*LINES[:line], instead, *LINES[line + 1 :]])
    with pytest.raises(BadInput) as refusal:
        parsed(text)
    told = [f"{found.where.line}:{found.where.column} {found.message}" for found in refusal.value.findings]
    assert any(one.startswith(place + " ") and words in one for one in told), told


IN_UNIT = ["roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "brier"]


@pytest.mark.parametrize(
    ("bar", "metrics"),
    [
        ({"at_least": 0}, [*IN_UNIT, "log_loss", "rmse", "mae"]),
        ({"at_least": -3}, [*IN_UNIT, "log_loss", "rmse", "mae"]),
        ({"at_most": 1}, [*IN_UNIT, "r2"]),
        ({"at_most": 1.5}, [*IN_UNIT, "r2"]),
        ({"no_worse_than_production_by": 1}, IN_UNIT),
        ({"no_worse_than_production_by": 7}, IN_UNIT),
        ({"at_least": 0.001}, []),
        ({"at_most": 0.999}, []),
        ({"no_worse_than_production_by": 0.999}, []),
    ],
)
def test_a_bar_that_every_model_clears_is_refused(bar: dict[str, float], metrics: list[str]) -> None:
    refused = set()
    for metric in thresholds.METRICS:
        try:
            thresholds.Threshold.model_validate({"metric": metric, **bar})
        except ValidationError as error:
            refused |= {metric} if "this bar can never fail" in str(error) else set()
    assert refused == set(metrics)


def test_the_bounds_of_metrics_are_those_they_are_measured_in() -> None:
    assert set(thresholds.LEAST) & set(thresholds.MOST) == BOUNDED
    assert set(thresholds.GUESSING) <= set(thresholds.METRICS)


def test_train_and_from_exclude_each_other() -> None:
    text = SMALLEST.replace("  train:", "  from: {path: m.tar, sha256: " + "a" * 64 + "}\n  train:")
    with pytest.raises(BadInput, match="not both or none"):
        parsed(text)


def test_several_models_share_what_stands_at_the_top() -> None:
    shared = yaml.safe_load(SMALLEST)
    del shared["model"]
    both = {**shared, "models": [{"model": "a"}, {"model": "b", "owner": "@octo-air"}]}
    found = parsed(yaml.safe_dump(both))
    assert [(model.model, str(model.owner)) for model in found.models] == [("a", "@octocat"), ("b", "@octo-air")]
    assert [model.model for model in found.named("b")] == ["b"]
    assert len(found.named("")) == 2
    with pytest.raises(BadInput, match="known: a, b"):
        found.named("c")


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([], "at least one"),
        ("a", "at least one"),
        (["a"], "mapping of keys"),
        ([{"model": "a"}] * 2, "called 'a'"),
        ([{}], "'models.0.model'"),
    ],
)
def test_wrong_lists_of_models_are_refused(models: object, words: str) -> None:
    shared = yaml.safe_load(SMALLEST)
    del shared["model"]
    with pytest.raises(BadInput, match=words):
        parsed(yaml.safe_dump({**shared, "models": models}))


CADDY: dict[str, dict[str, object]] = {"caddy": {}}
HAPROXY = {"haproxy": {"socket": "/run/ha.sock", "backend": "model", "url": "http://127.0.0.1:80"}}
BATCH = {"batch": {"data": "d.parquet", "tables": "tables", "pointer": "./now.json"}}
OTHER_POINTER = {"batch": {**BATCH["batch"], "pointer": "now.json"}}


@pytest.mark.parametrize(
    ("one", "other", "held"),
    [
        (CADDY, CADDY, "Caddy's port 8080"),
        (CADDY, {"caddy": {"listen": ":8080", "admin": "127.0.0.1:3019"}}, "Caddy's port 8080"),
        (HAPROXY, HAPROXY, "backend model of HAProxy's socket /run/ha.sock"),
        (BATCH, OTHER_POINTER, "the pointer now.json"),
        (CADDY, {"caddy": {"listen": "127.0.0.1:8081"}}, None),
        (HAPROXY, {"haproxy": {**HAPROXY["haproxy"], "backend": "second"}}, None),
        (BATCH, {"batch": {**BATCH["batch"], "pointer": "other.json"}}, None),
        ({"command": {"route": "a", "read": "b", "url": "http://127.0.0.1:80"}},) * 2 + (None,),
    ],
)
def test_two_models_that_would_take_each_other_the_traffic_are_refused(
    one: dict[str, object], other: dict[str, object], held: str | None
) -> None:
    shared = yaml.safe_load(SMALLEST)
    del shared["model"]
    models = [
        {"model": name, "rollout": {"target": target}, **({"delivery": "batch"} if "batch" in target else {})}
        for name, target in (("a", one), ("b", other))
    ]
    text = json.dumps({**shared, "models": [*models, {"model": "registered-only"}]}, indent=1)
    if held is None:
        assert len(parsed(text).models) == 3
        return
    with pytest.raises(BadInput) as refusal:
        parsed(text)
    (found,) = refusal.value.findings
    assert found.code == "config-invalid"
    assert f"models 'a' and 'b' both have {held}" in found.message
    assert text.splitlines()[(found.where.line or 0) - 1].strip() == '"target": {'


def test_a_rollout_at_the_top_is_the_same_for_all_models_and_refused_where_it_can_be_of_one_only() -> None:
    shared = yaml.safe_load(SMALLEST)
    del shared["model"]
    text = yaml.safe_dump({**shared, "rollout": {"target": {"caddy": {}}}, "models": [{"model": "a"}, {"model": "b"}]})
    with pytest.raises(BadInput, match="models 'a' and 'b' both have Caddy's port 8080"):
        parsed(text)


@pytest.mark.parametrize("text", ["", "- 1", "word"])
def test_what_is_no_mapping_is_no_configuration(text: str) -> None:
    with pytest.raises(BadInput, match="keys and values"):
        parsed(text)


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refusal:
        config.load(tmp_path / "release-gate.yml")
    assert refusal.value.findings[0].code == "config-missing"
    assert "release-gate init" in refusal.value.findings[0].remedy


def test_the_json_schema_takes_what_the_reader_takes() -> None:
    schema = config.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = yaml.safe_load(SMALLEST)
    jsonschema.validate(whole, schema)
    wrong = copy.deepcopy(whole)
    wrong["riks"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
    for key, value in (("owner", "octocat"), ("model", "Flight Delay")):
        with pytest.raises(jsonschema.ValidationError, match="does not match"):
            jsonschema.validate({**whole, key: value}, schema)
    del whole["candidate"]["predict"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, schema)


def test_every_metric_can_be_named() -> None:
    assert set(thresholds.METRICS) == set(get_args(thresholds.MetricName))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"@octocat"', "octocat", "'owner': write @user or @organisation/team (it is 'octocat')"),
        ("model: flight-delay", "model: Flight Delay", "such as flight-delay (it is 'Flight Delay')"),
        ("flight_delay.features:training_features", "features.py", "'transforms.training': write module:function"),
        ("at_least: 0.70", 'at_least: "80%"', "a number is expected here, not a percentage: write 0.8 (it is '80%')"),
        ("at_least: 0.70", "at_least: high", "a number is expected here, such as 0.8 or 30 (it is 'high')"),
        ("role: goal", "role: gaol", "'thresholds.0.role': did you mean 'goal'? It should be 'goal' or 'guard'"),
        ("metric: roc_auc, at_least", "metric: ROC-AUC, at_least", "did you mean 'roc_auc'?"),
        ("evaluation:", "evalution:", "unknown key 'evalution'; did you mean 'evaluation'?"),
        ("key: flight_id", "kee: flight_id", "unknown key 'evaluation.kee'; did you mean 'key'?"),
        ("label: late, ", "", "'evaluation.label': this key is needed, and is not given"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_finding_in_words(old: str, new: str, words: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parsed(SMALLEST.replace(old, new))
    (found,) = refusal.value.findings
    assert words in found.message


def test_a_file_in_a_folder_above_is_named_with_how_to_use_it(tmp_path: Path) -> None:
    below = tmp_path / "models" / "churn"
    below.mkdir(parents=True)
    (tmp_path / "release-gate.yml").write_text(SMALLEST)
    with pytest.raises(BadInput) as refusal:
        config.load(below / "release-gate.yml", shown="release-gate.yml")
    (found,) = refusal.value.findings
    assert found.code == "config-missing"
    assert found.message.endswith("there is one in a folder above: ../../release-gate.yml")
    assert "--config ../../release-gate.yml" in found.remedy
    assert (below / "../../release-gate.yml").resolve() == tmp_path / "release-gate.yml"


def test_a_file_outside_the_repository_is_not_taken_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "release-gate.yml").write_text(SMALLEST)
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    assert config.upwards(repository / "release-gate.yml") is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rollout": {"target": {"batch": {"data": "d", "tables": "t", "pointer": "p"}}}}, "go together"),
        ({"delivery": "batch", "rollout": {"target": {"caddy": {}}}}, "go together"),
        ({"rollout": {"target": {"caddy": {}}}, "candidate": {"train": "a", "predict": "b"}}, "candidate.serve"),
        ({"rollout": {"target": {}}}, "give one of caddy, haproxy, command, batch"),
        ({"rollout": {"target": {"caddy": {}}, "steps": ["50%", "5%"]}}, "steps must rise"),
        ({"rollout": {"target": {"haproxy": {"socket": "s", "backend": "b", "url": "http://a:b@c"}}}}, "no password"),
    ],
    ids=["pointer without batch", "batch without pointer", "no server", "no target", "falling steps", "password"],
)
def test_a_rollout_that_can_not_work_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        parsed(yaml.safe_dump({**yaml.safe_load(SMALLEST), **change}))
