"""The search of one side for rows on which it breaks a promise, kept as it goes on. Loaded by fuzzing.py.

A row may end the process or never come back; then another process goes on behind it, and knows what was found.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAILURES = 5
"""Different failures of one side that are told."""
TOGETHER = -1
"""The place of a call with all rows."""
LONG, MUCH_LONGER = 10.0, 5
"""Seconds, and times as long as is usual here, from which a call is taken for one that does not return."""

Failure = dict[str, Any]


class Found:
    """What is known of one side, in a file: each different failure once, where the search is, what rows it has, until
    when it lasts by the monotonic clock.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.told: dict[str, Failure] = {}
        self.at: int | None = None
        self.size: dict[str, Any] | None = None
        self.until: float | None = None
        self.load = 0.0
        self._began: list[float] = []
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            self._take(json.loads(line))

    def say(self, **words: Any) -> None:
        """Keep a word, for whoever goes on if this process ends."""
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(words) + "\n")
        self._take(words)

    def failed(self, signature: tuple[Any, ...], make: Callable[[], Failure]) -> None:
        """A failure; only the first of its kind is made small."""
        key = json.dumps(signature)
        if key in self.told:
            self.say(again=key)
        elif len(self.told) < FAILURES:
            self.say(key=key, failure=make())

    def at_place(self, place: int) -> None:
        """A call begins: of one row, or of all."""
        self.say(at=place, began=time.monotonic())

    @property
    def hangs(self) -> bool:
        """Whether the call that was made last takes much longer than those before: else the time was just up."""
        if not self._began:
            return True
        *_, last = self._began
        earlier = last - self._began[0]
        usual = earlier if self.at == TOGETHER else earlier / max(1, len(self._began) - 1)
        return time.monotonic() - last > max(LONG, MUCH_LONGER * usual)

    def _take(self, words: dict[str, Any]) -> None:
        self.at = words.get("at", self.at)
        self.load = words.get("load", self.load)
        if "began" in words:
            self._began.append(words["began"])
        self.size, self.until = words.get("size", self.size), words.get("until", self.until)
        if "again" in words:
            self.told[words["again"]]["rows"] += 1
        if "failure" in words:
            self.told[words["key"]] = words["failure"]


class Search:
    """One side on its rows, the first of them ordinary; `tools` are the modules promises, shrinking and ready_tests."""

    def __init__(self, side: Any, frame: Any, found: Found, tools: Any) -> None:
        self._side, self._frame, self._found, self._tools = side, frame, found, tools
        self._plain = tools.shrinking.taken(frame, [0])

    def run(self, *, batches: bool, ended: str | None) -> int:
        """Try what has not been tried, each row alone and then all together; how many rows were.

        `ended` says how the process ended that was here before.
        """
        found = self._found
        start = 0 if found.at is None else found.at + 1
        if ended is not None and found.at is not None:
            self._ended(found.at, ended)
            if found.at == TOGETHER:
                return len(self._frame)
        if found.at is None:
            found.at_place(0)
        if ended is None or start > 1:  # else it is the ordinary row that ended it
            self._side.ask_usual(self._plain)
        for position in range(start, len(self._frame)):
            if self._side.late:
                return position
            found.at_place(position)
            self._alone(self._tools.shrinking.taken(self._frame, [position]))
        for check in (self._side.failure, self._side.reordered) if batches else ():
            if not self._side.late:
                found.at_place(TOGETHER)
                self._together(check)
        return len(self._frame)

    def _alone(self, row: Any) -> None:
        failure = self._side.failure(row)
        if failure is not None:
            small = functools.partial(self._smallest, row, self._side.failure, rows=1, alone=True)
            self._found.failed(self._tools.promises.signature(failure), small)

    def _together(self, check: Callable[[Any], Failure | None]) -> None:
        failure = check(self._frame)
        # What a row does alone it would only do again in the batch.
        if failure is None or json.dumps(self._tools.promises.signature(failure)) in self._found.told:
            return
        rows = self._tools.shrinking.fewest(self._frame, self._failing(check, failure), lambda: self._side.late)
        small = functools.partial(self._smallest, rows, check, rows=len(rows), alone=False)
        self._found.failed(self._tools.promises.signature(failure), small)

    def _ended(self, place: int, how: str) -> None:
        """The failure on rows that ended the process, which nobody may try again."""
        alone = place != TOGETHER
        if not alone and json.dumps(("ended", how, True)) in self._found.told:
            return  # the same row again
        rows = self._tools.shrinking.taken(self._frame, [place]) if alone else self._frame
        facts = {"kind": "raised", "error": how, "file": None, "line": None, "column": None}
        test = self._tools.ready_tests.test(self._side.reference, self._built(rows), facts, None)
        told = {**facts, "side": self._side.name, "columns": [], "test": test, "rows": len(rows), "alone": alone}
        self._found.failed(("ended", how, alone), lambda: told)

    def _failing(self, check: Callable[[Any], Failure | None], wanted: Failure) -> Callable[[Any], bool]:
        """Whether the check still fails in that very way."""
        signature = self._tools.promises.signature

        def fails(frame: Any) -> bool:
            failure = check(frame)
            return failure is not None and bool(signature(failure) == signature(wanted))

        return fails

    def _smallest(self, given: Any, check: Callable[[Any], Failure | None], *, rows: int, alone: bool) -> Failure:
        """The failure on rows as ordinary as they can be, with the columns that matter and a test to paste."""
        side, shrinking = self._side, self._tools.shrinking
        first = check(given)
        if first is None:  # it fails now and then: what was seen is told
            first = {"kind": "raised", "error": "it fails on some calls with these rows, and not on others"}
        fails = self._failing(check, first)
        small, needed = shrinking.ordinary(given, self._plain, fails, lambda: side.late)
        small = shrinking.read(small, self._plain, fails, side.made, lambda: side.late)
        # A transform that fails now and then may not fail again: then what was seen first is told.
        failure = check(small) or first
        try:
            made = side.call(side.present(small))
        except BaseException:  # noqa: BLE001 - that is the failure
            made = None
        facts = {key: failure.get(key) for key in ("kind", "error", "file", "line", "column")}
        test = self._tools.ready_tests.test(side.reference, self._built(small), failure, made)
        return {**facts, "side": side.name, "columns": needed[:20], "test": test, "rows": rows, "alone": alone}

    def _built(self, rows: Any) -> list[str]:
        """The lines of a test that make the rows as the side gets them."""
        tests = self._tools.ready_tests
        made: list[str] = (
            tests.table(rows) if self._side.name == "training" else tests.requests(self._side.requests(rows))
        )
        return made
