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
    "report": Entry("pull request", "report", "Verdicts into one comment, summary, annotations, outcome."),
    "publish-artifact": Entry("release", "publish_artifact", "Store the sealed package and register it."),
    "log": Entry("history", "log", "What happened to a model, when, by whom."),
    "show": Entry("history", "show", "One version: what it is made of."),
    "contract": Entry("contract", "contract", "Infer, compare or show contracts."),
}
