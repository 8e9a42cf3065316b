"""Caddy's admin address: starts Caddy where nothing answers there, and sees to it that our server is in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release_gate.edges import Answer, Clock, Daemon, Daemons, Session
from release_gate.files import write_whole
from release_gate.findings import CannotJudge
from release_gate.rollouts import Caddy as Declared
from release_gate.serving.server import taken
from release_gate.serving.standing import StandingFile
from release_gate.serving.targets import caddy_config

PATIENCE = 5.0
"""Seconds for an answer of the admin address."""
UP = 15.0
"""Seconds until a started Caddy answers."""
PAUSE = 0.05
AGAIN = 5
"""How often another run may change the configuration in the same moment as we."""
PRECONDITION_FAILED = 412


class Admin:
    """The Caddy at one admin address, with our server for one model. `folder` keeps its files.

    `takes_over`: our server is had even where another folder's line steers it; the line is to be written before that.
    """

    def __init__(
        self,
        declared: Declared,
        folder: Path,
        *,
        daemons: Daemons,
        session: Session,
        clock: Clock,
        takes_over: bool = False,
    ) -> None:
        self._declared, self._folder, self._takes_over = declared, folder, takes_over
        self._daemons, self._session, self._clock = daemons, session, clock
        self.answers = folder / "answers.log"
        self.routing = folder / "routing.txt"

    def ensure(self) -> None:
        """Have a Caddy that holds our server; where it does already nothing is changed.

        Raises:
            CannotJudge: `caddy-missing`, `caddy-not-started`, `caddy-refused`, `proxy-unreadable`, `proxy-taken`.
        """
        for _ in range(AGAIN):
            config, tag = self._config() or self._started()
            self._ask_leave(config)
            own = caddy_config.server(self._declared.listen, self.routing, self._word())
            log = caddy_config.log(self._declared.listen, self.answers)
            wanted = caddy_config.joined(config, self._declared.listen, own, log)
            if config == wanted:
                return
            answer = self._ask("POST", "/config/", wanted, {"If-Match": tag} if tag else {})
            if answer.status_code == PRECONDITION_FAILED:
                continue
            if answer.status_code >= 400:
                raise self._refusal(answer)
        raise CannotJudge.because("caddy-refused", f"others changed Caddy's configuration {AGAIN} times meanwhile")

    def claim(self) -> None:
        """Nothing but our own line steers the server, or we may take it over.

        Raises:
            CannotJudge: `proxy-taken`, `proxy-unreadable`.
        """
        known = self._config()
        if known is not None:
            self._ask_leave(known[0])

    def _ask_leave(self, config: Mapping[str, Any]) -> None:
        now = caddy_config.steered(config, self._declared.listen)
        if now is not None and not self._takes_over and not self._is_ours(now.line) and _serves(now.line):
            where = f"{self._declared.listen} of the Caddy at {self._declared.admin}"
            message = f"{where} goes by {now.line}, which users are served by; ours is {self.routing}"
            raise CannotJudge.because("proxy-taken", message)

    def _is_ours(self, line: Path) -> bool:
        return line.parent.resolve() == self.routing.parent.resolve()  # a folder may have several names

    def routing_now(self) -> str | None:
        """The line our server routes by, as Caddy itself reads it; None where no Caddy runs or it goes by none of ours.

        Raises:
            CannotJudge: `proxy-unreadable`: something else answers.
        """
        known = self._config()
        if known is None:
            return None
        now = caddy_config.steered(known[0], self._declared.listen)
        if now is None or not self._is_ours(now.line):
            return None
        url = f"http://{caddy_config.host_port(self._declared.listen)}/"
        answer = self._request("GET", url, headers={caddy_config.HEADER: now.word})
        if answer is None:
            raise CannotJudge.because("proxy-unreachable", f"Caddy runs, but {url} does not answer")
        if answer.status_code >= 500 or answer.text.startswith("-"):
            return None  # no line yet, or none that can be read: nothing is routed
        if answer.status_code != 200:
            raise CannotJudge.because("proxy-unreadable", f"{url} answers {answer.status_code}: not our server")
        return answer.text

    def busy(self, slot: int) -> int:
        """Requests that a slot is answering at this moment; 0 where nobody answers."""
        answer = self._request("GET", self._at("/reverse_proxy/upstreams"))
        try:
            upstreams = answer.json() if answer is not None else []
            return sum(one["num_requests"] for one in upstreams if one["address"].endswith(f":{{rg.port{slot}}}"))
        except (ValueError, KeyError, TypeError):
            return 0

    def _config(self) -> tuple[dict[str, Any], str] | None:
        """The configuration and its tag; None where no Caddy answers."""
        answer = self._request("GET", self._at("/config/"))
        if answer is None:
            return None
        try:
            config = answer.json()
        except ValueError:
            config = False
        if answer.status_code >= 400 or not (config is None or isinstance(config, dict)):
            message = f"{self._declared.admin} answers {answer.status_code}: {answer.text[:200]}"
            raise CannotJudge.because("proxy-unreadable", f"{message}: no Caddy's admin address")
        return config or {}, answer.headers.get("Etag") or ""

    def _started(self) -> tuple[dict[str, Any], str]:
        """Start Caddy, unless somebody else just did: two would share their ports and the requests between them."""
        beside = StandingFile(self._folder.parent, self._clock)  # the folder of all models
        with beside.held(f"caddy-{self._declared.admin.rpartition(':')[2]}.lock"):
            return self._config() or self._run()

    def _run(self) -> tuple[dict[str, Any], str]:
        """Start Caddy with our server in it, so that it routes from its first moment."""
        log, file = self._folder / "caddy.out", self._folder / "caddy.json"
        own = caddy_config.server(self._declared.listen, self.routing, self._word())
        alone = caddy_config.alone(self._declared.admin, self._folder)
        answers = caddy_config.log(self._declared.listen, self.answers)
        config = caddy_config.joined(alone, self._declared.listen, own, answers)
        write_whole(file, json.dumps(config, indent=1).encode())
        for left in self._daemons.find(log):
            self._daemons.stop(left, PATIENCE)  # it runs, but nobody can talk to it
        port = int(self._declared.listen.rpartition(":")[2])
        if taken(port):
            # Another Caddy would let ours have the port too, and each would get some of the requests.
            message = f"Caddy can't listen on {self._declared.listen}: address already in use{_by_whom(port)}"
            remedy = "End what listens there, then run the command again."
            raise CannotJudge.because("caddy-not-started", message, remedy=remedy)
        command = (program(), "run", "--config", str(file))
        daemon = self._daemons.start(command, cwd=self._folder, environment={"HOME": str(self._folder)}, log=log)
        return self._up(daemon, log)

    def _up(self, daemon: Daemon, log: Path) -> tuple[dict[str, Any], str]:
        until = self._clock.monotonic() + UP
        while True:
            alive = self._daemons.alive(daemon)
            if (config := self._config()) is not None:
                return config
            if not alive or self._clock.monotonic() >= until:
                how = "does not answer" if alive else "ended at once"
                self._daemons.stop(daemon, PATIENCE)
                last = "".join(_end(file) for file in (log, self._folder / "caddy.log"))
                raise CannotJudge.because("caddy-not-started", f"Caddy {how} on {self._declared.admin}:\n{last}")
            self._clock.sleep(PAUSE)

    def _refusal(self, answer: Answer) -> CannotJudge:
        message = f"Caddy on {self._declared.admin} refuses our server: {answer.text[:2000]}"
        return CannotJudge.because("caddy-refused", message)

    def _word(self) -> str:
        """The word that lets us ask what is routed: made once, so that the configuration stays as it is."""
        file = self._folder / "caddy.word"
        try:
            word = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            word = ""
        if len(word) != 32:
            word = secrets.token_hex(16)
            write_whole(file, word.encode())
        return word

    def _at(self, path: str) -> str:
        return f"http://{caddy_config.host_port(self._declared.admin)}{path}"

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        sent = {"data": json.dumps(body).encode(), "headers": {"Content-Type": "application/json", **headers}}
        answer = self._request(method, self._at(path), **sent)
        if answer is None:
            raise CannotJudge.because("proxy-unreachable", f"Caddy on {self._declared.admin} does not answer any more")
        return answer

    def _request(self, method: str, url: str, **options: Any) -> Answer | None:
        """An answer on a connection of its own, since reloads close idle ones; None where nobody listens."""
        import requests  # noqa: PLC0415 - takes 100 ms, and only its errors are needed

        self._session.close()
        direct = dict.fromkeys(("http", "https", "all"))  # a proxy can't reach our own loopback
        try:
            return self._session.request(
                method, url, timeout=PATIENCE, proxies=direct, allow_redirects=False, **options
            )
        except requests.ConnectionError:
            return None
        except requests.RequestException as error:
            message = f"{url} does not answer as Caddy would: {type(error).__name__}"
            raise CannotJudge.because("proxy-unreachable", message) from error


def _serves(line: Path) -> bool:
    """Whether a line of somebody else gives traffic to a server that runs; one that we may not read does."""
    try:
        entries = caddy_config.entries(line.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False  # Caddy, too, finds nothing there
    except OSError:
        return True
    return any(entry.share > 0 and taken(entry.port) for entry in entries)


def _by_whom(port: int) -> str:
    """Which process has a port, in words; nothing where the system does not tell, as of another user's."""
    import psutil  # noqa: PLC0415 - only needed where something is in the way

    try:
        having = {
            one.pid: psutil.Process(one.pid).name()
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr[1:2] == (port,) and one.pid
        }
    except (psutil.Error, OSError):
        return ""
    return f" by {', '.join(f'process {pid} ({name})' for pid, name in sorted(having.items()))}" if having else ""


def _end(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")[-2000:]
    except OSError:
        return ""


def program() -> str:
    """The Caddy that came with us, or the one in the PATH.

    Raises:
        CannotJudge: `caddy-missing`.
    """
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("caddy")
    if found is None:
        raise CannotJudge.because("caddy-missing", f"there is no Caddy beside {sys.executable} nor in the PATH")
    return found
