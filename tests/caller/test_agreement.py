"""Training and serving compared by a real second Python."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.caller.agreement import MAXIMUM_BYTES, compared, parsed
from release_gate.caller.environments import given_environment
from release_gate.caller.processes import Processes
from release_gate.config import Transforms
from release_gate.gates.transform_facts import Agreement

FEATURES = """
import pandas as pd

def training(frame):
    return pd.DataFrame({
        "ratio": frame["amount"] / frame["count"],
        "hour": frame["at"].dt.hour,
        "kind": frame["kind"].map({"a": 0.0, "b": 1.0}),
        "known": frame["amount"].notna(),
    }, index=frame.index)

def serving(frame):
    frame = frame.assign(at=pd.to_datetime(frame["at"]), amount=frame["amount"].astype("float64"))
    return training(frame)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(7)
    rows = 500
    frame = pd.DataFrame(
        {
            "amount": random.normal(100, 30, rows),
            "count": random.integers(1, 9, rows),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 500_000, rows), unit="min"),
            "kind": np.where(np.arange(rows) == 331, "rare", random.choice(["a", "b"], rows)),
        }
    )
    frame.loc[[13, 257], "amount"] = np.nan
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    return tmp_path / "rows.parquet"


def agreement(
    runner: Processes,
    data: Path,
    code: str,
    *,
    training: str = "training",
    serving: str = "serving",
    outputs: Path | None = None,
    texts: Sequence[str] = (),
    **options: Any,
) -> Agreement:
    root = data.parent
    (root / "features.py").write_text(code)
    given = {"rows": 60, "limit": "60s", **options}
    return compared(
        Transforms.model_validate({"training": f"features:{training}", "serving": f"features:{serving}", **given}),
        data,
        root=root,
        environment=given_environment(Path(sys.executable), root),
        runner=runner,
        texts=texts,
        outputs=outputs,
    )


def test_two_sides_that_agree_differ_nowhere(runner: Processes, data: Path) -> None:
    found = agreement(runner, data, FEATURES)
    assert found.failed is None
    assert found.disagreements == ()
    assert found.columns == 4
    assert 50 <= found.rows <= 60
    assert found.files == (str(data.parent / "features.py"),)


def test_a_unit_changed_on_one_side_names_the_column_the_count_and_examples(runner: Processes, data: Path) -> None:
    found = agreement(runner, data, FEATURES.rstrip() + '.assign(ratio=lambda made: made["ratio"] * 1.609)\n')
    (one,) = found.disagreements
    assert one.column == "ratio"
    assert one.count >= found.rows - 4  # all but the nulls, which agree
    example = one.examples[0]
    rows = pd.read_parquet(data)
    expected = rows["amount"][example.row] / rows["count"][example.row]
    assert example.training == pytest.approx(expected)
    assert example.serving == pytest.approx(expected * 1.609)


@pytest.mark.parametrize(
    ("change", "row", "column"),
    [
        ('made["known"] = True', 13, "known"),  # only null amounts show it
        ('made["kind"] = made["kind"].fillna(9.0)', 331, "kind"),  # only one rare value shows it
    ],
)
def test_a_difference_on_rare_rows_is_found_since_they_are_sampled_first(
    runner: Processes, data: Path, change: str, row: int, column: str
) -> None:
    code = FEATURES + f"\ndef changed(frame):\n    made = serving(frame)\n    {change}\n    return made\n"
    (one,) = agreement(runner, data, code, serving="changed", rows=30).disagreements
    assert one.column == column
    assert one.examples[0].row == row


def test_a_category_code_that_depends_on_the_other_rows_is_found(runner: Processes, data: Path) -> None:
    code = FEATURES + '\ndef both(frame):\n    return pd.DataFrame({"k": frame["kind"].astype("category").cat.codes})\n'
    (one,) = agreement(runner, data, code, training="both", serving="both").disagreements
    assert one.column == "k"


def test_a_difference_within_the_tolerance_is_none(runner: Processes, data: Path) -> None:
    code = FEATURES.rstrip() + '.assign(ratio=lambda made: made["ratio"] * (1 + 1e-7))\n'
    assert agreement(runner, data, code).disagreements
    assert not agreement(runner, data, code, tolerance=1e-6).disagreements


