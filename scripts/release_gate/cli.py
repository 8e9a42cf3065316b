"""The command line: a lazy table of commands, the real edges, and the one error boundary.

Exit codes: 0 pass, 1 fail, 2 bad use or configuration, 3 inconclusive, 4 could not judge, 130 or 143 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from release_gate.commands import TABLE

if TYPE_CHECKING:
    from release_gate.edges import Runner, Session


_OBJECTS = 100_000
"""New objects after which Python looks for cycles."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Commands(click.Group):
    """A group that lists commands from a table and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the table's order."""
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in TABLE:
            return None
        entry = TABLE[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"release_gate.commands.{entry.module}"), entry.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a misspelt one is answered with the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], TABLE, n=1)
            if near:
                raise click.UsageError(f"No such command '{args[0]}'. Did you mean '{near[0]}'?", ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands under the group each belongs to."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, entry in TABLE.items():
            groups.setdefault(entry.group, []).append((name, entry.help))
        for group, rows in groups.items():
            with formatter.section(group.capitalize()):
                formatter.write_dl(rows)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from release_gate import __version__

        click.echo(f"release-gate {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Judge an ML model from pull request to a sealed, registered package."""
    ctx.meta["debug"] = debug
    ctx.obj = real_context()


def real_context() -> Any:
    """The edges of a real invocation."""
    from release_gate.commands.context import Context

    return Context(clock=SystemClock(), runner=_runner, session=_session, environment=dict(os.environ), home=Path.cwd())


def _runner() -> Runner:
    from release_gate.caller.processes import Processes

    return Processes(dict(os.environ))


def _session() -> Session:
    import requests

    # requests types each option; ours says that options are passed on as they are.
    return cast("Session", requests.Session())


class Ended(BaseException):
    """SIGTERM arrived; a BaseException, so that only clean-up code sees it on the way out."""


def _deaf() -> None:
    """Python is on its way out and the result is told: nothing is left that an interruption could stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _end(*_: object) -> NoReturn:
    raise Ended


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command; whatever happens ends as text with a remedy and an exit code."""
    # A command makes many objects that stay and few cycles: looked for so often, they cost a sixth of all imports.
    gc.set_threshold(_OBJECTS)
    signal.signal(signal.SIGTERM, _end)
    atexit.register(_deaf)
    debug = "--debug" in (arguments if arguments is not None else sys.argv[1:])
    try:
        cli.main(args=arguments, prog_name="release-gate", standalone_mode=False)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except click.exceptions.Exit as error:
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
    except (click.Abort, KeyboardInterrupt) as end:
        status = _interrupted("Ctrl-C", 130, end.__cause__ or end)
    except Ended as end:
        status = _interrupted("SIGTERM", 143, end)
    except BrokenPipeError:
        # The reader of our output went away (`| head`); give Python nothing left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except Exception as error:  # noqa: BLE001 - the one error boundary
        status = _failed(error, debug=debug)
    # Of all that is left nothing is looked at again: Python's last search for cycles would take a tenth of a second.
    gc.freeze()
    sys.exit(status)


def _interrupted(by: str, status: int, end: BaseException) -> int:
    from release_gate.findings import finding

    during = "".join(f", during {gate}" for gate in getattr(end, "__notes__", [])[:1])
    _say(finding("interrupted", f"ended by {by} before it was done{during}"))
    return status


def _failed(error: Exception, *, debug: bool) -> int:
    from release_gate.commands.boundary import refused
    from release_gate.findings import Refused

    if not isinstance(error, Refused):
        if debug:
            import traceback

            traceback.print_exception(error)
        error = refused(error)
    for found in error.findings:
        _say(found)
    return error.exit_code


def _say(found: Any) -> None:
    from release_gate.report.text import finding_lines

    click.echo("\n".join(finding_lines(found)), err=True)
