"""Says what became of a release, from how its jobs ended: a job that was skipped counts as passed on GitHub.

Nothing is concluded from what is missing: every job that had to succeed must have, and every other one is named. Runs
on the runner's own Python, with nothing installed.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

DEPLOYED, REGISTERED, FAILED = "deployed", "registered", "failed"
JOBS = ("known", "gate", "publish", "deploy", "recover")


def results(text: str) -> dict[str, str]:
    """`name=end` lines as a mapping."""
    return dict(line.strip().partition("=")[::2] for line in text.splitlines() if line.strip())


def versions(text: str) -> list[str] | None:
    """The versions to deploy; None where that is not known."""
    try:
        return [str(one["version"]) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError):
        return None


def conclude(ends: Mapping[str, str], known: str, outcome: str, to_deploy: list[str] | None) -> tuple[str, list[str]]:
    """What became of the release, and why it failed where it did."""
    if ends.get("known") == "skipped":
        told = "this run was not started by a push to the branch that is released: restrict the caller's trigger to it"
        return FAILED, [told]
    if ends.get("known") != "success":
        return FAILED, ["whether this commit is registered already could not be found out"]
    if known != "true":
        if ends.get("gate") != "success" or outcome != "pass":
            return FAILED, [f"the gates did not pass: {outcome or 'no outcome'}"]
        if ends.get("publish") != "success":
            return FAILED, ["the package was judged and passed, but it was not registered"]
    if to_deploy is None:
        return FAILED, ["which versions are to be deployed is not known"]
    if not to_deploy:
        return REGISTERED, []
    if ends.get("deploy") == "success":
        return DEPLOYED, []
    taken_back = {
        "success": "what was under way was taken back by the job recover",
        "skipped": "nothing had to be taken back",
    }
    undone = taken_back.get(
        ends.get("recover", ""), "and the job recover did not end well: look at the target, or run the rollback"
    )
    return FAILED, ["the version is registered, but it was not rolled out to the end", undone]


def summary(end: str, why: list[str], ends: Mapping[str, str], to_deploy: list[str] | None) -> str:
    """The job's summary, Markdown; every word in it is ours, GitHub's, or a digest."""
    lines = [f"## Release: {end}", "", *(f"- {one}" for one in why)]
    lines += [f"- version `{one[:19]}`" for one in to_deploy or [] if set(one) <= set("sha256:0123456789abcdef")]
    lines += ["", "| job | ended with |", "|---|---|"]
    lines += [f"| {name} | {ends.get(name, 'unknown')} |" for name in JOBS]
    return "\n".join(lines) + "\n"


def main(environ: Mapping[str, str]) -> int:
    """Write outcome and summary; 1 unless the release was made."""
    ends = results(environ.get("INPUT_RESULTS", ""))
    to_deploy = versions(environ.get("INPUT_VERSIONS", ""))
    end, why = conclude(ends, environ.get("INPUT_KNOWN", ""), environ.get("INPUT_OUTCOME", ""), to_deploy)
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"outcome={end}\n")
    with Path(environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
        file.write(summary(end, why, ends, to_deploy))
    sys.stdout.write("".join(f"::error::{one}\n" for one in why) + f"release: {end}\n")
    return int(end == FAILED)


if __name__ == "__main__":
    sys.exit(main(os.environ))
