"""How far two computations of the same feature may lie apart, as `transforms.tolerance` declares it.

>>> Tolerance.model_validate(either(0.001)).relative
0.001
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from release_gate.verdict import Value

_EXACT = 1e-9
_Difference = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _share(value: float) -> float:
    """Below 1: of a difference as large as the larger value any two positive numbers are within."""
    if value >= 1:
        raise ValueError(
            f"a relative tolerance is a share below 1, such as 0.01; for a difference of so much whatever the value, "
            f"write `absolute`, such as {{absolute: {value:g}}}"
        )
    return value


class Margin(Value):
    """A difference still called equal: a part of the value, or so much whatever the value; the larger counts."""

    relative: Annotated[
        _Difference, AfterValidator(_share), Field(description="part of the value, or of the column's usual size")
    ] = _EXACT
    absolute: Annotated[_Difference, Field(description="so much, whatever the value")] = 0.0


def either(written: Any) -> Any:
    """A number is the relative difference; a mapping is read key by key.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(written, dict | Margin):
        return written
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise ValueError(  # noqa: TRY004 - one kind of error for a wrong value
            "a tolerance is a number (relative), or a mapping of relative and absolute"
        )
    return {"relative": written}


_NUMBER = {"type": "number", "minimum": 0}
_SHARE = {**_NUMBER, "exclusiveMaximum": 1}
_MARGIN = {
    "relative": {**_SHARE, "description": "part of the value, or of the column's usual size"},
    "absolute": {**_NUMBER, "description": "so much, whatever the value"},
}
_ONE = {"anyOf": [_SHARE, {"type": "object", "properties": _MARGIN, "additionalProperties": False}]}


class Tolerance(Margin):
    """The margin of all columns, and of those that have their own."""

    columns: Annotated[
        dict[str, Annotated[Margin, BeforeValidator(either)]], Field(max_length=1000, description="margin by column")
    ] = Field(default_factory=dict)


Declared = Annotated[
    Tolerance,
    BeforeValidator(either),
    WithJsonSchema(
        {
            "anyOf": [
                _SHARE,
                {
                    "type": "object",
                    "properties": {
                        **_MARGIN,
                        "columns": {"type": "object", "additionalProperties": _ONE, "description": "margin by column"},
                    },
                    "additionalProperties": False,
                },
            ],
            "examples": [_EXACT],
        }
    ),
]
"""The value of `transforms.tolerance`: a number for all columns, or a mapping."""
