"""Files that are broken, missing, empty, of the wrong type, or made to exhaust whoever reads them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.bad_input.command_line import run
from tests.tiny.project import Project

LEVELS = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(LEVELS) + "\n"
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, 40))


COMPARISON = (
    *("threshold-comparison", "--candidate", "data/evaluation.parquet"),
    *("--key", "id", "--label", "late", "--score", "x"),
)
CONFIG_CASES = {
    "broken YAML": ("model: tiny", "model: [tiny", "config-syntax", "release-gate.yml:3:", "flow sequence"),
    "a tab": ("model: tiny", "\tmodel: tiny", "config-syntax", "release-gate.yml:2:", ""),
    "a NUL": ("model: tiny", "model: t\0ny", "config-syntax", "release-gate.yml", "special characters"),
    "unknown key": ("thresholds:", "tresholds:", "config-unknown-key", "release-gate.yml:10:1", "'thresholds'"),
    "unknown inner key": (
        "evaluation: {data",
        "evaluation: {dta",
        "config-unknown-key",
        "release-gate.yml:9:",
        "'data'",
    ),
    "key twice": ("model: tiny", "model: tiny\nmodel: other", "config-syntax", "release-gate.yml:3:1", "twice"),
    "a list for a text": ("model: tiny", "model: [tiny]", "config-invalid", "release-gate.yml:2:1", "model"),
    "a text for a number": ("at_least: 0.5", "at_least: high", "config-invalid", "release-gate.yml:11:", "at_least"),
    "a text for a list": (
        *("thresholds:\n  - {metric: roc_auc, at_least: 0.5}", "thresholds: none"),
        *("config-invalid", "release-gate.yml:10:1", "'none'"),
    ),
    "a bomb of aliases": ("version: 1", BOMB + "version: 1", "config-syntax", "release-gate.yml:", "aliases"),
    "a bomb of mappings": ("version: 1", MERGES + "version: 1", "config-syntax", "release-gate.yml:", "aliases"),
    "an alias of itself": ("model: tiny", "model: &m [*m]", "config-syntax", "release-gate.yml:2:", ""),
    "nested without end": ("model: tiny", "model: " + "[" * 20_000, "config-syntax", "release-gate.yml:", ""),
    "2 MB and more": ("model: tiny", "model: tiny\n#" + "x" * 2_200_000, "config-syntax", "release-gate.yml:", "bytes"),
    "an endless number": ("version: 1", "version: " + "9" * 100_000, "config-invalid", "release-gate.yml:1:1", ""),
    "another language": (
        "model: tiny",
        "model: !!python/object:os.system x",
        "config-syntax",
        "release-gate.yml:2:",
        "tag",
    ),
}


@pytest.mark.parametrize("what", CONFIG_CASES)
def test_a_configuration_that_is_wrong_is_refused_at_its_line(project: Project, what: str) -> None:
    old, new, code, place, words = CONFIG_CASES[what]
    project.replace("release-gate.yml", old, new, commit=False)
    ended = run(project, "check")
    assert {one.code for one in ended.errors} <= {code, "config-invalid"}, (
        "a key that is missing follows from a misspelt one"
    )
    told = next(one for one in ended.errors if one.code == code)
    assert (ended.code, ended.out) == (2, "")
    assert told.text.startswith(place), told.text
    assert words in told.text
    assert len(told.text) < 400
    assert told.remedy
    assert ended.seconds < 10


def test_a_bomb_in_the_other_files_is_refused_too(project: Project) -> None:
    for file, command in (("smoke.yml", "build-candidate"), ("contracts/rows.yml", "schema-check")):
        (project.root / file).write_text(BOMB)
        run(project, command).refused(2, "config-syntax", f"{file}:1:", "aliases")


GONE = {
    "release-gate.yml": ("check", "config-missing", "release-gate init"),
    "contracts/rows.yml": ("schema-check", "file-missing", "correct the path"),
    "data/rows.parquet": ("schema-check", "file-missing", "correct the path"),
    "data/evaluation.parquet": ("build-candidate", "file-missing", "correct the path"),
    "smoke.yml": ("build-candidate", "file-missing", "correct the path"),
    "requirements.txt": ("build-candidate", "lock-missing", "uv lock"),
}


@pytest.mark.parametrize("file", GONE)
def test_a_file_that_is_missing_is_named_with_its_remedy(project: Project, file: str) -> None:
    command, code, remedy = GONE[file]
    (project.root / file).unlink()
    project.commit()
    told = run(project, command).refused(2, code, "" if code == "lock-missing" else file)
    assert remedy in told.remedy


def test_a_missing_file_given_by_an_option_is_named(project: Project) -> None:
    run(project, "check", "--config", "absent.yml").refused(2, "config-missing", "absent.yml")
    run(project, *COMPARISON, "--thresholds", "absent.yml").refused(2, "file-missing", "absent.yml")


def test_data_without_rows_judge_nothing(project: Project) -> None:
    for name in ("rows", "evaluation"):
        path = project.root / "data" / f"{name}.parquet"
        pd.read_parquet(path)[:0].to_parquet(path, index=False)
    project.commit()
    ended = run(project, "check")
    assert {"table-empty", "evaluation-empty"} <= {one.code for one in ended.errors}
    assert ended.code in (1, 2)


def typed(path: Path, change: str) -> None:
    rows = pd.read_parquet(path)
    if change == "text":
        rows["x"] = rows["x"].astype(str)
    elif change == "label":
        rows["late"] = rows["late"].map({True: "yes", False: "no"})
    rows.to_parquet(path, index=False)
    if change == "bytes":
        path.write_bytes(b"id,x,late\n1,0.5,true\n")
    elif change == "half":
        path.write_bytes(path.read_bytes()[:700])
    elif change == "folder":
        path.unlink()
        path.mkdir()


TYPES = {
    "a column of text": ("data/rows.parquet", "text", "schema-check", 1, "column-type"),
    "half a file": ("data/rows.parquet", "half", "schema-check", 2, "file-unreadable"),
    "a folder": ("data/rows.parquet", "folder", "schema-check", 2, "table-format"),
    "evaluation is CSV": ("data/evaluation.parquet", "bytes", "build-candidate", 2, "file-unreadable"),
    "evaluation is a folder": ("data/evaluation.parquet", "folder", "build-candidate", 2, "file-unreadable"),
}


@pytest.mark.parametrize("what", TYPES)
def test_data_of_the_wrong_type_are_named(project: Project, what: str) -> None:
    file, change, command, status, code = TYPES[what]
    typed(project.root / file, change)
    project.commit()
    run(project, command).refused(status, code, file)


def test_labels_that_are_no_labels_are_named(project: Project) -> None:
    typed(project.root / "data" / "evaluation.parquet", "label")
    (project.root / "bars.yml").write_text("[{metric: roc_auc, at_least: 0.5}]")
    run(project, *COMPARISON, "--thresholds", "bars.yml").refused(1, "label-not-numeric", "late", "'yes'")
