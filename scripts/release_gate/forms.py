"""Texts of release-gate.yml that have a form: each is refused in words, and its JSON Schema tells editors the rest."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field


def _written(pattern: str, words: str) -> Any:
    """A text of a pattern: refused in words, while the JSON Schema for editors holds the pattern itself."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(words)
        return value

    return AfterValidator(check)


_NAME = r"[a-z0-9][a-z0-9._-]*"
ModelName = Annotated[
    str,
    _written(_NAME, "write small letters, digits, '.', '_' and '-', such as flight-delay"),
    Field(max_length=100, json_schema_extra={"pattern": f"^{_NAME}$"}),
]
OWNER = r"@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?"
Owner = Annotated[
    str,
    _written(OWNER, "write @user or @organisation/team"),
    Field(json_schema_extra={"pattern": f"^{OWNER}$"}),
]
Command = Annotated[str, Field(min_length=1, max_length=4000)]


def is_owner(value: str) -> bool:
    """Whether a text has the form of a GitHub user or team."""
    return re.fullmatch(OWNER, value) is not None


def _inside(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/"):
        raise ValueError("a path must stay inside the repository: no leading / and no ..")
    return value


RelativePath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_inside)]
_REFERENCE = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
Reference = Annotated[
    str,
    _written(_REFERENCE, "write module:function, such as package.module:function"),
    Field(json_schema_extra={"pattern": f"^{_REFERENCE}$"}, examples=["package.module:function"]),
]


def parquet(value: str) -> str:
    """The path of evaluation rows; one that is surely no Parquet is refused."""
    if value.lower().endswith((".csv", ".tsv", ".txt", ".json", ".feather")):
        raise ValueError("evaluation rows are read and handed to predict as Parquet: convert the file once")
    return value
