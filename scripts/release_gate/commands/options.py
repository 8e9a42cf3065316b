"""Options that every command shares, and the reading of each from `INPUT_*`, as actions pass them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


class InputOption(click.Option):
    """An option that also reads `INPUT_<NAME>`: a Docker action keeps hyphens in it, a shell can't have them.

    A repeatable option reads one value a line; an empty variable counts as not given, as unset inputs arrive so.
    """

    def __init__(self, declarations: list[str], **attributes: Any) -> None:
        longest = max(declarations, key=len).split("/")[0].lstrip("-")
        attributes.setdefault("envvar", [f"INPUT_{longest.upper()}", f"INPUT_{longest.upper().replace('-', '_')}"])
        attributes.setdefault("show_default", True)
        super().__init__(declarations, **attributes)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The value of the variable; a repeatable option is split by lines, never at blanks inside a path."""
        found = self.resolve_envvar_value(ctx)
        if found is None or not (self.multiple or self.nargs != 1):
            return found
        return [line.strip() for line in found.splitlines() if line.strip()]


option = functools.partial(click.option, cls=InputOption)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

CONFIG = option("--config", metavar="FILE", help="Configuration file; release-gate.yml of this folder when absent.")
MODEL = option("--model", metavar="NAME", help="Only this model of the configuration.")
RUN = option("--run", metavar="DIR", help="Folder through which gates hand results on; .release-gate/run when absent.")
FORMAT = option(
    "--format", type=click.Choice(["text", "json", "markdown"]), default="text", help="How to print the result."
)
OUT = option("--out", metavar="FILE", help="Also write the verdict (JSON) to this file.")


def shared(*options: Decorator) -> Decorator:
    """Several options as one decorator, listed by `--help` in the order given."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in reversed(options):
            function = one(function)
        return function

    return decorate


gate_options = shared(CONFIG, MODEL, RUN, FORMAT, OUT)
"""What every gate takes."""
