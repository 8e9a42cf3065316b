"""Keys of a store: relative paths that stay below it."""

from __future__ import annotations


def valid(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: it names nothing below the store: a mistake of ours, never of a user.
    """
    if any(part in ("", ".", "..") or "\0" in part or "\n" in part for part in key.split("/")):
        raise ValueError(f"a key names a file below the store, not {key!r}")
    return key
