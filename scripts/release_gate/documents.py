"""YAML that people write, read safely and with the place of every value.

Only the JSON-like core of YAML 1.2 is read (`on`, `no` and `1_000` stay text); a document that is too large,
too deep, gives a key twice, or multiplies itself through aliases is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ValidationError, WithJsonSchema

from release_gate.findings import BadInput
from release_gate.mistakes import Path_, told
from release_gate.verdict import Finding, Where

MAXIMUM_BYTES = 2 * 1024 * 1024
MAXIMUM_NODES = 100_000
MAXIMUM_DEPTH = 60

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """The YAML 1.2 core schema: null, true/false, integers and floats; the rest is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's way


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+0123456789.")),
    ("float", r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", list("-+.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


_TAGS = {f"tag:yaml.org,2002:{name}": name for name in ("null", "bool", "int", "float", "str")}


def _scalar(node: yaml.Node) -> Any:
    """A scalar by its tag; a tag that was written out and does not fit the text makes it text."""
    text, kind = str(node.value), _TAGS[node.tag]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
    return _whole(text)


def _whole(text: str) -> str:
    """JSON writes what is beyond 16 bits as two escapes, which YAML takes for two letters: they become one again."""
    if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class Document:
    """Plain values (`dict`, `list`, scalars) and where each stands: `marks[path] == (line, column)`, from 1."""

    file: str
    value: Any
    marks: Mapping[Path_, tuple[int, int]] = field(repr=False, default_factory=dict)

    def where(self, path: Path_ = ()) -> Where:
        """The place of a value, or of the nearest thing around it that is written down."""
        while path and path not in self.marks:
            path = path[:-1]
        line, column = self.marks.get(path, (1, 1))
        return Where(file=self.file, line=line, column=column)


def read(path: Path, *, shown: str | None = None) -> Document:
    """Read a YAML file; `shown` is the name to use in messages.

    Raises:
        BadInput: `file-missing`, `file-unreadable` or `config-syntax`.
    """
    name = shown or str(path)
    return parse(content(path, name), name)


def content(path: Path, name: str) -> bytes:
    """The bytes of a YAML file, of one that is too large only the start; `name` is its name in messages.

    Raises:
        BadInput: `file-missing` or `file-unreadable`.
    """
    try:
        with path.open("rb") as opened:
            return opened.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError as error:
        raise BadInput.because("file-missing", f"{name} does not exist", where=Where(file=name)) from error
    except OSError as error:
        raise BadInput.because(
            "file-unreadable", f"{name} can't be read: {error.strerror}", where=Where(file=name)
        ) from error


def parse(text: bytes, file: str) -> Document:
    """Read YAML text.

    Raises:
        BadInput: `config-syntax`, with line and column.
    """
    if len(text) > MAXIMUM_BYTES:
        raise _broken(file, 1, 1, f"the file holds more than {MAXIMUM_BYTES:,} bytes")
    try:
        node = yaml.compose(text.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise _broken(file, 1, 1, f"it is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _broken(file, line, column, " ".join(filter(None, (error.context, error.problem)))) from error
    except yaml.reader.ReaderError as error:
        before = text.decode("utf-8-sig")[: error.position].split("\n")
        cause = f"{error.reason}: U+{int(error.character):04X}"
        raise _broken(file, len(before), len(before[-1]) + 1, cause) from error
    except RecursionError as error:
        raise _broken(file, 1, 1, "it is nested too deeply") from error
    except yaml.YAMLError as error:
        raise _broken(file, 1, 1, str(error).splitlines()[0]) from error
    reader = _Reader(file)
    return Document(file, None if node is None else reader.plain(node, ()), reader.marks)


class _Reader:
    """Turns YAML nodes into plain values, noting places and holding the limits."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Path_, tuple[int, int]] = {}
        self.nodes = 0

    def plain(self, node: yaml.Node, path: Path_) -> Any:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.marks.setdefault(path, (line, column))
        self.nodes += 1
        if self.nodes > MAXIMUM_NODES or len(path) > MAXIMUM_DEPTH:
            raise _broken(self.file, line, column, "it is nested too deeply or multiplies through aliases")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, index)) for index, item in enumerate(node.value)]
        if node.tag in _TAGS:
            return _scalar(node)
        raise _broken(self.file, line, column, f"the tag {node.tag} is not read here")

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _broken(self.file, line, column, "a key must be a plain word")
            key = _whole(str(key_node.value))
            if key in plain:
                raise _broken(self.file, line, column, f"the key '{key}' is given twice")
            self.marks[(*path, key)] = (line, column)
            plain[key] = self.plain(value_node, (*path, key))
        return plain


def _broken(file: str, line: int, column: int, cause: str) -> BadInput:
    return BadInput.because(
        "config-syntax", f"not readable as YAML: {cause}", where=Where(file=file, line=line, column=column)
    )


def validated(document: Document, model: type[Model], value: Any = None, at: Path_ = ()) -> Model:
    """Make a record of a document, or of `value` that stands at the path `at` in it.

    Raises:
        BadInput: every unknown key and every wrong value at once, each with its place.
    """
    try:
        return model.model_validate(document.value if value is None else value)
    except ValidationError as error:
        raise BadInput(*problems(document, model, error, at)) from error


def problems(document: Document, model: type[BaseModel], error: ValidationError, at: Path_ = ()) -> list[Finding]:
    """What pydantic found, as findings with places, sorted by place."""
    return told(model, error, document.where, at)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)", value.strip())):
        return float(match[1]) * _UNITS[match[2]]
    raise ValueError("a duration is a number with a unit: 200ms, 30s, 5m, 2h, 1d")


_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def size(text: str) -> int:
    """Bytes, written with a unit: `512MB`, `1GB`, `1.5 GiB`.

    Raises:
        ValueError: it is written otherwise, or is less than a megabyte.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", text.strip())
    unit = _SIZES.get(match[2].upper()) if match else None
    if match is None or unit is None or float(match[1]) * unit < 10**6:
        raise ValueError("a size is a number with a unit: 512MB, 1GB, 1.5GiB")
    return int(float(match[1]) * unit)


def _share(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*%", value.strip())):
        value = float(match[1]) / 100
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("a share is between 0% and 100%: 5% or 0.05")


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)$", "examples": ["30s"]}),
]
"""Seconds, written with a unit."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"},
            ],
            "examples": ["5%"],
        }
    ),
]
"""A part of a whole from 0 to 1, written as a percentage or a number."""
