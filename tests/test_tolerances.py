"""Tolerances as they are written: a number, or a mapping with margins of single columns."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from release_gate.tolerances import Declared, Margin, Tolerance

DECLARED: TypeAdapter[Tolerance] = TypeAdapter(Declared)


def test_a_number_is_relative_and_holds_for_all_columns() -> None:
    assert DECLARED.validate_python(0.01) == Tolerance(relative=0.01)
    assert DECLARED.validate_python(0) == Tolerance(relative=0.0)


def test_a_column_has_its_own_margin_as_a_number_or_a_mapping() -> None:
    found = DECLARED.validate_python({"absolute": 2, "columns": {"x": 0.1, "y": {"absolute": 0.5}}})
    assert (found.relative, found.absolute) == (1e-9, 2.0)
    assert found.columns == {"x": Margin(relative=0.1), "y": Margin(absolute=0.5)}


def test_what_was_read_is_read_again_the_same() -> None:
    found = DECLARED.validate_python({"columns": {"x": 0.1}})
    assert DECLARED.validate_python(found) == found
    assert DECLARED.validate_python(found.model_dump()) == found


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("much", ()),
        (True, ()),
        (None, ()),
        (-1, ("relative",)),
        (float("nan"), ("relative",)),
        (1, ("relative",)),
        (5, ("relative",)),
        ({"relative": 1.0}, ("relative",)),
        ({"columns": {"x": 5}}, ("columns", "x", "relative")),
        ({"relatve": 1}, ("relatve",)),
        ({"columns": {"x": "much"}}, ("columns", "x")),
        ({"columns": {"x": {"absolute": -1}}}, ("columns", "x", "absolute")),
    ],
)
def test_anything_else_is_refused_at_its_place(written: Any, place: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        DECLARED.validate_python(written)
    assert refusal.value.errors()[0]["loc"] == place


def test_a_relative_difference_of_the_whole_value_is_refused_with_what_to_write_instead() -> None:
    for written in (1, 5, {"columns": {"x": {"relative": 2}}}):
        with pytest.raises(ValidationError, match=r"a share below 1, such as 0\.01.*`absolute`"):
            DECLARED.validate_python(written)
    assert DECLARED.validate_python(0.999).relative == 0.999
    assert DECLARED.validate_python({"absolute": 5, "columns": {"x": {"absolute": 1}}}).absolute == 5


def test_editors_are_told_the_same_bounds() -> None:
    schema = DECLARED.json_schema()
    for relative in (schema["anyOf"][0], schema["anyOf"][1]["properties"]["relative"]):
        assert (relative["minimum"], relative["exclusiveMaximum"]) == (0, 1)
    one = schema["anyOf"][1]["properties"]["columns"]["additionalProperties"]["anyOf"]
    assert one[0]["exclusiveMaximum"] == one[1]["properties"]["relative"]["exclusiveMaximum"] == 1
    assert "exclusiveMaximum" not in schema["anyOf"][1]["properties"]["absolute"]
