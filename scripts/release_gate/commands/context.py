"""What every command is given: the edges, and the places of a model's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_gate.edges import Clock, Runner, Session
from release_gate.names import FILE, RUN

if TYPE_CHECKING:
    from release_gate.config import Config, ModelConfig


@dataclass(frozen=True)
class Context:
    """The edges of one invocation. `runner` and `session` are made on first use: they import much."""

    clock: Clock
    runner: Callable[[], Runner]
    session: Callable[[], Session]
    environment: Mapping[str, str]
    home: Path

    @property
    def on_github(self) -> bool:
        """Whether a GitHub runner started us."""
        return self.environment.get("GITHUB_ACTIONS") == "true"

    @property
    def python(self) -> str | None:
        """The Python of the caller's environments, where who runs us asks for one, as uv reads it."""
        return self.environment.get("UV_PYTHON") or None


@dataclass(frozen=True)
class Place:
    """Where one model's files lie: `root` holds the configuration, `run` what gates hand to each other."""

    root: Path
    run: Path
    config: str = FILE

    @property
    def verdicts(self) -> Path:
        """Folder of `<gate>.json`."""
        return self.run / "verdicts"

    @property
    def build(self) -> Path:
        """Folder that build-candidate fills."""
        return self.run / "build"


def configured(context: Context, config: str | None) -> tuple[Config, Path]:
    """The configuration and the folder it stands in, from which its paths count.

    Raises:
        BadInput: the configuration is missing or wrong.
    """
    from release_gate.config import load

    path = (context.home / (config or FILE)).resolve()
    return load(path, shown=config or FILE), path.parent


def place(root: Path, model: ModelConfig, run: str | None, config: str | None = None) -> Place:
    """The places of a model; `run` counts from the folder of the configuration, whose name is kept."""
    name = Path(config or FILE).name
    return Place(root=root, run=root / (run or RUN) / model.model, config=name)
