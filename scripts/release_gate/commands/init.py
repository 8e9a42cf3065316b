"""`init`: look at a repository, draft what it needs to be gated, and say what people must decide."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click

from release_gate.commands.context import Context
from release_gate.commands.options import option
from release_gate.drafts import ROLES, Module, Repository, draft
from release_gate.files import write_whole
from release_gate.findings import BadInput

GATE = "octo-air/release-gate@v1"


@click.command()
@option("--folder", metavar="DIR", default=".", help="Folder of the repository.")
@option("--gate", metavar="OWNER/NAME@REF", default=GATE, help="Where the workflows to call live.")
@option("--force", is_flag=True, help="Overwrite files that exist.")
@click.pass_obj
def command(context: Context, folder: str, gate: str, force: bool) -> None:
    """Draft release-gate.yml, a contract and the caller workflows."""
    from release_gate.tables.inventory import inventory

    root = (context.home / folder).resolve()
    if not root.is_dir():
        raise BadInput.because("file-missing", f"the folder {folder} does not exist")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+@[\w./-]+", gate):
        raise BadInput.because("usage", f"--gate {gate}: it must look like owner/release-gate@v1")
    files = tracked(root)
    tables = inventory(root, files)
    modules = {role: module for role in ROLES if (module := find_module(root, files, role)) is not None}
    contracts, texts = _contracts(root, [table.path for table in tables if not table.for_evaluation])
    drafted = draft(Repository(_name(root), owner(root), modules, tables), contracts, gate)
    for path, text in {**texts, **drafted.files}.items():
        exists = (root / path).exists()
        if exists and not force:
            click.echo(f"  kept     {path} (it exists; --force overwrites)")
            continue
        write_whole(root / path, text.encode())
        click.echo(f"  {'replaced' if exists else 'wrote':8} {path}")
    click.echo("\nDecide or check:")
    for question in (*drafted.decide, *(f"{path}: every range and null behaviour is a draft" for path in contracts)):
        click.echo(f"  - {question}")
    click.echo("\nThen: release-gate config check, and release-gate check")


def tracked(root: Path) -> list[str]:
    """The files git tracks or would track; every file outside a repository."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode(errors="surrogateescape").split("\0")
        return sorted({name for name in names if name and (root / name).is_file()})
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".git" not in path.parts
    )


def find_module(root: Path, files: list[str], role: str) -> Module | None:
    """The module that most likely plays a role, outside tests; None where no name fits."""
    for word in ROLES[role]:
        for name in files:
            path = Path(name)
            if path.suffix == ".py" and path.stem == word and not {"tests", "test"} & set(path.parts):
                return read_module(root, path)
    return None


def read_module(root: Path, path: Path) -> Module | None:
    """A module's options and functions, read from its syntax: the repository's code is never imported."""
    try:
        tree = ast.parse((root / path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    parts = path.with_suffix("").parts
    dotted = ".".join(parts[1:] if parts[0] == "src" else parts)
    functions = tuple(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_")
    return Module(dotted, tuple(_options(tree)), functions)


def _options(tree: ast.Module) -> Iterator[str]:
    """The texts that look like command-line options and are passed to a call (argparse, click, typer)."""
    for node in ast.walk(tree):
        for argument in node.args if isinstance(node, ast.Call) else ():
            if isinstance(argument, ast.Constant) and re.fullmatch(r"--?[a-z][a-z-]*", str(argument.value)):
                yield str(argument.value)


def _contracts(root: Path, paths: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """A drafted contract for the largest table: contract file → data file, contract file → text."""
    from release_gate.contracts.infer import draft as drafted
    from release_gate.tables.profile import profile

    if not paths:
        return {}, {}
    data = paths[0]
    contract = f"contracts/{Path(data).stem}.yml"
    return {contract: data}, {contract: drafted(profile(root / data, data), data)}


def _name(root: Path) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", root.name.lower()).strip("-._") or "model"


def owner(root: Path) -> str | None:
    """Who owns everything according to CODEOWNERS, else whose repository `origin` is."""
    for place in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"):
        file = root / place
        lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
        for line in reversed(lines):  # the last matching line decides
            words = line.split("#")[0].split()
            if len(words) > 1 and words[0] == "*" and words[1].startswith("@"):
                return words[1]
    asked = subprocess.run(
        ["git", "-C", str(root), "remote", "get-url", "origin"], capture_output=True, text=True, check=False
    )
    # https://HOST/OWNER/NAME or git@HOST:OWNER/NAME; a path on this machine names no owner.
    found = re.search(r"(?:://[^/]+/|@[^:/]+:)([A-Za-z0-9][A-Za-z0-9-]*)/[\w.-]+?(?:\.git)?\s*$", asked.stdout)
    return f"@{found[1]}" if found else None
