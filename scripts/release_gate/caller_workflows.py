"""The workflows that a repository calls ours by, as `init` writes them: a trigger can stand in the caller's files only.

What they grant is exactly what ours ask for, and what a later one of the same major version will: GitHub ends a run at
its start where a nested job asks for more, so a grant can't be added later.
"""

from __future__ import annotations

from dataclasses import dataclass

CALLER = """# Every pull request is judged (the check to require: `gate / verdict`); what is merged is released.
name: release-gate
on:
  pull_request:
  merge_group:
  push: {{branches: [{branch}]}}
permissions: {{}}
jobs:
  gate:
    if: github.event_name != 'push'
    uses: {repository}/.github/workflows/gate.yml@{ref}
    permissions:
      contents: read          # to check out the code under judgment
      pull-requests: write    # for the one comment
  release:
    if: github.event_name == 'push'
    uses: {repository}/.github/workflows/release.yml@{ref}
    permissions:
      attestations: write     # no job takes it yet: granted now, since one that is added later stops every run
      contents: write         # for the ledger where it is a branch, and the revert
      deployments: write      # for what serves, on the environment's page
      id-token: write         # for a cloud login by .github/actions/release-gate-setup
      packages: write         # no job takes it yet, as attestations
      pull-requests: write    # for telling the pull request that was merged
    # secrets: {{release-gate-env: "${{{{ secrets.RELEASE_GATE_ENV }}}}"}}   # NAME=value lines its server needs
    with:
      # The label of the runner that reaches your target. Caddy and HAProxy need self-hosted ones on its machine: two
      # runner processes under one user, one for this and one for the rollback, which must not wait for a rollout.
      deploy-runs-on: ubuntu-latest
"""

COMMENT_CALLER = """# Pull requests of forks run without a token that may write: their comment is posted from here.
name: release-gate-comment
on:
  workflow_run:
    workflows: [release-gate]
    types: [completed]
permissions: {{}}
jobs:
  comment:
    if: github.event.workflow_run.event == 'pull_request'
    uses: {repository}/.github/workflows/comment.yml@{ref}
    permissions:
      actions: read           # to read the run's artifacts
      contents: read          # for release-gate.yml of the default branch
      pull-requests: write    # for the one comment
"""

ROLLBACK_CALLER = """\
# Actions -> Rollback -> Run workflow: the last known good version serves again. No reviewer is asked.
name: Rollback
on:
  workflow_dispatch:
    inputs:
      version:
        description: Version to restore, a digest or its beginning; the last known good when empty
        type: string
        default: ""
      because:
        description: Why
        type: string
        default: ""
      model:
        description: Model, where release-gate.yml holds several
        type: string
        default: ""
permissions: {{}}
jobs:
  rollback:
    uses: {repository}/.github/workflows/rollback.yml@{ref}
    permissions:
      contents: write         # for the ledger where it is a branch, and the revert
      deployments: write      # for what serves, on the environment's page
      id-token: write         # for a cloud login by .github/actions/release-gate-setup
      pull-requests: write    # for the revert, and telling the pull request that is rolled back
    # secrets: {{release-gate-env: "${{{{ secrets.RELEASE_GATE_ENV }}}}"}}   # as in release-gate.yml
    with:
      version: ${{{{ inputs.version }}}}
      because: ${{{{ inputs.because }}}}
      model: ${{{{ inputs.model }}}}
      # As deploy-runs-on in release-gate.yml, for a second runner on that machine; and `python-version`, if it has one.
      runs-on: ubuntu-latest
"""


@dataclass(frozen=True)
class Caller:
    """A caller workflow: where it stands, what it is for, and its text with places for repository, ref and branch."""

    path: str
    purpose: str
    text: str


CALLERS = {
    "gate": Caller(
        ".github/workflows/release-gate.yml", "judges every pull request, and releases what is merged", CALLER
    ),
    "comment": Caller(
        ".github/workflows/release-gate-comment.yml", "posts the comment on pull requests of forks", COMMENT_CALLER
    ),
    "rollback": Caller(
        ".github/workflows/release-gate-rollback.yml",
        "Actions → Rollback → Run brings the last known good version back",
        ROLLBACK_CALLER,
    ),
}
