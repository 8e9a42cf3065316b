"""Where a candidate's model comes from: trained here, or fetched and proven by its digest."""

from __future__ import annotations

import shutil
from pathlib import Path

from release_gate.commands.context import Context
from release_gate.commands.staging import Unfit
from release_gate.config import Candidate, Fetched
from release_gate.findings import finding


def make_model(context: Context, candidate: Candidate, root: Path, folder: Path) -> None:
    """Put the model into an empty folder.

    Raises:
        Unfit: `train-failed`, `train-timed-out`, `model-empty`, `candidate-digest`.
        CannotJudge: `candidate-unreachable`, `environment-failed`.
    """
    folder.mkdir()
    if candidate.train is not None:
        _train(context, candidate, root, folder)
    elif candidate.from_ is not None:
        _fetch(context, candidate.from_, root, folder)
    if not any(path.is_file() for path in folder.rglob("*")):
        raise Unfit(finding("model-empty", "no model: the folder given as {out} is still empty"))
    if links := sorted(path for path in folder.rglob("*") if path.is_symlink() and not path.is_file()):
        told = f"the model folder holds a link that leads to no file: {links[0].relative_to(folder)}"
        raise Unfit(finding("package-file-outside", told))


def _train(context: Context, candidate: Candidate, root: Path, folder: Path) -> None:
    from release_gate.caller.commands import failed, filled
    from release_gate.caller.environments import development_environment, find_lock

    runner = context.runner()
    environment = development_environment(root, find_lock(root, candidate.lock), runner, version=context.python)
    command = filled(candidate.train or "", {"out": str(folder)})
    done = runner.run(command, cwd=root, environment=environment.variables, limit=candidate.train_limit)
    if not done.ok:
        code = "train-timed-out" if done.timed_out else "train-failed"
        raise Unfit(failed("training", done, code=code, limit=candidate.train_limit))


def _fetch(context: Context, fetched: Fetched, root: Path, folder: Path) -> None:
    from release_gate.files import sha256
    from release_gate.registry.archives import extract, is_archive
    from release_gate.registry.fetching import download, local

    if "://" in fetched.path:
        name = fetched.path.partition("?")[0].rpartition("/")[2] or "model"
        source = download(context.session(), fetched.path, folder.with_name(f"{folder.name}-fetched") / name)
    else:
        source = local(root, fetched.path)
    if (found := sha256(source)) != fetched.sha256:
        told = f"{source.name} has the sha256 {found}, not {fetched.sha256}"
        raise Unfit(finding("candidate-digest", told))
    if is_archive(source.name):
        extract(source, folder)
    else:
        shutil.copyfile(source, folder / source.name)
