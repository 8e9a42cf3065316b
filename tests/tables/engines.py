"""Real engines for tests: a PostgreSQL of its own, and a Spark in this process; why there is none is printed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda one: int(one.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def no_java() -> bool:
    """Whether Spark could not start."""
    return shutil.which("java") is None and not os.environ.get("JAVA_HOME")


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database that is gone afterwards; no server runs as root, so that another user may have to."""
    programs = postgres_programs()
    assert programs is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs / program), "-D", str(folder / "data"), *arguments], check=True, cwd=folder,
            stdout=subprocess.DEVNULL, user=user.pw_uid if user else None, group=user.pw_gid if user else None,
        )  # fmt: skip

    try:
        run("initdb", "-A", "trust", "-U", "gate", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield f"postgres://gate@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
