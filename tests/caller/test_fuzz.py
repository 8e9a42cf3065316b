"""Transforms tried by a real second Python on rows of a contract; what is printed is run as a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from release_gate.caller.environments import given_environment
from release_gate.caller.fuzz import MAXIMUM_BYTES, fuzzed, parsed
from release_gate.caller.processes import Processes
from release_gate.config import Transforms
from release_gate.contracts.contract import Column, Contract, Kind, OnInvalid, OnNull, Policy, Rule, RuleKind
from release_gate.gates.transform_fuzz import Fuzz, FuzzFailure, part
from release_gate.verdict import Severity

REJECT = Policy(on_null=OnNull.REJECT, on_invalid=OnInvalid.REJECT)
KEEP = Policy(on_null=OnNull.KEEP, on_invalid=OnInvalid.REJECT)
CONTRACT = Contract(
    name="rows",
    version="1.0.0",
    columns=(
        Column("id", Kind.INTEGER, policy=REJECT, unique=True),
        Column("x", Kind.INTEGER, (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 9)), REJECT),
        Column("n", Kind.NUMBER, (Rule(RuleKind.AT_LEAST, 0), Rule(RuleKind.AT_MOST, 5)), KEEP),
        Column("kind", Kind.STRING, policy=REJECT),
        Column("at", Kind.TIMESTAMP, policy=REJECT, zone=True),
    ),
)
SAFE = "def serving(frame):\n    return frame[['x']]\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = {
        "id": range(5),
        "x": [1, 2, 3, 4, 5],
        "n": [1.0, None, 2.0, 3.0, 4.0],
        "kind": list("abcde"),
        "at": pd.date_range("2024-01-01", periods=5, tz="America/New_York", unit="us"),
        "undeclared": list("vwxyz"),
    }
    pd.DataFrame(rows).to_parquet(tmp_path / "rows.parquet")
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


def tried(
    root: Path,
    runner: Processes,
    code: str,
    *,
    contract: Contract = CONTRACT,
    data: str = "rows.parquet",
    **more: object,
) -> Fuzz:
    (root / "features.py").write_text(code + SAFE * ("def serving" not in code))
    features = more.pop("features", None)
    assert features is None or isinstance(features, Contract)
    declared = {"training": "features:training", "serving": "features:serving", "fuzz": {"rows": 120}, **more}
    return fuzzed(
        Transforms.model_validate(declared),
        contract,
        root / data,
        features=features,
        root=root,
        environment=given_environment(Path(sys.executable), root),
        runner=runner,
    )


def failing(root: Path, one: FuzzFailure) -> str:
    """Run the printed test as a person would paste it; what pytest says of its failure."""
    (root / "test_pasted.py").write_text(one.test)
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "test_pasted.py"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout
    return done.stdout


def test_transforms_that_keep_every_promise_fail_nowhere(root: Path, runner: Processes) -> None:
    found = tried(root, runner, "def training(frame):\n    return frame[['x', 'at']]\n")
    assert found.failed is None
    assert (found.failures, found.rows, found.columns, found.filled) == ((), 120, 6, ("undeclared",))
    assert found.tried == {"training": 120, "serving": 120}


def test_rows_have_the_types_of_the_data(root: Path, runner: Processes) -> None:
    code = """
import pandas as pd
REAL = pd.read_parquet("rows.parquet")
def training(frame):
    assert list(frame.columns) == list(REAL.columns)
    assert (frame.dtypes == REAL.dtypes).all(), frame.dtypes
    return frame
"""
    assert tried(root, runner, code).failures == ()
    assert tried(root, runner, code.replace("parquet", "csv"), data="rows.csv").failures == ()


def test_a_null_that_the_contract_keeps_is_found_in_serving_and_printed_as_a_test(
    root: Path, runner: Processes
) -> None:
    code = """
def training(frame):
    return frame[["x"]]

def serving(frame):
    return [{"n": row["n"] + 1} for row in frame.to_dict("records")]
"""
    (one,) = tried(root, runner, code).failures
    assert (one.side, one.kind, one.columns, one.file, one.line) == ("serving", "raised", ("n",), "features.py", 6)
    assert "TypeError" in failing(root, one)


def test_the_failing_row_is_as_ordinary_as_can_be(root: Path, runner: Processes) -> None:
    code = """
def training(frame):
    if ((frame["x"] == 9) & frame["n"].isna()).any():
        raise ValueError("both")
    return frame[["x"]]
