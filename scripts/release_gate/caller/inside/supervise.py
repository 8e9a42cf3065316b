"""Stands between us and a command, so that nothing the command starts outlives it, or us.

Run as `python -I -S supervise.py REPORT_FD COMMAND…`: by our own Python, with nothing but the standard library.
It adopts every process the command leaves behind (Linux: "child subreaper"), ends them all when the command has
ended, and when its standard input closes, which happens even if we are killed outright.

On standard input: `T` sends SIGTERM to the command's process group; the end of input kills everything at once.
On REPORT_FD: `started PID` or `failed ERRNO`, then `ended STATUS` (negative: the number of the signal).
"""

# Importing pathlib would double the start-up time of every command, so it is not used here.
# ruff: noqa: PTH112, PTH123, PTH208, S606

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

LONGEST_END = 10.0
"""Seconds after which we stop waiting for processes that SIGKILL does not end (uninterruptible, not ours)."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere nothing happens and the process group is all that is ended."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """Every living process below `root`, by /proc; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdigit():
            continue
        # A process may end between listing and reading; then it is no longer ours to end.
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(name))
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.extend(below)
        waiting.extend(below)
    return found


def end_all(group: int) -> None:
    """Kill and reap until no descendant is left: orphans become our children, so none can slip away."""
    until = time.monotonic() + LONGEST_END
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def launch(command: list[str], report: int) -> int:
    """Fork and execute the command in a session of its own; its pid, after saying whether that worked."""
    read, write = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(137)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.close(report)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(write, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(write)
    refused = os.read(read, 16)
    os.close(read)
    if refused:
        os.waitpid(pid, 0)
        os.write(report, b"failed " + refused + b"\n")
        sys.exit(0)
    os.write(report, f"started {pid}\n".encode())
    return pid


def main(report: int, command: list[str]) -> None:
    """Start, wait for the command or for the end of our input, end what is left, report."""
    os.set_inheritable(report, False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    for end in (wake, waker):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    ended_from_outside = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended_from_outside.append(True))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = launch(command, report)
    # The command alone holds the output now: its reader sees the end when the last writer is gone.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    status = None
    while status is None:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 512)
        heard = os.read(0, 1) if 0 in ready else b" "
        if heard == b"T":
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGTERM)
        elif heard == b"" or ended_from_outside:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            break
        with contextlib.suppress(ChildProcessError):
            while status is None:
                pid, how = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                status = how if pid == child else None
    end_all(child)
    with contextlib.suppress(OSError):
        os.write(report, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
