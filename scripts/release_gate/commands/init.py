"""`init`: look at a repository, draft what it needs to be gated, and say what people must decide."""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import click

from release_gate.commands.context import Context
from release_gate.commands.options import option
from release_gate.config import upwards
from release_gate.documents import read
from release_gate.drafts import CONFIGURATION, ROLES, TOOLS, Draft, Module, Repository, draft
from release_gate.files import write_whole
from release_gate.findings import BadInput
from release_gate.mistakes import undecided

GATE = "octo-air/release-gate@v1"
LOCKS = ("uv.lock", "pylock.toml", "requirements.txt")
OPEN = ("decide:", "DRAFT:")
"""What marks a place in a drafted card or contract that nobody has filled."""


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
    lock = next((name for name in LOCKS if name in files), None)
    contracts, texts = _contracts(root, [table.path for table in tables if not table.for_evaluation])
    found = Repository(_name(root), owner(root), lock, pinned(root, lock), modules, tables, branch(root))
    drafted = draft(found, contracts, gate)
    every = {**texts, **drafted.files}
    if above := upwards(root / CONFIGURATION):
        click.echo(f"Note: a folder above has one already, {above}; this drafts another.\n")
    click.echo("Needed, before anything can pass:")
    for need in drafted.needs:
        click.echo(f"  - {need}")
    click.echo()
    kept = {path for path in every if (root / path).exists() and not force}
    for path, text in every.items():
        exists = (root / path).exists()
        if path in kept:
            click.echo(f"  kept     {path} (it exists; --force overwrites)")
            continue
        write_whole(root / path, text.encode())
        purpose = f": {drafted.purposes[path]}" if path in drafted.purposes else ""
        click.echo(f"  {'replaced' if exists else 'wrote':8} {path}{purpose}")
    if questions := list(_questions(root, drafted, every, kept)):
        click.echo("\nDecide or check:")
        for question in questions:
            click.echo(f"  - {question}")
    click.echo("\nThen: release-gate config check, and release-gate check")


def _questions(root: Path, drafted: Draft, every: Mapping[str, str], kept: Collection[str]) -> Iterator[str]:
    """What is open: all that was drafted, and of a file that people have made theirs only what it leaves open."""
    theirs = {path for path in kept if (root / path).read_bytes() != every[path].encode()}
    for path, question in drafted.decide:
        drafted_still = path not in theirs
        if drafted_still or (path != CONFIGURATION and any(mark in _text(root / path) for mark in OPEN)):
            yield f"{path}: {question}"
    if CONFIGURATION in theirs:
        with contextlib.suppress(BadInput):  # what is no YAML is told by `config check`
            document = read(root / CONFIGURATION, shown=CONFIGURATION)
            yield from (f"{one.where}: {one.message}" for one in undecided(document.value, document.where))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def pinned(root: Path, lock: str | None) -> tuple[str, ...]:
    """Which of the tools of transform-tests a lock file names, in any of the three forms."""
    text = _text(root / lock) if lock else ""
    form = r'^(?:name = "{0}"|{0}(?:\[[\w,. -]*\])?\s*==)'
    return tuple(tool for tool in TOOLS if re.search(form.format(tool), text, re.MULTILINE))


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
    return {contract: data}, {contract: drafted(profile(root / data, data), data, owner(root))}


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


def branch(root: Path) -> str:
    """The branch that is released: the default one of `origin`, as far as it is known here."""
    asked = subprocess.run(
        ["git", "-C", str(root), "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip().removeprefix("origin/") or "main"
