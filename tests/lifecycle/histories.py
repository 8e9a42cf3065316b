"""Histories written in one line: kinds and packages, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release_gate.lifecycle.events import Event, Schedule, Stage

PACKAGES = [f"sha256:{number:064x}" for number in range(4)]
AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEDULE = Schedule(
    stages=(Stage(share=0.05, seconds=60.0), Stage(share=0.5, seconds=60.0), Stage(share=1.0, seconds=60.0)),
    lease=30.0,
)


def history(*kinds: tuple[str, str | None], replaces: str | None = None) -> list[Event]:
    """One event a second; `kind/blocks` blocks, `kind/serves` serves on registration."""
    return [
        Event(
            sequence=number,
            at=AT + timedelta(seconds=number),
            actor="octo-air",
            kind=kind.partition("/")[0],
            package=package,
            serves="on-registration" if kind.endswith("/serves") else None,
            blocks=True if kind.endswith("/blocks") else None,
            schedule=SCHEDULE if kind == "deployed" else None,
            step=1 if kind in ("stepping", "stepped") else None,
            replaces=replaces if kind.startswith("roll") else None,
            because="why",
        )
        for number, (kind, package) in enumerate(kinds, start=1)
    ]
