"""Migrations written in Python (Alembic, Django): whether each can be taken back, read from its syntax tree alone."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from release_gate.lifecycle.migration_files import Migration, Problem
from release_gate.lifecycle.sql_migrations import losses, silenced

_DROPS = {"drop_column", "drop_table"}
_SILENT = {"print", "debug", "info", "warning", "getLogger"}
"""Calls that change nothing in a database."""
_LOSES = {"RemoveField": "removes a field", "DeleteModel": "deletes a model"}
_REVERSED_BY = {"RunPython": "reverse_code", "RunSQL": "reverse_sql"}
_DEEPEST = 100

Function = ast.FunctionDef | ast.AsyncFunctionDef


def read(name: str, text: str) -> Migration | None:
    """One Python file; None for what is no migration."""
    alembic, django = "down_revision" in text, "Migration" in text and "django" in text
    if not (alembic or django):
        return None
    tool = "Alembic" if alembic else "Django"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of a stranger's escapes is not our output
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = getattr(error, "lineno", None) or 1
        return Migration(name, tool, (Problem("unreadable", at, f"it is not readable as Python: {_words(error)}"),))
    if alembic and _assigns(tree, "down_revision"):
        return Migration(name, "Alembic", tuple(_alembic(tree)))
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == "Migration"]
    if django and classes:
        return Migration(name, "Django", tuple(_django(tree, classes[0])))
    return None


def _words(error: BaseException) -> str:
    return " ".join(str(getattr(error, "msg", "") or type(error).__name__).split())[:200]


def _assigns(tree: ast.Module, name: str) -> bool:
    targets: list[ast.expr] = []
    for one in tree.body:
        if isinstance(one, ast.Assign):
            targets += one.targets
        elif isinstance(one, ast.AnnAssign):
            targets.append(one.target)
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


# Alembic


def _alembic(tree: ast.Module) -> Iterator[Problem]:
    functions = {one.name: one for one in tree.body if isinstance(one, Function)}
    # With several databases the functions are called upgrade_<name>; `upgrade` then only chooses among them.
    ups = [name for name in functions if name == "upgrade" or name.startswith("upgrade_")]
    for up in ups:
        if not _does_something(functions[up]):
            continue
        down = up.replace("upgrade", "downgrade", 1)
        found = functions.get(down)
        if found is None:
            yield Problem("irreversible", functions[up].lineno, f"it has no function `{down}`")
        elif (raised := next((one for one in found.body if isinstance(one, ast.Raise)), None)) is not None:
            yield Problem("irreversible", raised.lineno, f"`{down}` raises an error")
        elif not _does_something(found):
            yield Problem("irreversible", found.lineno, f"`{down}` does nothing, while `{up}` does something")
    for function in _reached(functions, ups):
        yield from _dropped(function)


def _does_something(function: Function) -> bool:
    """Whether a function calls anything that may change a database, before it returns."""
    for statement in function.body:
        if isinstance(statement, ast.Return) and statement.value is None:
            return False
        if any(isinstance(one, ast.Call) and _called(one) not in _SILENT for one in ast.walk(statement)):
            return True
    return False


def _reached(functions: dict[str, Function], start: list[str]) -> list[Function]:
    """The functions of a file that these lead to by name, themselves included."""
    seen: dict[str, Function] = {}
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in functions and name not in seen:
            seen[name] = functions[name]
            waiting += [one.id for one in ast.walk(functions[name]) if isinstance(one, ast.Name)]
    return sorted(seen.values(), key=lambda one: one.lineno)


def _dropped(function: Function) -> Iterator[Problem]:
    for one in ast.walk(function):
        if isinstance(one, ast.Call) and _called(one) in _DROPS:
            what = ", ".join(repr(arg.value) for arg in one.args if isinstance(arg, ast.Constant))
            yield Problem("loses", one.lineno, f"{_called(one)}({what[:200]})")
        elif isinstance(one, ast.Call) and _called(one) == "execute":
            yield from _dropped_by_sql(one)


def _dropped_by_sql(call: ast.AST) -> Iterator[Problem]:
    for one in ast.walk(call):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            for _, words in losses(silenced(one.value)):
                yield Problem("loses", one.lineno, words)


def _called(call: ast.Call) -> str:
    """The last name of what is called: `drop_column` of `op.drop_column(…)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


# Django


def _django(tree: ast.Module, migration: ast.ClassDef) -> Iterator[Problem]:
    operations = _Operations(tree)
    for statement in migration.body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(one, ast.Name) and one.id == "operations" for one in targets) and statement.value is not None:
            yield from operations.problems(statement.value)


class _Operations:
    """Reads lists of operations: through names that the file assigns, and names given by `import … as …`."""

    def __init__(self, tree: ast.Module) -> None:
        imports = [one for one in tree.body if isinstance(one, ast.ImportFrom)]
        self._renamed = {alias.asname: alias.name for one in imports for alias in one.names if alias.asname}
        self._values: dict[str, ast.expr] = {}
        self._seen: set[str] = set()
        for one in tree.body:
            if isinstance(one, ast.Assign):
                self._values |= {target.id: one.value for target in one.targets if isinstance(target, ast.Name)}

    def problems(self, written: ast.expr, depth: int = 0) -> Iterator[Problem]:
        """Problems of an expression that makes a list; one that is not written out can't be known."""
        if depth > _DEEPEST:
            yield _unknown(written)
        elif isinstance(written, ast.List | ast.Tuple):
            for one in written.elts:
                yield from self._element(one, depth + 1)
        elif isinstance(written, ast.BinOp) and isinstance(written.op, ast.Add):
            yield from self.problems(written.left, depth + 1)
            yield from self.problems(written.right, depth + 1)
        elif isinstance(written, ast.Name) and written.id in self._values:
            if written.id not in self._seen:  # once is enough, and names that lead to each other end
                self._seen.add(written.id)
                yield from self.problems(self._values[written.id], depth + 1)
        else:
            yield _unknown(written)

    def _element(self, written: ast.expr, depth: int) -> Iterator[Problem]:
        if isinstance(written, ast.Name):
            written = self._values.get(written.id, written)
        if isinstance(written, ast.Starred):
            yield from self.problems(written.value, depth)
        elif isinstance(written, ast.Call):
            yield from self._operation(written, depth)
        else:
            yield _unknown(written)

    def _operation(self, call: ast.Call, depth: int) -> Iterator[Problem]:
        name = _called(call)
        name = self._renamed.get(name, name)
        given = {one.arg: one.value for one in call.keywords if one.arg}
        if name in _REVERSED_BY:
            key = _REVERSED_BY[name]
            back = given.get(key, call.args[1] if len(call.args) > 1 else None)
            if back is None or (isinstance(back, ast.Constant) and back.value is None):
                yield Problem("irreversible", call.lineno, f"{name} without {key}")
            if name == "RunSQL":
                yield from _dropped_by_sql(given.get("sql", call.args[0] if call.args else call))
        elif name in _LOSES:
            named = [one.value for one in (*call.args, *given.values()) if isinstance(one, ast.Constant)]
            what = ".".join(one for one in named if isinstance(one, str))
            yield Problem("loses", call.lineno, f"{name} {_LOSES[name]}: {what}"[:200])
        elif name == "SeparateDatabaseAndState":
            # What stands under state_operations changes Django's picture only, and no database.
            inner = given.get("database_operations", call.args[0] if call.args else None)
            if inner is not None:
                yield from self.problems(inner, depth + 1)


def _unknown(written: ast.expr) -> Problem:
    return Problem("unreadable", written.lineno, "its operations are not written out as a list")
