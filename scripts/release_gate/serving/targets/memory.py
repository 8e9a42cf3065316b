"""What every target remembers in the same way: what is good, what is owed, and the configuration it went by."""

from __future__ import annotations

from collections.abc import Sequence

from release_gate.edges import Clock
from release_gate.files import write_whole
from release_gate.lifecycle.restoration import Restored
from release_gate.serving.standing import CONFIGURATION, Standing, StandingFile
from release_gate.verdict import Finding


class Remembering:
    """The part of a target that touches no traffic."""

    def __init__(self, file: StandingFile, clock: Clock) -> None:
        self._file, self._clock = file, clock

    @property
    def problems(self) -> Sequence[Finding]:
        """What was found broken in the file and put right."""
        return tuple(self._file.problems)

    @property
    def standing(self) -> Standing:
        """All that is remembered."""
        return self._file.read()

    def owes(self) -> tuple[str, ...]:
        """What is owed to the ledger since each restoration, the oldest first."""
        return self._file.read().owed

    def paid(self, owed: str | None, fence: int) -> None:
        """That event is owed no more; a decision older than `fence` is refused from here on."""

        def settled(standing: Standing) -> Standing:
            # Only what was paid: another rollback may have come to owe its own since that was read.
            left = tuple(one for one in standing.owed if one != owed)
            return standing.model_copy(update={"owed": left, "fence": max(fence, standing.fence)})

        self._file.change(settled)

    def obeyed(self) -> int:
        """The newest decision that reached it."""
        return self._file.read().fence

    def restored(self) -> Restored | None:
        """What the last rollback gave all traffic to, None since a release shared it anew."""
        return self._file.read().restored

    def answers(self, digest: str) -> bool | None:
        """Whether it answers without being made ready first; None where nobody can tell."""
        return None

    def keep(self, digest: str, fence: int | None = None) -> None:
        """Remember a version as known to be good, the latest first; not by an older decision than the one obeyed."""

        def kept(standing: Standing) -> Standing:
            older = fence is not None and (standing.fence > fence or standing.owed)
            return standing if older else standing.keeping(digest)

        self._file.change(kept)

    def forget(self, digest: str) -> None:
        """A version is not known to be good any more."""
        self._file.change(
            lambda standing: standing.model_copy(update={"kept": tuple(one for one in standing.kept if one != digest)})
        )

    def kept(self) -> tuple[str, ...]:
        """The versions known to be good, the latest first."""
        return self._file.read().kept

    def remember(self, configuration: bytes) -> None:
        """Keep the configuration that a release went by."""
        write_whole(self._file.folder / CONFIGURATION, configuration)

    def remembered(self) -> bytes | None:
        """The configuration of the latest release."""
        try:
            return (self._file.folder / CONFIGURATION).read_bytes()
        except OSError:
            return None

    def close(self) -> None:
        """Nothing is held open between calls. What serves goes on serving."""
