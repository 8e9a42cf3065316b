"""The words of the caller's commands and how they ended, by the name this room knows them."""

from release_gate.commandlines import failed, filled, last_lines

__all__ = ["failed", "filled", "last_lines"]