def test_columns_of_one_side_and_another_order_are_said(runner: Processes, data: Path) -> None:
    code = FEATURES + '\ndef other(frame):\n    return serving(frame)[["kind", "hour", "ratio"]].assign(extra=1)\n'
    found = agreement(runner, data, code, serving="other")
    assert found.only_training == ("known",)
    assert found.only_serving == ("extra",)
    assert found.reordered


@pytest.mark.parametrize("side", ["training", "serving"])
def test_a_transform_that_raises_is_said_with_its_place(runner: Processes, data: Path, side: str) -> None:
    code = FEATURES + '\ndef bad(frame):\n    raise KeyError("no such thing")\n'
    found = agreement(runner, data, code, **{side: "bad"})  # type: ignore[arg-type]
    (raised,) = found.raised
    assert (raised.side, raised.error, raised.file) == (side, "KeyError: 'no such thing'", "features.py")
    assert raised.line == len(code.splitlines())
    assert raised.row == (None if side == "training" else 0)
    assert raised.rows == found.rows


def test_serving_that_raises_on_nulls_only_is_compared_on_the_rest(runner: Processes, data: Path) -> None:
    code = FEATURES + '\ndef strict(frame):\n    float(frame["amount"].iloc[0])\n    return serving(frame)\n'
    found = agreement(runner, data, code, serving="strict")
    (raised,) = found.raised
    assert raised.row == 13
    assert raised.rows < 5
    assert found.columns == 4
    assert not found.disagreements


def test_a_join_that_drops_rows_is_said(runner: Processes, data: Path) -> None:
    found = agreement(
        runner, data, FEATURES + "\ndef fewer(frame):\n    return training(frame).dropna()\n", training="fewer"
    )
    (changed,) = found.changed
    assert (changed.side, changed.given) == ("training", found.rows)
    assert changed.returned < changed.given


def test_serving_that_drops_its_row_is_said(runner: Processes, data: Path) -> None:
    found = agreement(
        runner, data, FEATURES + "\ndef fewer(frame):\n    return serving(frame).dropna()\n", serving="fewer"
    )
    (changed,) = found.changed
    assert (changed.side, changed.given, changed.returned, changed.row) == ("serving", 1, 0, 13)


def test_training_may_sort_as_long_as_it_keeps_the_index(runner: Processes, data: Path) -> None:
    code = FEATURES + '\ndef ordered(frame):\n    return training(frame.sort_values("amount"))\n'
    assert not agreement(runner, data, code, training="ordered").disagreements


def test_serving_may_return_a_dictionary_or_an_array(runner: Processes, data: Path) -> None:
    code = FEATURES + "\ndef record(frame):\n    return serving(frame).to_dict('records')[0]\n"
    code += "\ndef array(frame):\n    return serving(frame).to_numpy(dtype='float64')\n"
    for serving in ("record", "array"):
        found = agreement(runner, data, code, serving=serving, serving_rows="one")
        assert (found.columns, found.disagreements, found.modes) == (4, (), ("alone",))
    found = agreement(runner, data, code, serving="array")
    assert (found.disagreements, found.modes) == ((), ("alone", "together", "few", "shuffled"))
    assert [one.column for one in found.retyped] == ["known"]  # an array of numbers has no booleans


def test_serving_that_answers_one_row_by_design_is_told_of_when_it_is_asked_for_more(
    runner: Processes, data: Path
) -> None:
    code = FEATURES + "\ndef record(frame):\n    return serving(frame).to_dict('records')[0]\n"
    found = agreement(runner, data, code, serving="record")
    (changed,) = found.changed
    assert (changed.mode, changed.given, changed.returned) == ("together", found.rows, 1)
    assert found.modes == ("alone",)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        # Row by row there is nothing to rank, to average or to take from the row before.
        ('made["ratio"] = made["ratio"].rank()', {"alone", "together", "few", "shuffled"}),
        ('made["ratio"] = made["ratio"].mean() if len(made) > 20 else made["ratio"]', {"together", "shuffled"}),
        ('made["ratio"] = made["ratio"].where(made.index != 6, 0.0)', {"together", "few", "shuffled"}),
        ('made["hour"] = made["hour"].max() if len(made) == 7 else made["hour"]', {"few"}),
    ],
)
def test_features_that_depend_on_the_other_rows_of_a_request_are_found(
    runner: Processes, data: Path, change: str, asked: set[str]
) -> None:
    code = FEATURES + f"\ndef changed(frame):\n    made = serving(frame)\n    {change}\n    return made\n"
    (one,) = agreement(runner, data, code, serving="changed").disagreements
    assert set(one.modes) == asked


