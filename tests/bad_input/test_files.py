"""Files that are broken, missing, empty, of the wrong type, or made to exhaust whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pytest

from tests.bad_input.command_line import run
from tests.tiny.project import Project

LEVELS = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(LEVELS) + "\n"
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, 40))


@dataclass(frozen=True)
class Case:
    """What is made wrong, the command that meets it, and what it must say."""

    file: str
    old: str
    new: str
    words: str
    status: int
    code: str
    says: tuple[str, ...]


CONFIG_CASES = {
    "broken YAML": ("model: tiny", "model: [tiny", "config-syntax", "release-gate.yml:3:", "flow sequence"),
    "a tab": ("model: tiny", "\tmodel: tiny", "config-syntax", "release-gate.yml:2:", ""),
    "a NUL": ("model: tiny", "model: t\0ny", "config-syntax", "release-gate.yml", "special characters"),
    "unknown key": ("thresholds:", "tresholds:", "config-unknown-key", "release-gate.yml:10:1", "'thresholds'"),
    "unknown inner key": ("evaluation: {data", "evaluation: {dta", "config-unknown-key", "release-gate.yml:9:", "'data'"),
    "key twice": ("model: tiny", "model: tiny\nmodel: other", "config-syntax", "release-gate.yml:3:1", "twice"),
    "a list for a text": ("model: tiny", "model: [tiny]", "config-invalid", "release-gate.yml:2:1", "model"),
    "a text for a number": ("at_least: 0.5", "at_least: high", "config-invalid", "release-gate.yml:11:", "at_least"),
    "a text for a list": ("thresholds:\n", "thresholds: none\nx:\n", "config-invalid", "release-gate.yml:10:", ""),
    "a bomb of aliases": ("version: 1", BOMB + "version: 1", "config-syntax", "release-gate.yml:", "aliases"),
    "a bomb of mappings": ("version: 1", MERGES + "version: 1", "config-syntax", "release-gate.yml:", "aliases"),
    "an alias of itself": ("model: tiny", "model: &m [*m]", "config-syntax", "release-gate.yml:2:", ""),
    "nested without end": ("model: tiny", "model: " + "[" * 20_000, "config-syntax", "release-gate.yml:", ""),
    "2 MB and more": ("model: tiny", "model: tiny\n#" + "x" * 2_200_000, "config-syntax", "release-gate.yml:", "bytes"),
    "an endless number": ("version: 1", "version: " + "9" * 100_000, "config-invalid", "release-gate.yml:1:1", ""),
    "another language": ("model: tiny", "model: !!python/object:os.system x", "config-syntax", "release-gate.yml:2:", "tag"),
}