"""
    (one,) = tried(root, runner, code, fuzz={"rows": 600}).failures
    assert one.columns == ("x", "n")
    assert '"x": pd.Series([9], dtype="int64")' in one.test
    # What is not read does not stand in the test.
    assert "kind" not in one.test
    assert "ValueError: both" in failing(root, one)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("frame['y'] = 1\n    return frame", "input-changed", "it added y"),
        ("frame['x'] += 1\n    return frame[['x']]", "input-changed", "it changed x"),
        ("return frame.dropna(subset=['n'])[['x']]", "rows-changed", "it was given 1 and returned 0"),
        ("return frame[['x']].sort_values('x')", "reordered", "another order"),
        ("return frame[['x']].sort_values('x').reset_index(drop=True)", "reordered", "another order"),
    ],
)
def test_each_promise_that_is_broken_is_printed_as_a_test_that_fails(
    root: Path, runner: Processes, body: str, kind: str, said: str
) -> None:
    (one,) = tried(root, runner, f"def training(frame):\n    {body}\n").failures
    assert one.kind == kind
    assert said in one.error
    failing(root, one)


def test_what_only_a_batch_breaks_is_shown_with_as_few_rows_as_it_takes(root: Path, runner: Processes) -> None:
    code = "def training(frame):\n    if len(frame) > 2:\n        raise KeyError('three')\n    return frame[['x']]\n"
    (one,) = tried(root, runner, code).failures
    assert (one.alone, one.rows) == (False, 3)
    assert "KeyError" in failing(root, one)


def test_a_feature_that_its_contract_forbids_is_found(root: Path, runner: Processes) -> None:
    rules = Rule(RuleKind.AT_MOST, 8), Rule(RuleKind.AT_LEAST, 0)
    features = Contract("f", "1.0.0", (Column("x", Kind.NUMBER, rules, REJECT), Column("n", Kind.NUMBER, (), REJECT)))
    code = "def training(frame):\n    return frame[['x', 'n']]\n"
    found = tried(root, runner, code, features=features).failures
    assert {(one.side, one.column, one.error) for one in found} == {
        ("training", "x", "'x' is 9; it must be at most 8"),
        ("training", "n", "'n' is null"),
        ("serving", "x", "'x' is 9; it must be at most 8"),
    }
    for one in found:
        failing(root, one)


def test_what_the_features_contract_mends_itself_is_not_held_against_the_transform(
    root: Path, runner: Processes
) -> None:
    mends = Policy(on_null=OnNull.IMPUTE, on_invalid=OnInvalid.CLIP)
    features = Contract("f", "1.0.0", (Column("n", Kind.NUMBER, (Rule(RuleKind.AT_MOST, 1),), mends),))
    code = "def training(frame):\n    return frame[['n']]\n"
    assert tried(root, runner, code, features=features).failures == ()


def test_a_serving_transform_of_one_row_by_design_is_not_given_more(root: Path, runner: Processes) -> None:
    code = """
def training(frame):
    return frame[["x"]]

def serving(frame):
    (x,) = frame["x"]
    return {"x": x}
"""
    assert [one.side for one in tried(root, runner, code).failures] == ["serving"]
    assert tried(root, runner, code, serving_rows="one").failures == ()


def test_a_slow_transform_ends_the_search_and_that_is_told(root: Path, runner: Processes) -> None:
    code = "import time\ndef training(frame):\n    time.sleep(0.05)\n    return frame[['x']]\n"
    found = tried(root, runner, code, fuzz={"rows": 120, "limit": "1s"})
    assert found.ended
    assert 0 < found.tried["training"] < 120


ENDS = """
import asyncio, os, time
def training(frame):
    return frame[["x"]]

def serving(frame):
    if (frame["x"] == 9).any():
        ENDING
    return frame[["x"]]
