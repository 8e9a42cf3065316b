"""Data migrations: which of the new files are some, and whether each can be taken back. Read as text, never run.

>>> [one.tool for one in judged(["db/001_a.up.sql"], {"db/001_a.up.sql": "CREATE TABLE t (a int);"})]
['SQL']
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from release_gate.lifecycle import python_migrations, sql_migrations
from release_gate.lifecycle.migration_files import Migration, Problem, way


def judged(new: Iterable[str], texts: Mapping[str, str | None], named: Container[str] = ()) -> list[Migration]:
    """The migrations among new files, by path.

    `texts` holds each new file and each `partner` that is there; None for one that can't be read. Of those
    `named` the configuration says that they are migrations, so one that no tool's reader knows is a problem.
    """
    found: list[Migration] = []
    for name in sorted(set(new)):
        text = texts.get(name)
        if text is None:
            found.append(Migration(name, "unknown", (Problem("unreadable", 1, "it can't be read as text"),)))
            continue
        if name.endswith(".py"):
            migration = python_migrations.read(name, text)
        elif name.endswith(".sql"):
            migration = sql_migrations.read(name, text, texts, named=name in named)
        else:
            migration = None
        if migration is not None:
            found.append(migration)
        elif name in named and way(name) is None:
            told = "it is of no tool that is read here (Alembic, Django, SQL with down files)"
            found.append(Migration(name, "unknown", (Problem("unreadable", 1, told),)))
    return found
