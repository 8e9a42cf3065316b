"""One expression for every engine: what another than DuckDB would say or count differently is put into its words."""

from __future__ import annotations

from functools import reduce
from typing import Any

import ibis
import ibis.expr.operations as ops

from release_gate.contracts.pattern_dialects import OF_ENGINE, said_in
from release_gate.tables.cells import reading
from release_gate.tables.relation import Unanswered

_GREATEST = 1.7976931348623157e308
"""The greatest double that is a number."""


def portable(expression: Any, engine: str) -> Any:
    """The expression for an engine, by the name of its Ibis backend.

    Raises:
        Unanswered: the engine has no words for a part of it.
    """

    def said(node: Any, changed: dict[str, Any] | None) -> Any:
        if changed:
            node = node.__recreate__(changed)
        if isinstance(node, ops.RegexSearch):
            return _pattern(node, engine)
        if engine == "sqlite" and isinstance(node, ops.IsNan | ops.IsInf | ops.Modulus | ops.Cast | ops.TryCast):
            return _of_sqlite(node)
        if isinstance(node, ops.CountStar) and node.where is not None:
            # A sum over no rows is null on engines that count by summing.
            return ops.Coalesce((node, ibis.literal(0, "int64").op()))
        if isinstance(node, ops.CountDistinct) and isinstance(node.arg, ops.StructColumn):
            return ops.CountDistinct(_joined(node.arg), where=node.where)
        return node

    return expression.op().replace(said).to_expr()


def _of_sqlite(node: Any) -> Any:
    """It has no infinity, stores NaN as null, loses digits of remainders and moments, and reads no text strictly."""
    if isinstance(node, ops.TryCast):
        return reading(node)
    if isinstance(node, ops.Cast):
        # Moments are written in UTC already, and a cast would cut their microseconds off.
        return node.arg if node.to.is_timestamp() and node.arg.dtype.is_timestamp() else node
    if isinstance(node, ops.Modulus):
        whole = node.left.dtype.is_integer() and node.right.dtype.is_integer()
        return _remainder(node.left.to_expr(), node.right.to_expr()).op() if whole else node
    if isinstance(node, ops.IsNan):
        return ibis.literal(False).op()
    return (node.arg.to_expr().abs() > _GREATEST).op()


@ibis.udf.scalar.python(signature=(("int64", "int64"), "int64"))  # type: ignore[untyped-decorator]
def _remainder(value: int, step: int) -> int:
    """The remainder of whole numbers, exactly; the engine calls it only where neither is null."""
    return value % step


def _pattern(node: Any, engine: str) -> Any:
    if engine not in OF_ENGINE:
        raise Unanswered(f"patterns are not judged on {engine}: its regular expressions are others")
    try:
        return ops.RegexSearch(node.arg, ibis.literal(said_in(node.pattern.value, OF_ENGINE[engine])).op())
    except ValueError as refusal:
        raise Unanswered(str(refusal)) from refusal


def _joined(struct: Any) -> Any:
    """Several values as one text, each with its length before it, for engines that don't compare structs."""
    texts = [value.to_expr().cast("string") for value in struct.values]
    parts = [text.length().cast("string") + ":" + text for text in texts]
    return reduce(lambda before, part: before + part, parts).op()