"""


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("os._exit(0)", "the process ended with status 0"),
        ("os.kill(os.getpid(), 11)", "the process ended by SIGSEGV"),
        ("raise asyncio.CancelledError", "CancelledError"),
    ],
)
def test_a_row_that_ends_the_process_is_found_and_the_rest_is_tried(
    root: Path, runner: Processes, ending: str, said: str
) -> None:
    also = 'assert not frame["n"].isna().any()\n    return'
    code = ENDS.replace("ENDING", ending).replace("return", also, 1)
    found = tried(root, runner, code)
    one, other = sorted(found.failures, key=lambda failure: failure.side)
    assert (one.side, one.kind) == ("serving", "raised")
    assert said in one.error
    assert one.rows >= 1
    assert (other.side, other.columns) == ("training", ("n",)), "what the other side broke is kept"
    assert found.tried == {"training": 120, "serving": 120}
    assert '"x": 9' in one.test


def test_a_row_on_which_a_transform_never_returns_is_named(root: Path, runner: Processes) -> None:
    code = ENDS.replace("ENDING", "time.sleep(600)")
    found = tried(root, runner, code, fuzz={"rows": 20, "limit": "10s"})
    assert [(one.side, one.error) for one in found.failures] == [("serving", "it does not return")], found
    (one,) = found.failures
    assert '"x": 9' in one.test
    assert found.ended


def test_edges_for_which_there_are_too_few_rows_are_told(root: Path, runner: Processes) -> None:
    kinds = Column("kind", Kind.STRING, (Rule(RuleKind.ONE_OF, tuple(f"kind {one}" for one in range(50))),), REJECT)
    code = "def training(frame):\n    return frame[['x']]\n"
    found = tried(root, runner, code, contract=Contract("rows", "1.0.0", (kinds,)), fuzz={"rows": 30})
    assert found.untried == {"kind": 20}
    (told,) = part(found, "c.yml").findings
    assert (told.code, told.severity, told.message) == (
        "fuzz-unproven", Severity.NOTE, "30 rows are too few for 20 edges of kind"
    )  # fmt: skip
    assert "transforms.fuzz.rows" in told.remedy


def test_a_transform_that_is_only_slow_raises_nothing(root: Path, runner: Processes) -> None:
    code = "import time\ndef training(frame):\n    time.sleep(0.4 * len(frame))\n    return frame[['x']]\n"
    found = tried(root, runner, code, fuzz={"rows": 40, "limit": "24s"})
    assert (found.failures, found.ended) == ((), True)


def test_lists_in_cells_that_are_left_alone_are_unchanged(root: Path, runner: Processes) -> None:
    frame = pd.read_parquet(root / "rows.parquet")
    frame["undeclared"] = pd.Series([{"tags": [["a"], []], "n": one} for one in range(5)])
    frame.to_parquet(root / "rows.parquet")
    code = "def training(frame):\n    return frame[['x']]\n"
    assert tried(root, runner, code).failures == ()
    code = "def training(frame):\n    frame['undeclared'].iloc[0]['n'] += 1\n    return frame[['x']]\n"
    assert [one.kind for one in tried(root, runner, code).failures] == ["input-changed"]


def test_moments_are_held_to_bounds_with_a_zone_or_none(root: Path, runner: Processes) -> None:
    code = """
import datetime, pandas as pd
def training(frame):
    noon = datetime.time(12)
    return pd.DataFrame({
        "naive": [pd.Timestamp("2021-05-10")] * len(frame),
        "zoned": [pd.Timestamp("2021-05-10", tz="Asia/Tokyo")] * len(frame),
        "noon": [noon] * len(frame),
    })
def serving(frame):
    return training(frame)
"""
    least = Rule(RuleKind.AT_LEAST, "2020-01-01T00:00:00Z"), Rule(RuleKind.AT_MOST, "2022-01-01T00:00:00")
    moments = [Column(name, Kind.TIMESTAMP, least, REJECT) for name in ("naive", "zoned")]
    times = Column("noon", Kind.TIME, (Rule(RuleKind.AT_LEAST, "00:00:00"),), REJECT)
    features = Contract("features", "1.0.0", (*moments, times))
    assert tried(root, runner, code, features=features).failures == ()
    late = Column("noon", Kind.TIME, (Rule(RuleKind.AT_LEAST, "13:00:00"),), REJECT)
    found = tried(root, runner, code, features=Contract("features", "1.0.0", (*moments, late))).failures
    assert {one.column for one in found} == {"noon"}
    assert "assert" in failing(root, found[0])


def test_what_training_leaves_in_memory_does_not_answer_for_serving(root: Path, runner: Processes) -> None:
    code = """
MEAN = None
def training(frame):
    global MEAN
    MEAN = frame["x"].mean()
    return frame[["x"]]

def serving(frame):
    return frame[["x"]] - MEAN + MEAN
