"""GitHub's API and the runner's files; composes no text."""
