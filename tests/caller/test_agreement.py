"""Training and serving compared by a real second Python."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from release_gate.caller.agreement import MAXIMUM_BYTES, compared, parsed
from release_gate.caller.environments import given_environment
from release_gate.caller.processes import Processes
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
    runner: Processes, data: Path, code: str, *, training: str = "training", serving: str = "serving", **options: float
) -> Agreement:
    root = data.parent
    (root / "features.py").write_text(code)
    return compared(
        f"features:{training}",
        f"features:{serving}",
        data,
        root=root,
        environment=given_environment(Path(sys.executable), root),
        runner=runner,
        rows=int(options.get("rows", 60)),
        tolerance=options.get("tolerance", 1e-9),
        limit=options.get("limit", 60),
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
        found = agreement(runner, data, code, serving=serving)
        assert (found.columns, found.disagreements) == (4, ())


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
    assert "longer than 2 s" in str(agreement(runner, data, code, limit=2).failed)


def test_a_transform_that_crashes_python_is_said(runner: Processes, data: Path) -> None:
    code = "import os\ndef training(frame): os.kill(os.getpid(), 11)\nserving = training\n"
    assert "status -11" in str(agreement(runner, data, code).failed)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"rows": -1}', b'{"rows": NaN}', b'{"more": 1}', b" " * (MAXIMUM_BYTES + 1)]
)
def test_a_result_that_is_not_ours_is_no_agreement(text: bytes) -> None:
    assert parsed(text).failed is not None