"""
    found = tried(root, runner, code)
    assert [(one.side, one.kind) for one in found.failures] == [("serving", "raised")]


def test_a_feature_that_some_rows_do_not_have_is_found(root: Path, runner: Processes) -> None:
    features = Contract("features", "1.0.0", (Column("n", Kind.NUMBER, policy=KEEP), Column("x", Kind.INTEGER)))
    code = "def training(frame): return frame[['x', 'n']].dropna(axis=1)\ndef serving(frame): return training(frame)\n"
    found = tried(root, runner, code, features=features)
    assert {(one.side, one.kind, one.column) for one in found.failures} == {
        ("training", "forbidden", "n"), ("serving", "forbidden", "n")
    }  # fmt: skip
    for one in found.failures:
        assert "it makes no 'n'" in one.error
        failing(root, one)


def test_features_without_names_of_their_own_are_held_to_their_contract(root: Path, runner: Processes) -> None:
    features = Contract("features", "1.0.0", (Column("n", Kind.NUMBER, policy=REJECT), Column("x", Kind.INTEGER)))
    code = """
def training(frame):
    return frame[["x", "n"]].fillna(0)

def serving(frame):
    return frame[["x", "n"]].astype(float).to_numpy()
"""
    (one,) = tried(root, runner, code, features=features).failures
    assert (one.side, one.kind, one.column) == ("serving", "forbidden", "n")


def test_rows_that_are_alike_in_what_they_are_sorted_by_are_reordered_too(root: Path, runner: Processes) -> None:
    code = """
def training(frame):
    return frame.sort_values("at", kind="stable").reset_index(drop=True)[["id", "x"]]
"""
    assert [one.kind for one in tried(root, runner, code).failures] == ["reordered"]


def test_serving_is_given_whole_numbers_beside_a_null(root: Path, runner: Processes) -> None:
    frame = pd.read_parquet(root / "rows.parquet").astype({"x": "Int64"})
    frame.loc[0, "x"] = None
    frame.to_parquet(root / "rows.parquet")
    code = """
def training(frame):
    return frame[["id"]]

def serving(frame):
    assert not any(isinstance(one, float) and one == one for one in frame["x"].astype(object)), frame["x"]
    return frame[["id"]]
"""
    assert tried(root, runner, code, serving_rows="one").failures == ()


def test_days_are_held_to_bounds_that_are_days(root: Path, runner: Processes) -> None:
    least = Rule(RuleKind.AT_LEAST, "2023-01-01")
    code = """
import datetime, pandas as pd
def training(frame):
    return pd.DataFrame({"day": [datetime.date(YEAR, 5, 10)] * len(frame)})
def serving(frame):
    return training(frame)
"""
    features = Contract("features", "1.0.0", (Column("day", Kind.DATE, (least,), REJECT),))
    assert tried(root, runner, code.replace("YEAR", "2023"), features=features).failures == ()
    one, _ = tried(root, runner, code.replace("YEAR", "2022"), features=features).failures
    assert one.error == "'day' is '2022-05-10'; it must be at least 2023-01-01"
    assert "assert" in failing(root, one)


def test_values_of_a_sensitive_column_are_never_taken_from_the_data(root: Path, runner: Processes) -> None:
    secret = Policy(on_null=OnNull.REJECT, sensitive=True)
    contract = Contract("c", "1.0.0", (CONTRACT.columns[1], Column("undeclared", Kind.ARRAY, policy=secret)))
    found = tried(root, runner, "def training(frame):\n    return frame[['x']]\n", contract=contract)
    assert found.failed == "no values can be made for 'undeclared', and those of the data are sensitive"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os\nos._exit(3)\n", "the training transform could not be tried: the process ended with status 3"),
        ("raise OSError('no disk')\n", "OSError: no disk"),
    ],
)
def test_a_search_that_breaks_says_why(root: Path, runner: Processes, code: str, said: str) -> None:
    assert said in str(tried(root, runner, code).failed)


def test_a_table_without_a_column_of_the_contract_can_not_be_tried(root: Path, runner: Processes) -> None:
    found = tried(root, runner, "", contract=Contract("c", "1.0.0", (Column("other", Kind.NUMBER),)))
    assert "no column of the contract" in str(found.failed)


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"rows": -1}', b'{"failures": [{}]}', b" " * (MAXIMUM_BYTES + 1)])
def test_a_result_that_is_not_ours_is_no_result(text: bytes) -> None:
    assert parsed(text).failed is not None
