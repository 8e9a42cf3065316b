"""Lets a decision reach the traffic only when none newer was made: fence, effect and read-back under one lock.

>>> differing({"a": 0.05, "b": 0.95}, {"a": 0.0502, "b": 0.9498})
False
>>> differing({"a": 1.0}, {"a": 0.5, "b": 0.5})
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from release_gate.findings import CannotJudge, finding
from release_gate.lifecycle.restoration import Restored
from release_gate.serving.standing import Running, Standing, StandingFile
from release_gate.serving.targets.memory import Remembering
from release_gate.serving.targets.target import Fenced

TOLERANCE = 0.005
"""How far a share may be from the one declared: proxies know whole-numbered weights."""

Apply = Callable[[Mapping[str, float], Standing], Standing]
"""Puts shares into effect; returns what is remembered from then on."""
Decide = Callable[[Standing], Standing]
"""What is remembered of a decision before it has any effect; raises `Fenced` where a newer one was made."""


class Routing(Remembering):
    """A target whose shares change under the fence only: `_apply` puts them into effect, `routed` reads them back."""

    def route(self, shares: Mapping[str, float], *, fence: int) -> None:
        """Give each version its share, and have the target itself say so."""

        def decided(standing: Standing) -> Standing:
            _obey(standing, fence)
            return standing.released([one for one in shares if shares[one] != 0], fence)

        route(self._file, shares, decided=decided, apply=self._apply, read=self.routed)

    def restore(
        self,
        digest: str,
        *,
        replaces: str | None = None,
        fence: int | None = None,
        owes: str = "",
        instead: str | None = None,
    ) -> None:
        """All traffic to one version by a rollback."""

        def decided(standing: Standing) -> Standing:
            standing = standing.restoring(Restored(package=digest, replaces=replaces))
            if fence is None:
                return standing.owing(owes, instead)
            _obey(standing, fence)
            return standing.model_copy(update={"fence": fence})

        route(self._file, {digest: 1.0}, decided=decided, apply=self._apply, read=self.routed)

    def routed(self) -> dict[str, float]:
        """The shares that the target itself says it routes."""
        raise NotImplementedError

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        raise NotImplementedError


def route(
    file: StandingFile,
    shares: Mapping[str, float],
    *,
    decided: Decide,
    apply: Apply,
    read: Callable[[], Mapping[str, float]],
) -> None:
    """Put shares into effect, once what was decided is remembered.

    Raises:
        Fenced: what `decided` raises: a newer decision was routed, or one that the ledger does not know yet.
        CannotJudge: `route-not-taken`.
        ValueError: shares that are no parts of 1: a mistake of ours.
    """
    asked = {digest: share for digest, share in shares.items() if share != 0}
    if not math.isclose(math.fsum(asked.values()), 1, abs_tol=1e-9) or min(asked.values()) < 0:
        raise ValueError(f"{dict(shares)} are no parts of 1")
    with file.held():
        standing = decided(file.read())
        # First: whoever is older must be refused from here on, even if we are killed now.
        _write(file, standing)
        standing = apply(asked, standing)
        got = read()
        _write(file, standing.model_copy(update={"shares": dict(got)}))
        if differing(asked, got):
            raise CannotJudge.because("route-not-taken", f"asked for {shown(asked)}, but it routes {shown(got)}")


def _obey(standing: Standing, fence: int) -> None:
    if standing.fence > fence or standing.owed:
        raise Fenced(standing.fence)


def _write(file: StandingFile, standing: Standing) -> None:
    """Remember it. What restores goes on where that fails, as on a full disk: it is said, and the traffic goes back."""
    try:
        file.write(standing)
    except OSError as error:
        if standing.restored is None:
            raise
        if all(one.code != "standing-unwritten" for one in file.problems):
            message = f"{file.folder} takes no file: {error.strerror}; what this rollback has to remember is not kept"
            file.problems.append(finding("standing-unwritten", message))


def started(standing: Standing, digest: str) -> Running:
    """The server of a version that is to take traffic.

    Raises:
        CannotJudge: `version-not-started`.
    """
    running = standing.running.get(digest)
    if running is None or running.stopping:
        raise CannotJudge.because("version-not-started", f"{digest} can't take traffic: its server was not started")
    return running


def differing(asked: Mapping[str, float], got: Mapping[str, float]) -> bool:
    """Whether what is routed is not what was asked for."""
    return set(asked) != {one for one in got if got[one] > 0} or any(
        abs(share - got[one]) > TOLERANCE for one, share in asked.items()
    )


def shown(shares: Mapping[str, float]) -> str:
    """Shares in words, the largest first."""
    ordered = sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{share:.4g} to {name}" for name, share in ordered) or "nothing"
