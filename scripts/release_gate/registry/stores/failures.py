"""What a store says when the place it stands for does not do what is asked: named, with the cause, without secrets."""

from __future__ import annotations

import re

from release_gate.findings import CannotJudge

LONGEST = 400
SAYING = " can't be reached: "


class Unreachable(CannotJudge):
    """Nobody answered. What was asked may have taken effect, or may still."""


def unreachable(place: str, cause: object) -> Unreachable:
    """The place did not answer."""
    return Unreachable.because("registry-unreachable", f"{place}{SAYING}{one_line(cause)}")


def why(error: Unreachable) -> str:
    """The cause alone, to be told of another place."""
    return error.findings[0].message.rpartition(SAYING)[2]


def one_line(cause: object) -> str:
    """The beginning of a failure's text, on one line, without what may be a credential or a signature."""
    text = " ".join(str(cause).partition("\n\nDebug source")[0].split())
    if (answer := re.search(r"<Code>([^<]*)</Code>(?:\s*<Message>([^<]*)</Message>)?", text)) is not None:
        text = text.partition("<")[0] + ", ".join(part for part in answer.groups() if part)
    text = re.sub(r"://[^/\s@'\"]+@", "://", text)
    text = re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\")]*", r"\1", text)
    text = re.sub(r"(?i)(authorization\s*[:=]\s*)(?:(?:basic|bearer|token)\s+)?\S+", r"\1…", text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
