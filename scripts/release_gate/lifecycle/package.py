"""A package as a value: all that is known of a sealed version without running it.

`digest` is the sha256 of the manifest that names every layer, so it changes when any byte of the package does.
Of the source the tree is sealed; the commit is told beside, because two commits with the same tree are the same
version: what a pull request was judged on and what its merge builds can then be the same package, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from release_gate.lifecycle.events import Digest
from release_gate.verdict import Subject, Value

SCHEMA = 1
Path = Annotated[str, Field(min_length=1, max_length=1000)]


class Source(Value):
    """What the code was made from. `dirty`: files differed from the commit's, or there is no commit."""

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    tree: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    dirty: bool = False


class File(Value):
    """One file of a package: `code/…` or `model/…`."""

    path: Path
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    executable: bool = False


class Environment(Value):
    """The lock that fixes the environment: how it is read, its place in the code, its digest."""

    kind: Annotated[str, Field(min_length=1, max_length=40)]
    lock: Path
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Contract(Value):
    """A contract that was kept when the package was made, by version and digest."""

    name: Path
    version: Annotated[str, Field(max_length=100)] | None
    identity: Digest


class Use(Value):
    """How the package is used: its own commands, whatever the configuration says by then."""

    predict: Annotated[str, Field(min_length=1, max_length=4000)]
    serve: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    key: Annotated[str, Field(min_length=1)]
    score: Annotated[str, Field(min_length=1)] = "score"
    predict_limit: Annotated[float, Field(gt=0)] = 900.0
    smoke: Path | None = None


class Golden(Value):
    """Rows (as JSON records, without the label) and the scores this version gave them."""

    through: Literal["serve", "predict"]
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]
    scores: list[float]


class Contents(Value):
    """What is sealed inside a package: everything about it except its own digest and where it was built.

    `features` is the contract of the features that the model was made with.
    """

    model: Annotated[str, Field(min_length=1, max_length=100)]
    tree: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    dirty: bool = False
    producer: Annotated[str, Field(min_length=1, max_length=200)]
    files: tuple[File, ...]
    environment: Environment
    datasets: tuple[Subject, ...] = ()
    contracts: tuple[Contract, ...] = ()
    features: Contract | None = None
    delivery: Literal["endpoint", "batch", "none"]
    use: Use
    profile: dict[str, Any] | None = None
    golden: Golden | None = None


class Package(Value):
    """A sealed version."""

    digest: Digest
    source: Source
    contents: Contents

    @property
    def model(self) -> str:
        """The model it is a version of."""
        return self.contents.model


def largest_difference(scores: Sequence[float], others: Sequence[float]) -> float:
    """The largest difference of two lists of scores: absolute where both are below 1, relative above."""
    pairs = zip(scores, others, strict=True)
    return max((abs(one - other) / max(1.0, abs(one), abs(other)) for one, other in pairs), default=0.0)
