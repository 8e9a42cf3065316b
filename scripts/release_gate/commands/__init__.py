"""The commands: each gathers facts, lets the pure rooms decide, acts, and emits the result.

`TABLE` is all that `--help` needs, so that no command is imported before it is called.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """Where a command lives and what it is for."""

    group: str
    module: str
    help: str
    name: str = "command"


TABLE: dict[str, Entry] = {
    "init": Entry("start", "init", "Draft release-gate.yml, a contract and the caller workflows."),
    "config": Entry("start", "config", "Check release-gate.yml, or print its JSON Schema."),
    "setup": Entry("start", "setup", "Make the caller's environment from its lock file."),
    "check": Entry("pull request", "check", "Run every pull-request gate, as gate.yml runs them."),
    "schema-check": Entry("pull request", "schema_check", "Does the data keep its contract?"),
    "transform-tests": Entry(
        "pull request", "transform_tests", "Do feature tests pass, and training and serving agree?"
    ),
    "build-candidate": Entry("pull request", "build_candidate", "Train, predict, record golden predictions, seal."),
    "endpoint-test": Entry("pull request", "endpoint_test", "Does the packaged server start and answer?"),
    "threshold-comparison": Entry("pull request", "threshold_comparison", "Good enough, and no worse than production?"),
    "rollback-readiness": Entry("pull request", "rollback_readiness", "Could this change be taken back, and by whom?"),
    "report": Entry("pull request", "report", "Verdicts into one comment, summary, annotations, outcome."),
    "publish-artifact": Entry("release", "publish_artifact", "Store the sealed package and register it."),
    "deploy": Entry("release", "deploy", "Give a version its traffic in steps, watched, with a way back."),
    "rollback": Entry("release", "rollback", "Return to the last known good version."),
    "smoke-test": Entry("release", "smoke_test", "Does what serves answer, with the right version?"),
    "list": Entry("history", "list", "The registered versions: what each was made from, what it is now."),
    "log": Entry("history", "log", "What happened to a model, when, by whom."),
    "show": Entry("history", "show", "One version: what it is made of."),
    "who": Entry("history", "who", "Who decides now, why, and until when."),
    "hold": Entry("history", "holds", "Freeze releases, or let them go on.", "hold"),
    "block": Entry("history", "holds", "Forbid a version to serve again.", "block"),
    "unblock": Entry("history", "holds", "Let a blocked version serve again.", "unblock"),
    "contract": Entry("contract", "contract", "Infer, compare or show contracts."),
}
