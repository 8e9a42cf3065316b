"""A HAProxy that runs already, steered by its runtime API: no reload, no connection closed.

Its backend has empty `server` slots; a version takes one, gets its weight, and leaves it drained. Which slot is which
version is told by the address HAProxy reports: what we remember only says which version listens there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from release_gate.counts import Counts
from release_gate.edges import Clock
from release_gate.findings import CannotJudge
from release_gate.rollouts import HAProxy as Declared
from release_gate.serving.standing import Running, Slot, Standing, StandingFile
from release_gate.serving.targets import fencing
from release_gate.serving.targets.haproxy_socket import Backend, Runtime, Server
from release_gate.serving.targets.instances import Instances
from release_gate.serving.targets.target import Version
from release_gate.serving.targets.weights import weights

BY_WEIGHT = ("", "roundrobin", "random")
"""Ways of balancing that follow weights that change; an older HAProxy does not tell its own."""
REUSE = 10.0
"""Seconds that the last answers of the version before may take until its slot is free."""
PAUSE = 0.05


class HAProxy(fencing.Routing):
    """The target `haproxy`."""

    def __init__(self, declared: Declared, file: StandingFile, instances: Instances, clock: Clock) -> None:
        super().__init__(file, clock)
        self.url = declared.url
        self._name, self._instances = declared.backend, instances
        self._runtime = Runtime(declared.socket)

    def start(self, version: Version) -> str:
        """Have its server running and answering; HAProxy must be there too."""
        self._backend()
        return self._instances.start(version)

    def answers(self, digest: str) -> bool:
        """Whether its server, and the proxy before it, answer at this moment."""
        return bool(self.routed()) and self._instances.answers(digest)

    def routed(self) -> dict[str, float]:
        """The parts of the effective weights."""
        servers = [server for server in self._backend().servers if server.weight]
        whole = sum(server.weight for server in servers)
        names = _names(self._file.read())
        shares: dict[str, float] = {}
        for server in servers:
            name = names.get(server.address, server.address)
            shares[name] = shares.get(name, 0.0) + server.weight / whole
        return shares

    def counts(self) -> dict[str, Counts]:
        """HAProxy's totals since each version took its slot; it does not count slow answers."""
        process = self._runtime.process()
        servers = {server.name: server for server in self._backend().servers}
        with self._file.held():
            before = standing = self._file.read()
            for digest, running in before.running.items():
                slot = running.slot
                server = servers.get(slot.name) if slot is not None else None
                if slot is not None and server is not None and server.address == running.address:
                    counted = running.model_copy(update={"slot": _counted(slot, process, server.totals)})
                    standing = standing.having(digest, counted)
            if standing != before:
                self._file.write(standing)
        return {digest: one.slot.seen for digest, one in standing.running.items() if one.slot is not None}

    def running(self) -> tuple[str, ...]:
        """The versions whose servers were started and not stopped."""
        return self._instances.running()

    def stop(self, digest: str) -> None:
        """Take its slot out, let its last answers end, and end its server."""
        self._instances.stop(digest, traffic=lambda: self.routed().get(digest, 0.0), drained=self._drained)

    def _drained(self, running: Running) -> bool:
        servers = [one for one in self._backend().servers if one.address == running.address]
        if any(server.busy for server in servers):
            return False
        if servers:
            self._runtime.ask(*(f"set server {self._name}/{server.name} state maint" for server in servers))
        return True

    def _backend(self) -> Backend:
        backend = self._runtime.backend(self._name)
        if backend.balance not in BY_WEIGHT:
            message = f"backend {self._name} balances by {backend.balance}, which does not follow weights"
            raise CannotJudge.because("proxy-balance", message)
        return backend

    def _apply(self, shares: Mapping[str, float], standing: Standing) -> Standing:
        taken: dict[str, str] = {}
        for digest in shares:
            running = fencing.started(standing, digest)
            server = self._slot(running, standing, set(taken.values()), shares)
            if running.slot is None or running.slot.name != server.name or server.address != running.address:
                running = self._take(running, server)
                standing = standing.having(digest, running)
                self._file.write(standing)
            taken[digest] = server.name
        given = {taken[digest]: weight for digest, weight in weights(shares).items()}
        known = {running.address for running in standing.running.values()}
        self._runtime.ask(*self._words(given, known))
        return standing

    def _words(self, given: Mapping[str, int], known: set[str]) -> list[str]:
        """The commands that bring weights about. At no moment may nobody have one: those that gain come first."""
        before = {server.name: server for server in self._backend().servers}
        gaining = sorted(given, key=lambda name: before[name].weight - given[name])
        changes = [(name, f"weight {given[name]}", "state ready") for name in gaining]
        for name, server in before.items():
            if name not in given and server.weight:
                # A server that is none of ours is set aside as well: a share is a share of all traffic.
                state = "drain" if server.address in known else "maint"
                changes.append((name, "weight 0", f"state {state}"))
        return [f"set server {self._name}/{name} {what}" for name, *whats in changes for what in whats]

    def _slot(self, running: Running, standing: Standing, taken: set[str], staying: Collection[str]) -> Server:
        """The slot that has the version's address, else the first that is free."""
        slots = self._backend().servers
        servers = [server for server in slots if server.name not in taken]
        # Of several with the address, the one we gave it.
        mine = [server for server in servers if server.address == running.address]
        own = running.slot.name if running.slot else ""
        if mine:
            return next((server for server in mine if server.name == own), mine[0])
        names = _names(standing)
        routed = {standing.running[digest].address for digest in staying if digest in standing.running}
        free = [one for one in servers if one.address not in routed]
        if not free:
            full = ", ".join(f"{one.name} {one.address} ({one.status}, weight {one.weight})" for one in slots)
            raise CannotJudge.because("proxy-slots-full", f"no slot of backend {self._name} is free: {full}")
        # Best one that nobody has; then one whose version waits without traffic; last a server that is none of ours.
        return min(
            free,
            key=lambda one: (one.weight > 0, one.address in names, one.busy, not one.status.startswith("MAINT")),
        )

    def _take(self, running: Running, server: Server) -> Running:
        """Give a free slot the version's address, without traffic yet; its totals count from here."""
        until = self._clock.monotonic() + REUSE
        while server.busy and self._clock.monotonic() < until:
            self._clock.sleep(PAUSE)
            server = next(one for one in self._backend().servers if one.name == server.name)
        place = f"set server {self._name}/{server.name}"
        if server.address != running.address:
            self._runtime.ask(f"{place} state maint", f"{place} addr 127.0.0.1 port {running.port}")
        slot = Slot(name=server.name, of=self._runtime.process(), since=server.totals)
        return running.model_copy(update={"slot": slot})


def _names(standing: Standing) -> dict[str, str]:
    return {running.address: digest for digest, running in standing.running.items()}


def _counted(slot: Slot, process: str, now: Counts) -> Slot:
    """The slot with what it has answered by now. Another process of HAProxy began anew, and so do the totals."""
    if slot.of != process:
        slot = Slot(name=slot.name, of=process, since=Counts(requests=0, errors=0))
    requests = max(slot.seen.requests, now.requests - slot.since.requests)
    errors = max(slot.seen.errors, now.errors - slot.since.errors)
    return slot.model_copy(update={"seen": Counts(requests=requests, errors=min(requests, errors))})
