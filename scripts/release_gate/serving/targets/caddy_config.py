"""What Caddy is told: a configuration that never changes, and one line of text that says who takes which requests.

A change of Caddy's configuration starts its servers anew and closes idle connections, which some client then uses in
vain. So the configuration holds slots only, and every request reads the line (`{file.…}`) as it comes: its random
number (`{http.request.uuid}`) falls below a slot's limit, or on to the next. The line is one file replaced whole:
a request sees the old decision or the new one, and nothing is ever closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SLOTS = 4
"""Versions that can have a share, or wait for one, at a time."""
HEADER = "X-Release-Gate-Routing"
"""Asks our server what it routes, with a word that only this machine knows."""
NEVER, ALWAYS = "-", "g"
"""Limits below and above every hexadecimal digit."""
WHOLE = 2**32
FIELDS = ("limit", "port", "version")
IDLE = "1s"
"""Servers close idle connections after two seconds or more: we let go of them before."""
NO_HEADERS = "60s"
"""After which a version that does not answer is given up (504)."""
ROLL_MEGABYTES, ROLLS = 50, 2


@dataclass(frozen=True)
class Entry:
    """A slot of the line: a version, where it listens, and its share."""

    version: str
    port: int
    share: float


EMPTY = Entry("-", 0, 0.0)


def line(fence: int, entries: Sequence[Entry]) -> str:
    """The line for these slots. Shares sum to 1.

    >>> line(7, [Entry("sha256:a", 5001, 0.25), Entry("sha256:b", 5002, 0.75)])
    '7 40000000 5001 sha256:a g 5002 sha256:b - 0 - - 0 -'
    """
    words, upper = [str(fence)], 0.0
    filled = [*entries, *[EMPTY] * (SLOTS - len(entries))]
    last = max((index for index, entry in enumerate(filled) if entry.share > 0), default=-1)
    for index, entry in enumerate(filled):
        upper += entry.share
        limit = f"{min(round(upper * WHOLE), WHOLE - 1):08x}" if entry.share > 0 else NEVER
        words += [ALWAYS if index == last else limit, str(entry.port), entry.version]
    return " ".join(words)


def entries(text: str) -> list[Entry]:
    """The slots of a line.

    Raises:
        ValueError: it is none.
    """
    words = text.split()
    if len(words) != 1 + len(FIELDS) * SLOTS:
        raise ValueError(f"it has {len(words)} words")
    found, lower = [], 0
    for limit, port, version in zip(words[1::3], words[2::3], words[3::3], strict=True):
        upper = {NEVER: lower, ALWAYS: WHOLE}.get(limit)
        upper = int(limit, 16) if upper is None else upper
        found.append(Entry(version, int(port), max(0, upper - lower) / WHOLE))
        lower = max(lower, upper)
    return found


def name_of(listen: str) -> str:
    """The name of our server and log in a Caddy that may hold others: by its port."""
    return f"release-gate-{listen.rpartition(':')[2]}"


@dataclass(frozen=True)
class Steered:
    """By what the server of our name goes: the file of the line, and the word that lets one ask what it routes."""

    line: Path
    word: str


def steered(config: Mapping[str, Any], listen: str) -> Steered | None:
    """By what the server of our name goes; None where a configuration has no such server."""
    try:
        read, asked, *_ = config["apps"]["http"]["servers"][name_of(listen)]["routes"]
        line = read["handle"][0]["release_gate"].removeprefix("{file.").removesuffix("}")
        return Steered(Path(line), asked["match"][0]["header"][HEADER][0])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def server(listen: str, routing: Path, word: str) -> dict[str, Any]:
    """Our server in Caddy's configuration. `word` lets us ask what it routes."""
    known = [f"rg.{field}{slot}" for slot in range(SLOTS) for field in FIELDS]
    places = ["{rg.fence}", *(f"{{{name}}}" for name in known)]
    pattern = r"^(\d+)" + r" (\S+) (\d+) (\S+)" * SLOTS + r"\s*$"
    read = [
        {"handler": "vars", "release_gate": f"{{file.{routing}}}"},
        {
            "handler": "map",
            "source": "{http.vars.release_gate}",
            "destinations": places,
            "mappings": [{"input_regexp": pattern, "outputs": [f"${{{n}}}" for n in range(1, len(places) + 1)]}],
            "defaults": ["-"] * len(places),
        },
    ]
    told = [
        {"handler": "vars", "log_skip": True},
        {"handler": "static_response", "status_code": 200, "body": " ".join(places)},
    ]
    asked = {"match": [{"header": {HEADER: [word]}}], "terminal": True, "handle": told}
    none = [{"handler": "static_response", "status_code": 503, "body": "no version takes traffic\n"}]
    return {
        "listen": [listen],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "logs": {"default_logger_name": name_of(listen)},
        "routes": [{"handle": read}, asked, *(_slot(slot) for slot in range(SLOTS)), {"handle": none}],
    }


