from __future__ import annotations

import pyarrow as pa
import pytest
from ibis.formats.pyarrow import PyArrowType

from release_gate.contracts import storage
from release_gate.contracts.contract import Kind
from release_gate.contracts.found import described

ARROW = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float64(), pa.bool_(), pa.string(), pa.date32(), pa.date64(), pa.decimal128(9, 2)),
    *(pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.time32("ms"), pa.time64("us")),
]


@pytest.mark.parametrize("arrow", ARROW, ids=str)
def test_arrows_own_spelling_stays_and_means_the_same_type(arrow: pa.DataType) -> None:
    assert storage.exact(str(arrow)) == str(arrow)
    assert storage.kind(str(arrow)) is described(PyArrowType.to_ibis(arrow)).kind


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("Int64", "int64"),
        ("float64", "double"),
        ("datetime64[us]", "timestamp[us]"),
        ("datetime64[ns, UTC]", "timestamp[ns, tz=UTC]"),
        ("boolean", "bool"),
        ("string[pyarrow]", "string"),
        ("decimal(9,2)", "decimal128(9, 2)"),
        ("Decimal(28, 0)", "decimal128(28, 0)"),
        ("timestamp[us, tz=UTC][pyarrow]", "timestamp[us, tz=UTC]"),
        ("int8[pyarrow]", "int8"),
        ("Datetime(time_unit='us', time_zone='UTC')", "timestamp[us, tz=UTC]"),
        ("Datetime(time_unit='ns', time_zone=None)", "timestamp[ns]"),
        ("date", "date32[day]"),
        ("float", None),
        ("VARCHAR(20)", None),
        ("", None),
    ],
)
def test_other_spellings_become_arrows_and_unknown_ones_nothing(written: str, exact: str | None) -> None:
    assert storage.exact(written) == exact
    assert storage.kind(written) == (None if exact is None else storage.kind(exact))


def test_float32_is_arrows_float() -> None:
    assert (storage.exact("float32"), storage.kind("float32")) == ("float", Kind.NUMBER)


@pytest.mark.parametrize("arrow", [pa.int8(), pa.uint8(), pa.int64(), pa.uint64()], ids=str)
def test_the_limits_of_an_integer_type_are_arrows(arrow: pa.DataType) -> None:
    limits = storage.limits(str(arrow))
    assert limits is not None
    for value in limits:
        assert pa.scalar(value, arrow).as_py() == value
    for beyond in (limits[0] - 1, limits[1] + 1):
        with pytest.raises((pa.ArrowInvalid, OverflowError)):
            pa.scalar(beyond, arrow)
    assert storage.limits("double") is None
