"""Gives all traffic back to what was production, when a candidate is taken back."""

from __future__ import annotations

from release_gate.commands.boundary import refused
from release_gate.commands.hands import Hands
from release_gate.findings import Refused
from release_gate.verdict import Finding

DOWN = ("serve-died", "serve-not-ready")
"""What is said of a server that does not come up: all else that keeps one from being started may leave it running."""


def given_back(hands: Hands, digest: str, fence: int) -> list[Finding]:
    """Give all traffic back to what was production; what can't be proven of it, or speaks against it.

    What answers takes it first: before a start its files are proven and its environment is made whole, which may take
    minutes or fail, and the candidate would keep its share meanwhile.
    """

    def effect() -> None:
        if hands.target.answers(digest):
            hands.target.route({digest: 1.0}, fence=fence)
        hands.start(digest)
        hands.target.route({digest: 1.0}, fence=fence)  # it may have been started anew, elsewhere

    problems: list[Finding] = []
    try:
        hands.trying(effect)
    except (Refused, OSError) as error:
        problems += refused(error).findings
        if digest not in hands.target.running() or any(one.code in DOWN for one in problems):
            raise
        hands.target.route({digest: 1.0}, fence=fence)
    try:
        return [*problems, *hands.proven(digest, hands.target.url, {digest})]
    except (Refused, OSError) as error:
        return [*problems, *refused(error).findings]
