"""`setup`: makes the caller's development environment from its lock file, and puts it first in PATH on GitHub."""

from __future__ import annotations

from pathlib import Path

import click

from release_gate.commands.context import Context, configured
from release_gate.commands.options import CONFIG, option


@click.command()
@CONFIG
@option("--lock", metavar="FILE", help="Lock file; uv.lock, pylock.toml or requirements.txt, found when absent.")
@option("--directory", metavar="DIR", help="The repository's folder; this one, or that of --config, when absent.")
@click.pass_obj
def command(context: Context, config: str | None, lock: str | None, directory: str | None) -> None:
    """Make the caller's environment from its lock file."""
    from release_gate.caller.environments import development_environment, find_lock
    from release_gate.names import FILE

    root = (context.home / (directory or ".")).resolve()
    if config is not None or (directory is None and (root / FILE).is_file()):
        found, root = configured(context, config)
        lock = lock or next((model.candidate.lock for model in found.models if model.candidate.lock), None)
    environment = development_environment(root, find_lock(root, lock), context.runner(), version=context.python)
    click.echo(str(environment.python))
    path = context.environment.get("GITHUB_PATH")
    if context.on_github and path:
        # The runner reads this file after the step; those before us may have written into it too.
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{environment.bin}\n")
