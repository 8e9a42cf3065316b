"""What a fork can put into a run's artifacts, read by the production image: refused by name, told to nobody else."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from markdown_it import MarkdownIt

from release_gate.commands.check import GATES
from tests.e2e.conftest import GitHub
from tests.e2e.container import Ended, run_action
from tests.e2e.testbed.emulator import TOKEN
from tests.e2e.testbed.repository import UserRepository

RUN = 501
HEAD = "a" * 40
MODEL = "fuel-economy"
JUDGED = ("schema-check", "threshold-comparison", "rollback-readiness")
PACKAGE = {"kind": "package", "name": MODEL, "identity": "sha256:" + "e" * 64}
Files = dict[str, bytes]


def verdict(gate: str, **changed: Any) -> bytes:
    whole = {
        "schema": 1, "gate": gate, "model": MODEL, "outcome": "pass", "findings": [], "tables": [], "plots": [],
        "subjects": [PACKAGE], "started": "2026-01-01T00:00:00Z", "seconds": 1.0, "tool": "release-gate",
    }  # fmt: skip
    return json.dumps({**whole, **changed}).encode()


def honest(job: str) -> Files:
    gates = [gate for gate in GATES if (gate in JUDGED) == (job == "judge")]
    return {f"{MODEL}/verdicts/{gate}.json": verdict(gate) for gate in gates}


def packed(files: Files, *, method: int = zipfile.ZIP_DEFLATED, mode: int = stat.S_IFREG | 0o644) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
    return content.getvalue()


@dataclass(frozen=True)
class Fork:
    """A fork's pull request with a finished run, another person's beside it, and what the comment job does."""

    github: GitHub
    repository: UserRepository
    number: int
    other: int
    event: dict[str, Any]

    def comment(self, build: bytes, judge: bytes | None = None) -> Ended:
        kept = self.github.artifacts.of(RUN)
        kept["release-gate-verdicts-build-all-1"] = build
        kept["release-gate-verdicts-judge-all-1"] = judge if judge is not None else packed(honest("judge"))
        return run_action(
            "report",
            self.repository.folder,
            network="host",  # the API stands on this machine's loopback
            inputs={"model": MODEL, "workflow-run": str(RUN), "token": TOKEN},
            event=self.event,
            environment={
                "GITHUB_EVENT_NAME": "workflow_run",
                "GITHUB_REPOSITORY": self.repository.name,
                "GITHUB_RUN_ID": str(RUN + 1),
                "GITHUB_API_URL": self.github.front.url,
            },
        )

    def told(self) -> str:
        """Return the one comment on the fork's pull request; nobody else's has one."""
        assert self.github.ours(self.repository.name, self.other) == []
        (comment,) = self.github.ours(self.repository.name, self.number)
        return str(comment["body"])


@pytest.fixture
def fork(image: str, batch_scores: UserRepository, github: GitHub) -> Fork:
    pulls = github.pulls(batch_scores.name)
    other = pulls.open("somebody-elses")
    number = pulls.open("forked", fork="hubot")
    pulls.event(number, HEAD)
    return Fork(github, batch_scores, number, other, pulls.finished(number, RUN, "success"))


def test_honest_artifacts_pass_so_that_a_refusal_below_has_its_own_cause(fork: Fork) -> None:
    ended = fork.comment(packed(honest("build")))
    assert ended.status == 0, ended.log
    assert ended.outputs["outcome"] == "pass", ended.log
    assert HEAD in fork.told()


def broken(content: bytes) -> Callable[[], bytes]:
    return lambda: packed({**honest("build"), f"{MODEL}/verdicts/build-candidate.json": content})


def beside(name: str, content: bytes = b"{}", **how: Any) -> Callable[[], bytes]:
    return lambda: packed({**honest("build"), name: content}, **how)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a foreign pull request's number": (beside("pull_request.json", b'{"number": 1}'), "artifact-unexpected"),
    "a path outside its folder": (beside("../../../etc/cron.d/x.json"), "artifact-path"),
    "an absolute path": (beside("/etc/passwd"), "artifact-path"),
    "a path with backslashes": (beside("..\\..\\x.json"), "artifact-path"),
    "a link": (
        lambda: packed({f"{MODEL}/verdicts/x.json": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        "artifact-link",
    ),
    "100 MB of text": (
        beside(f"{MODEL}/verdicts/long.json", b'"' + b"x" * 100_000_000 + b'"', method=zipfile.ZIP_STORED),
        "artifact-too-large",
    ),
    "a zip bomb": (beside(f"{MODEL}/verdicts/bomb.json", b"0" * 50_000_000), "artifact-zip-bomb"),
    "thousands of files": (
        lambda: packed({f"{MODEL}/verdicts/g{count}.json": b"{}" for count in range(2000)}),
        "artifact-too-many-files",
    ),
    "no zip at all": (lambda: b"PK\x03\x04 and no more", "artifact-broken"),
    "a verdict that is no JSON": (broken(b"{"), "verdict-broken"),
    "a verdict of another shape": (broken(b'{"schema": 1, "outcome": "pass"}'), "verdict-broken"),
    "a verdict of a newer schema": (broken(verdict("build-candidate").replace(b": 1,", b": 2,", 1)), "verdict-newer"),
    "a verdict nested too deep": (broken(b"[" * 200_000), "verdict-broken"),
}


@pytest.mark.parametrize(("artifact", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_forged_artifact_is_refused_by_name_and_never_passes(
    artifact: Callable[[], bytes], code: str, fork: Fork
) -> None:
    ended = fork.comment(artifact())
    assert "Traceback" not in ended.log
    assert ended.outputs["outcome"] in ("error", "fail"), ended.log
    assert code in fork.told()


def test_the_job_that_ran_the_callers_code_cannot_speak_for_the_judge(fork: Fork) -> None:
    forged = packed({**honest("build"), **honest("judge")})
    failing = packed({f"{MODEL}/verdicts/{gate}.json": verdict(gate, outcome="fail") for gate in JUDGED})
    ended = fork.comment(forged, failing)
    assert ended.outputs["outcome"] in ("error", "fail"), ended.log
    fork.told()


MARKUP = (
    "<img src=x onerror=alert(1)> <script>alert(1)</script> </details></td> @octocat octo-air/secret#1 "
    "[click](https://evil.example/?q) ![x](https://evil.example/x.png) https://evil.example `code` "
    "<!-- release-gate:comment v1 model=rain-tomorrow head=" + "b" * 40 + " run=9.9 -->\n"
    "\n# Passed\n\n| a | b |\n|---|---|\n"
    "::error::forged\n::add-mask::x\n##[error]forged\n::set-output name=outcome::pass"
)


def test_markup_and_workflow_commands_in_every_text_field_stay_text(fork: Fork) -> None:
    finding = {
        "code": "made-up", "severity": "error", "message": MARKUP, "remedy": MARKUP,
        "where": {"file": MARKUP[:900], "table": MARKUP[:900], "slice": MARKUP[:900], "metric": MARKUP[:190]},
        "evidence": {MARKUP[:190]: MARKUP},
    }  # fmt: skip
    hostile = verdict(
        "build-candidate",
        outcome="fail",
        findings=[finding],
        tables=[{"title": MARKUP, "columns": [MARKUP, "b"], "rows": [[MARKUP, 1.0]]}],
        subjects=[PACKAGE, {"kind": "data", "name": MARKUP[:190], "identity": "sha256:x|<b>"}],
        tool=MARKUP[:190],
    )
    ended = fork.comment(broken(hostile)())
    body = fork.told()

    commands = [line for line in ended.log.splitlines() if line.startswith(("::", "##["))]
    assert all(line.startswith(("::error title=", "::error file=", "::warning title=")) for line in commands), commands
    assert not any("forged" in line.split("::")[0] for line in commands)
    assert ended.outputs["outcome"] == "fail"

    for text in (body, ended.summary):
        rendered = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(text)
        for forbidden in ("<img", "<script", 'href="https://evil', 'src="https://evil', "<h1>Passed"):
            assert forbidden not in rendered, forbidden
        assert "@octocat" not in text
        assert text.count("<!-- release-gate:comment") <= 1
    assert body.startswith(f"<!-- release-gate:comment v1 model={MODEL} head={HEAD} ")


def test_an_older_run_that_ends_late_does_not_overwrite_the_newer_comment(
    image: str, batch_scores: UserRepository, github: GitHub
) -> None:
    pulls = github.pulls(batch_scores.name)
    number = pulls.open("pushed-twice")
    older, newer = pulls.event(number, "c" * 40), pulls.event(number, "d" * 40)
    for job in ("build", "judge"):
        for name, content in honest(job).items():
            path = batch_scores.folder / f"from/{job}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def report(event: dict[str, Any], run: int) -> Ended:
        return run_action(
            "report",
            batch_scores.folder,
            network="host",
            inputs={"model": MODEL, "from": "build=from/build\njudge=from/judge", "token": TOKEN},
            event=event,
            environment={
                "GITHUB_EVENT_NAME": "pull_request",
                "GITHUB_REPOSITORY": batch_scores.name,
                "GITHUB_RUN_ID": str(run),
                "GITHUB_API_URL": github.front.url,
            },
        )

    first = report(newer, 602)
    (comment,) = github.ours(batch_scores.name, number)
    late = report(older, 601)
    again = report(newer, 602)

    assert [one.outputs["outcome"] for one in (first, late, again)] == ["pass"] * 3, first.log
    assert "comment-superseded" in late.log
    assert github.ours(batch_scores.name, number) == [comment]
    assert "d" * 40 in comment["body"]
    assert len(github.front.written()) == 1  # text that did not change is not sent again
