"""Small changes of a Python file, one at a time: operators, comparisons, constants. Loaded by mutating.py.

Left out is what no test could notice or should: docstrings, annotations, messages, `__all__` and its like, decorators,
and what runs for type checkers or as a script only.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd,
}  # fmt: skip
_SILENT = {"print", "warn", "debug", "info", "warning", "error", "exception", "critical", "log"}
"""Calls whose arguments are words for people."""
_DATA = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Compare, ast.IfExp, ast.Return)
"""Around a text that is a category or a value; elsewhere it names a column or an option, and any test would notice."""
_TYPES = {"TypeVar", "ParamSpec", "NewType", "cast", "overload"}


class Change(NamedTuple):
    """A place that can be changed: `expression` is what is shown, `apply` changes the tree it was found in.

    `lines` are those of its statement; `function` is the dotted name around it, empty at the top of the module.
    """

    expression: ast.AST
    apply: Callable[[], None]
    function: str
    lines: tuple[int, ...]


def changes(tree: ast.AST) -> list[Change]:
    """Every place that can be changed, in the order of the file."""
    found = _Finder()
    found.visit(tree)
    return found.changes


def mutated(source: str, number: int) -> tuple[ast.Module, str, str]:
    """The tree with the change of that number, and the expression before and after it."""
    tree = ast.parse(source)
    change = changes(tree)[number]
    before = ast.unparse(change.expression)
    change.apply()
    return ast.fix_missing_locations(tree), before, ast.unparse(change.expression)


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._names: list[str] = []
        self._statement: tuple[int, ...] = ()
        self._around: ast.AST | None = None
        self._above: list[ast.AST] = []

    def visit(self, node: ast.AST) -> None:
        """Follow the statement and the expression that a place stands in."""
        statement, around = self._statement, self._around
        if isinstance(node, ast.stmt):
            self._statement, self._around = _lines(node), None
        elif isinstance(node, (ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.keyword)):
            self._around = node
        self._above.append(node)
        super().visit(node)
        self._above.pop()
        self._statement, self._around = statement, around

    def _add(self, shown: ast.AST, apply: Callable[[], None]) -> None:
        self.changes.append(Change(shown, apply, ".".join(self._names), self._statement))

    def _swap(self, owner: Any, field: str, place: int | None = None) -> None:
        operators = getattr(owner, field)
        operator = operators if place is None else operators[place]
        swapped = _SWAPS.get(type(operator))
        if swapped is None:
            return

        def apply() -> None:
            if place is None:
                setattr(owner, field, swapped())
            else:
                operators[place] = swapped()

        self._add(owner, apply)

    def _named(self, node: Any) -> None:
        """A function or class: its name goes before what it holds; decorators and annotations are no behaviour."""
        for default in _defaults(node):
            self.visit(default)
        self._names.append(node.name)
        for inner in node.body:
            self.visit(inner)
        self._names.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _named  # noqa: N815 - the names that ast calls

    def visit_Compare(self, node: ast.Compare) -> None:
        """Each of `a < b < c`."""
        for place in range(len(node.ops)):
            self._swap(node, "ops", place)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Arithmetic, but not the joining of texts: no other operator takes texts."""
        if not any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (node.left, node.right)):
            self._swap(node, "op")
        self.generic_visit(node)

    def _operator(self, node: Any) -> None:
        self._swap(node, "op")
        self.generic_visit(node)

    visit_BoolOp = visit_AugAssign = _operator  # noqa: N815

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """`not x` becomes `not not x`; a negative number loses its sign."""
        if isinstance(node.op, ast.Not):
            operand = node.operand
            self._add(node, lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), operand)))
        else:
            self._swap(node, "op")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A whole number one larger, a fraction doubled, a truth turned round, a text of data one letter longer."""
        value = node.value
        if isinstance(value, bool):
            other: Any = not value
        elif isinstance(value, int):
            other = value + 1
        elif isinstance(value, float):
            other = 2 * value or 1.0
        elif isinstance(value, str) and isinstance(self._above[-2], _DATA):
            other = f"{value}x"
        else:
            return
        if other != value:  # infinity doubled is the same
            self._add(self._around or node, lambda: setattr(node, "value", other))

    def visit_Expr(self, node: ast.Expr) -> None:
        """A bare constant is a docstring."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Names with two underscores before and after speak to Python, not to the model."""
        names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        if not any(name.startswith("__") and name.endswith("__") for name in names):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """The value without the annotation."""
        if node.value is not None:
            self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        """Not what runs for type checkers or as a script only."""
        told = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
        told |= {one.attr for one in ast.walk(node.test) if isinstance(one, ast.Attribute)}
        if told & {"TYPE_CHECKING", "__name__"}:
            for inner in node.orelse:
                self.visit(inner)
        else:
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """The condition without the message."""
        self.visit(node.test)

    def visit_Call(self, node: ast.Call) -> None:
        """Not words for people, nor for type checkers."""
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in _SILENT | _TYPES:
            self.generic_visit(node)

    def _left_out(self, node: ast.AST) -> None:
        """Messages."""

    visit_Raise = visit_JoinedStr = visit_Import = visit_ImportFrom = _left_out  # noqa: N815


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _defaults(node: Any) -> list[ast.AST]:
    arguments = getattr(node, "args", None)
    return [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None] if arguments else []


def _lines(statement: Any) -> tuple[int, ...]:
    """The lines of a statement; of one with a body only its head."""
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) and body else statement.end_lineno
    return tuple(range(statement.lineno, max(statement.lineno, last) + 1))
