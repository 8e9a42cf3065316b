"""The tiny repository of a user, for commands that run a caller's code."""

from tests.tiny.fixtures import built, built_once, cache, project  # noqa: F401 - fixtures
