"""The last lines of an output that may be endless: a ring bounded in lines and in bytes.

>>> tail = Tail()
>>> tail.feed(b"one\\ntwo\\nthr")
>>> tail.feed(b"ee")
>>> tail.text()
'one\\ntwo\\nthree'
"""

from __future__ import annotations

import codecs
from collections import deque

LINES = 200
CHARACTERS = 64_000
WIDTH = 2_000
"""Of a longer line the beginning is kept; the rest is counted."""


class Tail:
    """Fed with bytes in any pieces; keeps at most `LINES` lines and `CHARACTERS` characters."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines: deque[str] = deque()
        self._held = 0
        self._open = ""
        self._beyond = 0
        self._returned = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; what is not UTF-8 becomes a replacement character."""
        *whole, rest = self._decoder.decode(piece).split("\n")
        if len(whole) > LINES:
            # All before them would be dropped one by one: a command that floods must not cost us its time.
            whole = whole[-LINES:]
            self._lines.clear()
            self._held, self._open, self._beyond, self._returned = 0, "", 0, False
        for part in whole:
            self._extend(part)
            self._close()
        self._extend(rest)

    def _extend(self, part: str) -> None:
        for index, piece in enumerate(part.split("\r")):
            self._returned = self._returned or index > 0
            if not piece:
                continue
            if self._returned:  # a carriage return starts the line over, as progress bars do
                self._open, self._beyond, self._returned = "", 0, False
            room = WIDTH - len(self._open)
            self._open += piece[:room]
            self._beyond += max(0, len(piece) - room)

    def _close(self) -> None:
        self._lines.append(self._shown())
        self._held += len(self._lines[-1]) + 1
        self._open, self._beyond, self._returned = "", 0, False
        while len(self._lines) > LINES or self._held > CHARACTERS:
            self._held -= len(self._lines.popleft()) + 1

    def _shown(self) -> str:
        return self._open + (f" … ({self._beyond} characters more)" if self._beyond else "")

    @property
    def last(self) -> str:
        """The line being written, or the one before it while that is empty."""
        return self._shown() or (self._lines[-1] if self._lines else "")

    def text(self) -> str:
        """The lines held, without the final line end."""
        lines = [*self._lines, *([self._shown()] if self._open else [])]
        return "\n".join(lines[-LINES:])[-CHARACTERS:]
