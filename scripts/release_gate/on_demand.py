"""Modules that are imported when one of their names is first asked for."""

from __future__ import annotations

import importlib
from typing import Any


class _OnDemand:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


def on_demand(name: str) -> Any:
    """Stands for a module that takes long to import and that often nobody asks for anything."""
    return _OnDemand(name)


ibis = on_demand("ibis")
"""Takes a quarter of a second, half of what a small table takes."""