def test_features_that_depend_on_the_order_of_rows_are_found(runner: Processes, data: Path) -> None:
    change = 'made["ratio"] = made["ratio"] if frame["at"].is_monotonic_increasing else 0.0'
    code = FEATURES + f"\ndef changed(frame):\n    made = serving(frame)\n    {change}\n    return made\n"
    pd.read_parquet(data).sort_values("at").to_parquet(data, index=False)
    (one,) = agreement(runner, data, code, serving="changed").disagreements
    assert one.modes == ("shuffled",)
    assert agreement(runner, data, code, serving="changed", serving_rows="one").disagreements == ()


def test_a_request_of_several_rows_may_be_answered_sorted_as_long_as_the_index_stays(
    runner: Processes, data: Path
) -> None:
    code = FEATURES + '\ndef ordered(frame):\n    return serving(frame.sort_values("amount"))\n'
    assert agreement(runner, data, code, serving="ordered").disagreements == ()
    dropped = code.replace('"amount")', '"amount", ignore_index=True)')
    (one, *_) = agreement(runner, data, dropped, serving="ordered").disagreements
    assert set(one.modes) == {"together", "few", "shuffled"}


def test_serving_that_raises_on_several_rows_is_said_once_with_the_way_it_was_asked(
    runner: Processes, data: Path
) -> None:
    code = FEATURES + "\ndef single(frame):\n    frame['amount'].item()\n    return serving(frame)\n"
    found = agreement(runner, data, code, serving="single")
    (raised,) = found.raised
    assert (raised.mode, raised.rows, raised.file) == ("together", found.rows, "features.py")


def test_a_row_that_serving_raises_on_alone_is_left_out_of_batches(runner: Processes, data: Path) -> None:
    code = FEATURES + '\ndef strict(frame):\n    frame["amount"].astype(float).pipe(lambda a: 1 / a.notna().all())\n'
    code = code.replace("1 / a", "{True: 1}[bool(a").replace(".all())\n", ".all())])\n    return serving(frame)\n")
    found = agreement(runner, data, code, serving="strict")
    (raised,) = found.raised
    assert raised.mode == "alone"
    assert found.modes == ("alone", "together", "few", "shuffled")


def test_a_column_may_have_a_tolerance_of_its_own(runner: Processes, data: Path) -> None:
    code = FEATURES.rstrip() + '.assign(ratio=lambda made: made["ratio"] * 1.01, hour=lambda made: made["hour"] + 1)\n'
    assert len(agreement(runner, data, code).disagreements) == 2
    own = {"relative": 1e-9, "columns": {"ratio": 0.02, "hour": {"absolute": 1}}}
    assert agreement(runner, data, code, tolerance=own).disagreements == ()
    (one,) = agreement(runner, data, code, tolerance={"absolute": 0.5, "columns": {"ratio": 0.02}}).disagreements
    assert one.column == "hour"


def test_a_tolerance_of_a_column_that_is_not_made_is_told(runner: Processes, data: Path) -> None:
    assert agreement(runner, data, FEATURES, tolerance={"columns": {"ration": 0.1}}).unused == ("ration",)


def test_values_that_are_equal_and_of_another_kind_are_told(runner: Processes, data: Path) -> None:
    code = FEATURES.rstrip() + '.assign(known=lambda made: made["known"].astype(int))\n'
    found = agreement(runner, data, code)
    (one,) = found.retyped
    assert (one.column, one.training, one.serving) == ("known", "boolean", "number")
    assert found.disagreements == ()


def test_the_features_of_both_sides_are_kept_for_their_contract(runner: Processes, data: Path) -> None:
    outputs = data.parent / "made"
    outputs.mkdir()
    code = FEATURES.rstrip() + '.assign(kind=lambda made: made["kind"] * float("nan"))\n'
    found = agreement(runner, data, code, outputs=outputs)
    assert found.failed is None
    assert [(one.side, one.file) for one in found.outputs] == [
        ("training", "training.parquet"),
        ("serving", "serving.parquet"),
    ]
    training, serving = (pd.read_parquet(outputs / f"{side}.parquet") for side in ("training", "serving"))
    assert len(training) == len(serving) == found.rows
    assert list(training["ratio"].dropna()) == pytest.approx(list(serving["ratio"].dropna()))
    # A column without a value says nothing of its type; there it is training's.
    assert (serving.dtypes["known"], serving.dtypes["ratio"], serving.dtypes["kind"]) == (bool, float, float)


