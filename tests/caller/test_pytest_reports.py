from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller import pytest_reports
from release_gate.caller.pytest_reports import counted, coverage_of
from release_gate.gates.transform_facts import TestRun

RUN = TestRun(command="python -m pytest", status=0, seconds=1)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><testsuite>&b;</testsuite>'


@pytest.mark.parametrize("text", ["", "<testsuite>", "plain", BOMB])
def test_a_report_that_cannot_be_read_is_no_report(tmp_path: Path, text: str) -> None:
    (tmp_path / "junit.xml").write_text(text)
    assert not counted(RUN, tmp_path / "junit.xml", tmp_path).reported
    assert not counted(RUN, tmp_path / "none.xml", tmp_path).reported


def test_a_report_too_large_is_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "junit.xml").write_text("<testsuite/>")
    monkeypatch.setattr(pytest_reports, "MAXIMUM_BYTES", 5)
    assert not counted(RUN, tmp_path / "junit.xml", tmp_path).reported
    assert coverage_of(tmp_path / "junit.xml", [tmp_path / "a.py"], tmp_path) is None


def test_an_error_in_tear_down_counts_as_an_error(tmp_path: Path) -> None:
    case = '<testcase classname="t" name="a" file="t.py" line="4"><error message="boom">x</error></testcase>'
    (tmp_path / "junit.xml").write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
    done = counted(RUN, tmp_path / "junit.xml", tmp_path)
    assert (done.errors, done.failures[0].line, done.failures[0].test) == (1, 5, "t::a")


def test_a_skip_without_a_reason_says_so(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text('<testsuite><testcase name="a"><skipped/></testcase></testsuite>')
    assert counted(RUN, tmp_path / "junit.xml", tmp_path).skip_reasons == ("no reason given",)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_no_coverage(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    folder = tmp_path_factory.mktemp("coverage")
    (folder / "c.json").write_bytes(text)
    assert coverage_of(folder / "c.json", [folder / "a.py"], folder) is None


def test_nothing_measured_is_none_rather_than_enough(tmp_path: Path) -> None:
    assert coverage_of(tmp_path / "none.json", [tmp_path / "a.py"], tmp_path) is None


def test_a_file_absent_from_the_report_is_not_covered(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"files": {}}')
    (found,) = coverage_of(tmp_path / "c.json", [tmp_path / "a.py"], tmp_path) or ()
    assert (found.file, found.percent, found.statements) == ("a.py", 0.0, 0)
