"""Ibis as DuckDB speaks it: types read from DuckDB's words, expressions compiled to its SQL.

Ibis' package of compilers opens that of every engine it knows, each with a dialect of its own: a tenth of the time of
a small scan. Here its own modules are opened at once, and the package only when somebody asks it for something.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

import ibis

_PACKAGE = "ibis.backends.sql.compilers"
_OPENING = threading.RLock()


class _Unopened(ModuleType):
    """The package before its own code has run, which the first question for one of its names lets run."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if (name.startswith("__") and name != "__all__") or spec is None or spec.loader is None:
            raise AttributeError(name)
        with _OPENING:
            if type(self) is _Unopened:  # not by another thread meanwhile
                spec.loader.exec_module(self)
                self.__class__ = ModuleType  # type: ignore[assignment]
        return getattr(self, name)


def _compiler() -> Any:
    spec = importlib.util.find_spec(_PACKAGE) if _PACKAGE not in sys.modules else None
    if spec is not None:
        package = importlib.util.module_from_spec(spec)
        package.__class__ = _Unopened
        sys.modules[_PACKAGE] = package
        above, _, own = _PACKAGE.rpartition(".")
        setattr(sys.modules[above], own, package)
    return importlib.import_module(f"{_PACKAGE}.duckdb").compiler


_COMPILER = _compiler()
_TYPES = importlib.import_module("ibis.backends.sql.datatypes").DuckDBType


def as_sql(expression: Any) -> str:
    """The query of an Ibis expression."""
    return str(_COMPILER.to_sqlglot(expression.unbind()).sql(dialect=_COMPILER.dialect))


def dtype_of(kind: str) -> Any:
    """The Ibis data type of DuckDB's own word for it.

    Raises:
        RecursionError: it is nested too deep.
    """
    return _TYPES.from_string(kind)


def table_of(name: str, columns: dict[str, Any]) -> Any:
    """A table of DuckDB by its name, with the types of its columns."""
    return ibis.table(columns, name=name)
