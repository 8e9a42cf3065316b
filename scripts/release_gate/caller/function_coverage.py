"""How much of each function the tests ran: coverage.py's own report of it, or from the lines where it has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release_gate.gates.transform_facts import FunctionCoverage

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(entry: dict[str, Any], path: Path) -> tuple[FunctionCoverage, ...]:
    """The functions of a file in coverage's JSON report, in the order of the file; none where it can't be read.

    coverage.py says it by itself from 7.6 on; before, it is counted by the lines of each function.

    Raises:
        KeyError, TypeError, ValueError: the report is not coverage's.
    """
    starts = _starts(path)
    reported = entry.get("functions")
    if reported is None:
        return tuple(_counted(name, function, starts, entry) for name, function in starts.items())
    found = [
        FunctionCoverage(
            name=name,
            percent=float(one["summary"]["percent_covered"]),
            statements=int(one["summary"]["num_statements"]),
            line=starts[name].lineno if name in starts else None,
        )
        for name, one in reported.items()
        if name  # the lines outside of all functions go by no name
    ]
    return tuple(sorted(found, key=lambda one: (one.line or 0, one.name)))


def _starts(path: Path) -> dict[str, Function]:
    try:
        return dict(_named(ast.parse(path.read_bytes()), ()))
    except (OSError, SyntaxError, ValueError):
        return {}  # written for a newer Python than ours


def _named(node: ast.AST, around: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
    for inner in ast.iter_child_nodes(node):
        named = isinstance(inner, ast.ClassDef | Function)
        names = (*around, inner.name) if isinstance(inner, ast.ClassDef | Function) else around
        if named and not isinstance(inner, ast.ClassDef):
            yield ".".join(names), inner  # type: ignore[misc] # a function, by the line above
        yield from _named(inner, names)


def _counted(name: str, function: Function, others: dict[str, Function], entry: dict[str, Any]) -> FunctionCoverage:
    """By lines: those of the body, without those of functions within."""
    own = set(range(function.body[0].lineno, (function.end_lineno or function.lineno) + 1))
    for other, inner in others.items():
        if other.startswith(f"{name}."):
            own -= set(range(inner.body[0].lineno, (inner.end_lineno or inner.lineno) + 1))
    ran, missed = (len(own & set(entry[key])) for key in ("executed_lines", "missing_lines"))
    percent = 100.0 * ran / (ran + missed) if ran + missed else 100.0
    return FunctionCoverage(name=name, percent=percent, statements=ran + missed, line=function.lineno)
