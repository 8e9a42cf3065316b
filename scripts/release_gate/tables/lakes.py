"""Delta and Iceberg tables in a folder, read by DuckDB's extensions; these are packages, and nothing is fetched."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from release_gate.findings import BadInput
from release_gate.tables.causes import cause_of
from release_gate.tables.embedded import Embedded
from release_gate.tables.relation import Relation, Unanswered
from release_gate.tables.spoken import as_text
from release_gate.verdict import Where

_DELTA_LOG = re.compile(r"(\d{20})(?:\.checkpoint.*)?\.(?:json|parquet)")
_ICEBERG_METADATA = re.compile(r"v?(\d+)(?:-.*)?\.metadata\.json")
_EXTENSIONS = {"delta": ("delta",), "iceberg": ("avro", "httpfs", "iceberg")}


@dataclass(frozen=True)
class Lake:
    """A table in a folder that keeps its own versions."""

    kind: str
    folder: Path
    shown: str
    identity: Callable[[], str]

    def open(self, memory: int | None) -> Relation:
        """Open the newest version.

        Raises:
            BadInput: `data-driver` without the extra, `file-unreadable`.
        """
        extensions = [_extension(name, self) for name in _EXTENSIONS[self.kind]]
        engine = Embedded(memory)
        try:
            for extension in extensions:
                engine.extension(extension)
            read = self.folder if self.kind == "delta" else newest_metadata(self.folder)
            return engine.relation(f"{self.kind}_scan({as_text(str(read))})", [self.shown], self.folder)
        except Unanswered as cause:
            engine.close()
            raise self.refusal(cause) from cause
        except BaseException:
            engine.close()
            raise

    def refusal(self, cause: Unanswered) -> BadInput:
        """The error for what the engine says, without the machine's path."""
        said = cause_of(f"Error: {cause}", {str(self.folder): self.shown})
        message = f"{self.shown} can't be read as {self.kind.capitalize()} table: {said}"
        return BadInput.because("file-unreadable", message, where=Where(file=self.shown))


def lake_at(folder: Path, shown: str) -> Lake | None:
    """The table in a folder; None where it is no table of these kinds."""
    if (folder / "_delta_log").is_dir():
        return Lake("delta", folder, shown, lambda: f"delta:{_delta_version(folder, shown)}")
    if (folder / "metadata").is_dir() and newest_metadata(folder).is_file():
        return Lake("iceberg", folder, shown, lambda: f"iceberg:{_snapshot(folder, shown)}")
    return None


def newest_metadata(folder: Path) -> Path:
    """The metadata file that the folder's hint names, else the one of the highest number."""
    metadata = folder / "metadata"
    hint = metadata / "version-hint.text"
    if hint.is_file():
        version = hint.read_text(encoding="utf-8").strip()
        return metadata / f"v{version}.metadata.json"
    files = [(int(found[1]), one) for one in metadata.iterdir() if (found := _ICEBERG_METADATA.fullmatch(one.name))]
    return max(files)[1] if files else metadata / "v1.metadata.json"


def _delta_version(folder: Path, shown: str) -> int:
    names = [one.name for one in (folder / "_delta_log").iterdir()]
    versions = [int(found[1]) for name in names if (found := _DELTA_LOG.fullmatch(name))]
    if not versions:
        message = f"{shown} has an empty _delta_log"
        raise BadInput.because("file-unreadable", message, where=Where(file=shown))
    return max(versions)


def _snapshot(folder: Path, shown: str) -> str:
    try:
        read = json.loads(newest_metadata(folder).read_text(encoding="utf-8"))
        return str(read.get("current-snapshot-id") or "none")
    except (OSError, ValueError, AttributeError) as error:
        message = f"{shown} has metadata that can't be read: {type(error).__name__}"
        raise BadInput.because("file-unreadable", message, where=Where(file=shown)) from error


def _extension(name: str, lake: Lake) -> str:
    """The file of an extension, out of its package.

    Raises:
        BadInput: `data-driver`.
    """
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    places = [Path(one) for one in found.submodule_search_locations or ()] if found else []
    files = sorted(file for place in places for file in place.rglob(f"{name}.duckdb_extension"))
    if files:
        return str(files[0])
    message = f"{lake.shown} is a {lake.kind.capitalize()} table, and what reads it is not installed"
    remedy = f"Install it: pip install 'release-gate[{lake.kind}]'"
    raise BadInput.because("data-driver", message, where=Where(file=lake.shown), remedy=remedy)
