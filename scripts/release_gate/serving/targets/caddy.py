"""A Caddy of our own: started where none runs, and steered without ever being reloaded."""

from __future__ import annotations

from collections.abc import Mapping

from release_gate.counts import Counts
from release_gate.edges import Clock, Daemons, Session
from release_gate.files import make_folder, write_whole
from release_gate.findings import CannotJudge
from release_gate.rollouts import Caddy as Declared
from release_gate.serving.standing import Running, Standing, StandingFile
from release_gate.serving.targets import fencing
from release_gate.serving.targets.caddy_admin import Admin
from release_gate.serving.targets.caddy_answers import Answers
from release_gate.serving.targets.caddy_config import EMPTY, SLOTS, Entry, entries, host_port, line
from release_gate.serving.targets.instances import Instances
from release_gate.serving.targets.target import Version


class Caddy(fencing.Routing):
    """The target `caddy`. `slow` is the bound above which its answers count as slow.

    `restoring`: what another folder of state steers is taken over, once our own line says who serves instead.
    """

    def __init__(
        self,
        declared: Declared,
        file: StandingFile,
        instances: Instances,
        *,
        daemons: Daemons,
        session: Session,
        clock: Clock,
        slow: float | None,
        restoring: bool = False,
    ) -> None:
        super().__init__(file, clock)
        self.url = f"http://{host_port(declared.listen)}"
        folder = make_folder(file.folder)
        self._instances, self._restoring = instances, restoring
        self._admin = Admin(declared, folder, daemons=daemons, session=session, clock=clock, takes_over=restoring)
        self._answers = Answers(self._admin.answers, folder / "answers.json", slow)

    def start(self, version: Version) -> str:
        """Have its server running and answering, and Caddy before it.

        A restoration leaves Caddy as it is for now: whoever serves goes on serving until our line says who does.
        """
        if not self._restoring:
            self._admin.ensure()
        return self._instances.start(version)

    def answers(self, digest: str) -> bool:
        """Whether its server, and the proxy before it, answer at this moment."""
        return bool(self.routed()) and self._instances.answers(digest)

    def routed(self) -> dict[str, float]:
        """The shares Caddy itself says it goes by; none where no Caddy runs.

        A version that Caddy knows at another address than ours is told by that address: it is not what we started.
        """
        running = self._file.read().running
        shares: dict[str, float] = {}
        for entry in self._entries():
            if entry.share > 0:
                known = running.get(entry.version)
                elsewhere = known is not None and known.port != entry.port
                name = f"127.0.0.1:{entry.port}" if elsewhere else entry.version
                shares[name] = shares.get(name, 0.0) + entry.share
        return shares

    def counts(self) -> dict[str, Counts]:
        """Totals from Caddy's log of answers."""
        with self._file.held("answers.lock"):
            return self._answers.count()

    def running(self) -> tuple[str, ...]:
        """The versions whose servers were started and not stopped."""
        return self._instances.running()

    def stop(self, digest: str) -> None:
        """Let its last answers end, and end its server."""
        self._instances.stop(digest, traffic=lambda: self.routed().get(digest, 0.0), drained=self._drained)

    def _drained(self, running: Running) -> bool:
        slots = [slot for slot, entry in enumerate(self._entries()) if entry.port == running.port]
        return not any(self._admin.busy(slot) for slot in slots)

    def _entries(self) -> list[Entry]:
        told = self._admin.routing_now()
        if told is None:
            return [EMPTY] * SLOTS
        try:
            return entries(told)
        except ValueError as error:
            raise CannotJudge.because("proxy-unreadable", f"Caddy routes by `{told[:300]}`: {error}") from error

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        wanted = {
            digest: Entry(digest, fencing.started(standing, digest).port, share) for digest, share in shares.items()
        }
        self._admin.claim()
        # Before Caddy is told to go by it: at no moment may it go by a line that is not there.
        write_whole(self._admin.routing, line(standing.fence, _placed(self._written(), wanted, standing)).encode())
        self._admin.ensure()
        return standing

    def _written(self) -> list[Entry]:
        try:
            return entries(self._admin.routing.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return [EMPTY] * SLOTS


def _placed(before: list[Entry], wanted: dict[str, Entry], standing: Standing) -> list[Entry]:
    """The slots: versions stay where they are, so that the requests of each can be told apart while they end."""
    placed = [wanted.get(entry.version, EMPTY) for entry in before]
    new = [entry for digest, entry in wanted.items() if digest not in {one.version for one in placed}]
    # A slot that nobody has had is taken before one whose last answers may still be on their way.
    free = sorted((slot for slot in range(SLOTS) if placed[slot] is EMPTY), key=lambda slot: before[slot] is not EMPTY)
    if len(new) > len(free):
        raise CannotJudge.because("proxy-slots-full", f"Caddy is given {SLOTS} slots, for fewer versions than asked")
    for slot, entry in zip(free, new, strict=False):
        placed[slot] = entry
    # One that runs without traffic keeps its place: it may be needed at once.
    for slot, entry in enumerate(before):
        if placed[slot] is EMPTY and entry.version in standing.running:
            placed[slot] = Entry(entry.version, standing.running[entry.version].port, 0.0)
    return placed
