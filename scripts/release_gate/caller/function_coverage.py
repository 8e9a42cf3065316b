"""How much of each function the tests ran: coverage.py's own report of it, or from the lines where it has none."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from release_gate.gates.transform_facts import FunctionCoverage
from release_gate.gates.transform_functions import Reached

Function = ast.FunctionDef | ast.AsyncFunctionDef
Called = str | frozenset[int]
MAXIMUM_BYTES = 50 * 1024 * 1024


def join(measured: Path, in_tests: Path) -> None:
    """Put what coverage reports of tests alone beside what it reports of everything, file by file, as `in_tests`.

    Where one of the two can't be read there is no report any more: nobody could tell what a test ran.
    """
    try:
        # Of one that is too large to be coverage's the beginning is no JSON.
        report, tested = (json.loads(_beginning(path)) for path in (measured, in_tests))
        files = {name: {**entry, "in_tests": tested["files"][name]} for name, entry in report["files"].items()}
        measured.write_text(json.dumps({"files": files}), encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        measured.unlink(missing_ok=True)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAXIMUM_BYTES)


def functions_of(entry: dict[str, Any], path: Path) -> tuple[FunctionCoverage, ...]:
    """The functions of a file in coverage's JSON report, in the order of the file; none where it can't be read.

    coverage.py says it by itself from 7.6 on; before, it is counted by the lines of each function. Beside them stand
    the names that are assigned a function of the file.

    Raises:
        KeyError, TypeError, ValueError: the report is not coverage's.
    """
    tree = _tree(path)
    starts = dict(_named(tree, ()))
    tested = entry.get("in_tests", entry)
    everything, found = (_reported(one, starts) for one in (entry, tested))
    reached = {
        name: Reached(**one.model_dump(), loaded=one.percent == 0 < everything[name].percent)
        for name, one in found.items()
        if name in everything
    }
    names = _Assigned(tree, starts, set(reached), set(tested["executed_lines"])).reached(reached)
    return tuple(sorted([*reached.values(), *names], key=lambda one: (one.line or 0, one.name)))


def _reported(entry: dict[str, Any], starts: dict[str, Function]) -> dict[str, FunctionCoverage]:
    reported = entry.get("functions")
    if reported is None:
        return {name: _counted(name, function, starts, entry) for name, function in starts.items()}
    return {
        name: FunctionCoverage(
            name=name,
            percent=float(one["summary"]["percent_covered"]),
            statements=int(one["summary"]["num_statements"]),
            line=starts[name].lineno if name in starts else None,
        )
        for name, one in reported.items()
        if name  # the lines outside of all functions go by no name
    }


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])  # written for a newer Python than ours


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


class _Assigned:
    """The names at the top of a file that are assigned something that can be called, and what a call of it runs."""

    def __init__(self, tree: ast.Module, starts: dict[str, Function], functions: set[str], tested: set[int]) -> None:
        self._starts, self._functions, self._tested = starts, functions, tested
        self._values = dict(_assignments(tree))

    def reached(self, functions: Mapping[str, Reached]) -> Iterator[Reached]:
        """Each such name, as far reached as what it runs."""
        for name, value in self._values.items():
            called = self._called(value, frozenset({name}))
            if name in self._functions or not called:
                continue
            known = [functions[one] for one in called if isinstance(one, str)]
            ran = [len(one & self._tested) for one in called if not isinstance(one, str)]
            yield Reached(
                name=name,
                percent=max([*(one.percent for one in known), *(100.0 for one in ran if one)], default=0.0),
                statements=sum(one.statements for one in known) + len(ran),
                line=value.lineno,
                alias=True,
            )

    def _called(self, value: ast.expr, seen: frozenset[str]) -> list[Called]:
        """Functions by name, lambdas by their lines, any of which running is a call of the value; none where unknown.

        Of a call that is what it is given, as in `partial(function)`, else what it makes: a closure or an object.
        """
        match value:
            case ast.Lambda():
                return [frozenset(range(value.body.lineno, (value.body.end_lineno or value.body.lineno) + 1))]
            case ast.Name(id=name):
                if name in self._functions:
                    return [name]
                if name in self._values and name not in seen:
                    return self._called(self._values[name], seen | {name})
                return []
            case ast.Attribute(value=owner, attr=attribute):
                return self._method(owner, attribute, seen)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                for given in (*arguments, *(one.value for one in keywords)):
                    if found := self._called(given, seen):
                        return found
                return self._made(function, seen)
        inner = (one for one in ast.iter_child_nodes(value) if isinstance(one, ast.expr))
        return [found for one in inner for found in self._called(one, seen)]

    def _method(self, owner: ast.expr, name: str, seen: frozenset[str]) -> list[Called]:
        """A method of a class, of an object made in place, or of one that has a name."""
        while isinstance(owner, ast.Name) and owner.id in self._values and owner.id not in seen:
            seen, owner = seen | {owner.id}, self._values[owner.id]
        method = f"{ast.unparse(owner.func if isinstance(owner, ast.Call) else owner)}.{name}"
        return [method] if method in self._functions else []

    def _made(self, maker: ast.expr, seen: frozenset[str]) -> list[Called]:
        """What a class makes, or a function: one within it, or what it returns."""
        name = ast.unparse(maker)
        if f"{name}.__call__" in self._functions:
            return [f"{name}.__call__"]
        if within := sorted(one for one in self._functions if one.startswith(f"{name}.")):
            return [*within]
        if name not in self._functions or name not in self._starts or name in seen:
            return []
        returned = [one.value for one in ast.walk(self._starts[name]) if isinstance(one, ast.Return) and one.value]
        return [found for one in returned for found in self._called(one, seen | {name})]


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are assigned, not within functions and classes."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Assign | ast.AnnAssign) and inner.value is not None:
            targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
            yield from ((one.id, inner.value) for one in targets if isinstance(one, ast.Name))
        elif not isinstance(inner, ast.ClassDef | Function | ast.expr):
            yield from _assignments(inner)