def test_features_of_no_common_type_are_not_kept_and_the_cause_is_said(runner: Processes, data: Path) -> None:
    outputs = data.parent / "made"
    outputs.mkdir()
    code = (
        FEATURES + '\ndef mixed(frame):\n    return pd.DataFrame({"x": [1, "a"] * (len(frame) // 2)}, dtype=object)\n'
    )
    found = agreement(runner, data, code, training="mixed", outputs=outputs)
    assert found.outputs[0].file is None
    assert "Arrow" in str(found.outputs[0].error)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("training = serving = 3", "training is a int, not a function"),
        ("def trainin(frame): ...", "has no function 'training'; did you mean 'trainin'?"),
        ("def fit(frame): ...\ndef _training(frame): ...", "has no function 'training'; it has fit"),
        ("x = 1", "has no function 'training'; it has none"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_transform_that_cannot_be_loaded_is_said(runner: Processes, data: Path, code: str, said: str) -> None:
    found = agreement(runner, data, code)
    assert said in found.missing[0].error
    assert found.rows == 0


def test_the_file_that_defines_a_function_is_found_behind_wrappers_and_re_exports(
    runner: Processes, data: Path
) -> None:
    (data.parent / "deep.py").write_text(FEATURES)
    code = "import functools, deep\nfrom deep import training\n"
    code += "@functools.wraps(deep.serving)\ndef wrapped(frame): return deep.serving(frame)\n"
    code += "serving = functools.partial(wrapped)\n"
    assert agreement(runner, data, code).files == (str(data.parent / "deep.py"),)


def test_a_transform_from_elsewhere_is_refused(runner: Processes, data: Path) -> None:
    found = agreement(runner, data, "from pandas import DataFrame as training\nserving = training\n")
    assert "outside the repository" in found.missing[0].error
    assert found.files == ()


def test_a_module_of_the_caller_may_have_the_name_of_one_of_ours(runner: Processes, data: Path) -> None:
    for name in ("comparing", "sampling", "transforms", "supervise"):
        (data.parent / f"{name}.py").write_text(f"NAME = 'mine {name}'\n")
    code = "import comparing, sampling, transforms, supervise\n" + FEATURES
    code += "\nassert [m.NAME[:4] for m in (comparing, sampling, transforms, supervise)] == ['mine'] * 4\n"
    assert agreement(runner, data, code).disagreements == ()


def test_an_empty_table_has_no_rows(runner: Processes, data: Path) -> None:
    pd.read_parquet(data).iloc[:0].to_parquet(data)
    assert agreement(runner, data, FEATURES).rows == 0


def test_csv_is_read_too(runner: Processes, data: Path) -> None:
    pd.read_parquet(data).to_csv(data.with_suffix(".csv"), index=False)
    code = FEATURES.replace('frame["at"].dt', 'pd.to_datetime(frame["at"]).dt')
    found = agreement(runner, data.with_suffix(".csv"), code)
    assert (found.columns, found.disagreements, found.failed) == (4, (), None)


def test_a_file_that_is_no_table_is_said(runner: Processes, data: Path) -> None:
    data.write_text("not parquet")
    assert "ArrowInvalid" in str(agreement(runner, data, FEATURES).failed)


def test_a_transform_that_hangs_is_ended(runner: Processes, data: Path) -> None:
    code = "import time\ndef training(frame): time.sleep(600)\nserving = training\n"
    assert "longer than 2 s" in str(agreement(runner, data, code, limit="2s").failed)


def test_what_training_leaves_in_memory_does_not_answer_for_serving(runner: Processes, data: Path) -> None:
    code = """
MEAN = 0
def training(frame):
    global MEAN
    MEAN = frame["count"].mean()
    return frame[["count"]] - MEAN

def serving(frame):
    return frame[["count"]] - MEAN
"""
    found = agreement(runner, data, code)
    assert [(one.column, one.count) for one in found.disagreements] == [("count", found.rows)]


def test_a_table_with_things_of_the_caller_s_own_is_compared_by_its_values(runner: Processes, data: Path) -> None:
    code = """
import decimal
import pandas as pd

class Own(pd.DataFrame):
    pass

class Grade:
    def __init__(self, letter): self.letter = letter
    def __str__(self): return self.letter

def training(frame):
    made = Own({"grade": [Grade(one) for one in frame["kind"]], "count": frame["count"]})
    made.attrs["log"] = lambda: None
    return made

def serving(frame):
    return pd.DataFrame({"grade": [Grade(one.upper() if one == "rare" else one) for one in frame["kind"]],
                         "count": frame["count"]})
"""
    (found,) = agreement(runner, data, code).disagreements
    assert (found.column, found.count) == ("grade", 1)
    assert (found.examples[0].training, found.examples[0].serving) == ("rare", "RARE")


def test_no_module_of_training_comes_along_to_serving(runner: Processes, data: Path) -> None:
    (data.parent / "learning.py").write_text(
        "import pandas as pd, state\nstate.FACTOR = 2\n"
        "class Own(pd.DataFrame): pass\n"
        "def training(frame): return Own({'count': frame['count'] * 2})\n"
    )
    (data.parent / "state.py").write_text("FACTOR = 1\n")
    code = "import state\ndef serving(frame): return frame[['count']] * state.FACTOR\n"
    (data.parent / "features.py").write_text(code)
    asked = {"training": "learning:training", "serving": "features:serving", "rows": 60, "limit": "60s"}
    found = compared(
        Transforms.model_validate(asked), data, root=data.parent, runner=runner,
        environment=given_environment(Path(sys.executable), data.parent),
    )  # fmt: skip
    assert [(one.column, one.count) for one in found.disagreements] == [("count", found.rows)]


def test_serving_is_given_what_the_file_holds(runner: Processes, data: Path) -> None:
    table = pa.table({"code": pa.array([2, None, 4], pa.int64()), "zip": ["007", "123", "456"]})
    pq.write_table(table, data)
    code = "def training(frame): return frame[['code']].astype(str)\ndef serving(frame): return training(frame)\n"
    (found,) = agreement(runner, data, code, serving_rows="one").disagreements
    assert (found.column, found.examples[0].training, found.examples[0].serving) == ("code", "2.0", "2")
    table.to_pandas().to_csv(data.with_suffix(".csv"), index=False)
    code = code.replace("code", "zip")
    root = data.with_suffix(".csv")
    assert agreement(runner, root, code, serving_rows="one").disagreements == ()
    (found,) = agreement(runner, root, code, serving_rows="one", texts=["zip"]).disagreements
    assert (found.count, found.examples[0].training, found.examples[0].serving) == (1, "7", "007")


def test_what_one_call_does_to_its_request_is_no_other_s(runner: Processes, data: Path) -> None:
    frame = pd.DataFrame({"cell": [{"width": one} for one in (1.0, 2.0, 3.0)]})
    frame.to_parquet(data)
    code = """
def training(frame):
    for cell in frame["cell"]:
        cell["width"] *= 2.54
    return frame["cell"].map(lambda cell: cell["width"]).to_frame()

def serving(frame):
    return frame["cell"].map(lambda cell: cell["width"]).to_frame()
"""
    found = agreement(runner, data, code)
    assert [(one.count, one.modes) for one in found.disagreements] == [(3, ("alone", "together", "shuffled"))]


def test_a_transform_that_crashes_python_is_said(runner: Processes, data: Path) -> None:
    code = "import os\ndef training(frame): os.kill(os.getpid(), 11)\nserving = training\n"
    (raised,) = agreement(runner, data, code).raised
    assert (raised.side, raised.error) == ("training", "the process ended by SIGSEGV")
    code = "import os\ndef training(frame): return frame\ndef serving(frame): os.kill(os.getpid(), 11)\n"
    assert "status -11" in str(agreement(runner, data, code).failed)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"rows": -1}', b'{"rows": NaN}', b'{"more": 1}', b" " * (MAXIMUM_BYTES + 1)]
)
def test_a_result_that_is_not_ours_is_no_agreement(text: bytes) -> None:
    assert parsed(text).failed is not None
