"""The secrets of a version's server, as this run was given them: masked in the log before anything may print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from release_gate.commands.context import Context
from release_gate.findings import BadInput
from release_gate.verdict import Finding, Severity

if TYPE_CHECKING:
    from release_gate.caller.server_secrets import ServerSecrets


def secrets_given(context: Context, *, needed: bool) -> tuple[ServerSecrets, list[Finding]]:
    """The secrets, and what has to be said of lines that could not be used.

    `needed`: a version is to be promoted with them. A way back goes on with the lines that can be used.

    Raises:
        BadInput: `secrets-broken`, where they are needed.
    """
    from release_gate.caller.server_secrets import NAME, read
    from release_gate.report.escape import mask

    secrets = read(context.environment.get(NAME, ""))
    if context.on_github:
        for line in secrets.lines():
            click.echo(mask(line), err=True)  # a verdict may be read from standard output
    if needed and secrets.problems:
        raise BadInput(*secrets.problems)
    return secrets, [one.model_copy(update={"severity": Severity.WARNING}) for one in secrets.problems]
