"""Reads the reports of pytest (JUnit XML) and coverage.py (JSON), which the caller's own process wrote."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from release_gate.caller.function_coverage import functions_of
from release_gate.gates.transform_facts import Failure, FileCoverage, TestRun

MAXIMUM_BYTES = 50 * 1024 * 1024
FAILURES = 100
MESSAGE_LINES = 12
_PLACE = re.compile(r"^(\S[^:\n]*\.py):(\d+): ", re.MULTILINE)


def counted(run: TestRun, junit: Path, root: Path) -> TestRun:
    """The run with its tests counted; `reported` is False where pytest left no report we can read."""
    suite = _tree(junit)
    if suite is None:
        return run.model_copy(update={"reported": False})
    counts = dict.fromkeys(("passed", "failed", "errors", "skipped", "expected_failures"), 0)
    failures, reasons = [], []
    for case in suite.iter("testcase"):
        outcome, entry = _outcome(case)
        counts[outcome] += 1
        if entry is None:
            continue
        if outcome in ("failed", "errors"):
            failures.append(_failure(case, entry, root))
        elif outcome == "skipped":
            reasons.append(entry.get("message", "").strip()[:200] or "no reason given")
    return run.model_copy(
        update={**counts, "failures": tuple(failures[:FAILURES]), "skip_reasons": tuple(dict.fromkeys(reasons))[:10]}
    )


def _tree(junit: Path) -> ET.Element | None:
    if not junit.is_file() or junit.stat().st_size > MAXIMUM_BYTES:
        return None
    text = junit.read_bytes()
    # pytest declares no entities; a document that does wants to multiply itself.
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 - entities are refused above
    except ET.ParseError:
        return None


def _outcome(case: ET.Element) -> tuple[str, ET.Element | None]:
    for tag, outcome in (("failure", "failed"), ("error", "errors"), ("skipped", "skipped")):
        entry = case.find(tag)
        if entry is not None:
            return ("expected_failures" if entry.get("type") == "pytest.xfail" else outcome), entry
    return "passed", None


def _failure(case: ET.Element, entry: ET.Element, root: Path) -> Failure:
    text = (entry.text or "").strip()
    places = _PLACE.findall(text)
    file, line = case.get("file"), case.get("line")
    # The last place in the repository is where it happened; the test itself where none is named.
    inside = [place for place in places if (root / place[0]).is_file() and "site-packages" not in place[0]]
    where = inside[-1] if inside else (file, int(line) + 1 if line and line.isdigit() else None)
    name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
    summary = entry.get("message", "").strip()
    shown = "\n".join((summary or text).splitlines()[:MESSAGE_LINES])[:1500]
    if summary in ("collection failure", ""):
        shown = "\n".join(text.splitlines()[-MESSAGE_LINES:])[-1500:]
    return Failure(test=name[:300], message=shown, file=where[0], line=int(where[1]) if where[1] is not None else None)


def coverage_of(measured: Path, files: Sequence[Path], root: Path) -> tuple[FileCoverage, ...] | None:
    """The coverage of each file; a file no test imported counts as not covered at all. None: nothing was measured."""
    if not files or not measured.is_file() or measured.stat().st_size > MAXIMUM_BYTES:
        return None
    try:
        reported = {
            (root / name).resolve(): entry for name, entry in json.loads(measured.read_bytes())["files"].items()
        }
        return tuple(_file(reported.get(file.resolve()), file, _relative(file, root)) for file in files)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _file(entry: dict[str, Any] | None, path: Path, name: str) -> FileCoverage:
    if entry is None:
        return FileCoverage(file=name, percent=0.0, statements=0, branches=0)
    summary = entry["summary"]
    return FileCoverage(
        file=name,
        percent=float(summary["percent_covered"]),
        statements=int(summary["num_statements"]),
        branches=int(summary.get("num_branches", 0)),
        missing_lines=tuple(int(line) for line in entry["missing_lines"]),
        missing_branches=tuple((int(one), int(other)) for one, other in entry.get("missing_branches", [])),
        functions=functions_of(entry, path),
    )


def _relative(file: Path, root: Path) -> str:
    resolved = file.resolve()
    return str(resolved.relative_to(root.resolve())) if resolved.is_relative_to(root.resolve()) else str(file)