def _slot(slot: int) -> dict[str, Any]:
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{{rg.port{slot}}}"}],
        "transport": {
            "protocol": "http",
            "dial_timeout": "2s",
            "response_header_timeout": NO_HEADERS,
            "keep_alive": {"idle_timeout": IDLE},
        },
    }
    # Early, so that an answer that breaks off halfway is told with its version too.
    named = {"handler": "log_append", "key": "version", "value": f"{{rg.version{slot}}}", "early": True}
    taken = {"expression": f"{{http.request.uuid}} < {{rg.limit{slot}}}"}
    return {"match": [taken], "terminal": True, "handle": [named, proxy]}


def log(listen: str, file: Path) -> dict[str, Any]:
    """A line for each answer, with duration, size, status and version, and nothing of who asked for what."""
    dropped = ("request", "resp_headers", "user_id", "bytes_read", "uuid")
    unnamed = dict.fromkeys(("message_key", "level_key", "time_key", "name_key"), "")
    return {
        "writer": {
            "output": "file",
            "filename": str(file),
            "roll_size_mb": ROLL_MEGABYTES,
            "roll_keep": ROLLS,
            "roll_gzip": False,
        },
        "encoder": {
            "format": "filter",
            "wrap": {"format": "json", **unnamed},
            "fields": {name: {"filter": "delete"} for name in dropped},
        },
        "include": [f"http.log.access.{name_of(listen)}"],
    }


def alone(admin: str, folder: Path) -> dict[str, Any]:
    """The configuration of a Caddy that we start, without our server yet."""
    own = {"output": "file", "filename": str(folder / "caddy.log"), "roll_size_mb": 10, "roll_keep": 1}
    return {
        "admin": {"listen": admin, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder / "caddy")},
        "logging": {"logs": {"default": {"writer": own}}},
    }


def joined(config: Mapping[str, Any], listen: str, own: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """A configuration with our server and log in it, and everything else as it was."""
    name = name_of(listen)
    logging, apps = dict(config.get("logging") or {}), dict(config.get("apps") or {})
    logs, http = dict(logging.get("logs") or {}), dict(apps.get("http") or {})
    usual = dict(logs.get("default") or {})
    ours = f"http.log.access.{name}"
    if "include" not in usual and ours not in usual.get("exclude", []):
        usual["exclude"] = [*usual.get("exclude", []), ours]
    logging["logs"] = {**logs, "default": usual, name: answers}
    http["servers"] = {**(http.get("servers") or {}), name: own}
    return {**config, "logging": logging, "apps": {**apps, "http": http}}


def host_port(address: str) -> str:
    """Where we ourselves reach an address that is listened on: every interface is ours too.

    >>> host_port(":8080"), host_port("0.0.0.0:80"), host_port("10.0.0.1:80")
    ('127.0.0.1:8080', '127.0.0.1:80', '10.0.0.1:80')
    """
    return re.sub(r"^(0\.0\.0\.0)?:", "127.0.0.1:", address)
