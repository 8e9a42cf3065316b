"""The written forms of a registry: where packages and ledgers lie, as `registry:` of release-gate.yml says it.

>>> str(Registries.of("s3://octo-air-models/flights"))
's3://octo-air-models/flights'
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, WithJsonSchema, model_serializer

from release_gate.verdict import Value

SCHEMES = ("s3", "gs", "az", "file")
FORMS = "a folder (`releases`), a bucket (`s3://bucket/prefix`, gs://, az://, file:///) or `branch:NAME`"
_BUCKET = r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[^/\s?#@\\]+)*/?|file:///[^\s?#\\]+"
_BRANCH = r"branch:[A-Za-z0-9][A-Za-z0-9._/-]*"
_LIKE_A_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Folder(Value):
    """A folder; a relative path counts from the folder of release-gate.yml."""

    kind: Literal["folder"] = "folder"
    path: str

    def __str__(self) -> str:
        """As it is written."""
        return self.path


class Bucket(Value):
    """A bucket, and the prefix inside it."""

    kind: Literal["bucket"] = "bucket"
    url: str

    def __str__(self) -> str:
        """As it is written."""
        return self.url


class Branch(Value):
    """A branch of the git remote `origin`."""

    kind: Literal["branch"] = "branch"
    name: str

    def __str__(self) -> str:
        """As it is written."""
        return f"branch:{self.name}"


Place = Folder | Bucket | Branch


def place(written: object) -> Place:
    """The place a text names.

    Raises:
        ValueError: it names none; the message says what would.
    """
    if isinstance(written, Folder | Bucket | Branch):
        return written
    if not isinstance(written, str) or not written.strip():
        raise ValueError(f"write {FORMS}")
    if written.startswith("branch:"):
        return Branch(name=_branch(written))
    if written.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
        return Bucket(url=_bucket(written))
    if (scheme := _LIKE_A_SCHEME.match(written)) is not None:
        raise ValueError(f"'{scheme[0]}' names no kind of registry; write {FORMS}")
    return Folder(path=written)


def _branch(written: str) -> str:
    """The name of a branch, held to what git itself takes (git-check-ref-format)."""
    name = written.removeprefix("branch:")
    parts = name.split("/")
    odd = any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
    if re.fullmatch(_BRANCH, written) is None or odd or ".." in name:
        raise ValueError("after `branch:` stands the name of a branch, such as branch:release-gate")
    return name


def _bucket(written: str) -> str:
    if "@" in written or "?" in written:
        raise ValueError("a bucket's address holds no credentials and no query; they come from the environment")
    if re.fullmatch(_BUCKET, written) is None or any(part in (".", "..") for part in written.split("/")):
        raise ValueError("write a bucket as s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///…")
    return written.rstrip("/")


class Registries(Value):
    """Where packages lie and where ledgers lie."""

    packages: Annotated[Place, BeforeValidator(place)]
    ledger: Annotated[Place, BeforeValidator(place)]

    @classmethod
    def of(cls, written: str) -> Self:
        """Both in one place.

        Raises:
            ValueError: the text names no place.
        """
        return cls(packages=place(written), ledger=place(written))

    @property
    def folder(self) -> str | None:
        """The folder that holds the ledger, None where that is kept elsewhere."""
        return self.ledger.path if isinstance(self.ledger, Folder) else None

    @model_serializer
    def written(self) -> str | dict[str, str]:
        """As it is written: a text, or a mapping of two."""
        if self.packages == self.ledger:
            return str(self.ledger)
        return {"packages": str(self.packages), "ledger": str(self.ledger)}

    def __str__(self) -> str:
        """As a person would say it."""
        if self.packages == self.ledger:
            return str(self.ledger)
        return f"{self.packages} (packages) and {self.ledger} (ledger)"


def _either(written: Any) -> Any:
    """A text names one place for both; a mapping is read key by key."""
    if isinstance(written, dict | Registries):
        return written
    found = place(written)
    return {"packages": found, "ledger": found}


_TEXT = {
    "type": "string",
    "minLength": 1,
    "examples": ["releases", "s3://bucket/prefix", "branch:release-gate"],
}
Registry = Annotated[
    Registries,
    BeforeValidator(_either),
    WithJsonSchema(
        {
            "anyOf": [
                _TEXT,
                {
                    "type": "object",
                    "properties": {
                        "packages": {**_TEXT, "description": "where packages lie"},
                        "ledger": {**_TEXT, "description": "where the ledger lies"},
                    },
                    "required": ["packages", "ledger"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""The value of `registry:`: one place for both, or each its own."""
