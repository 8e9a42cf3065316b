"""The tiny repository of a user, for commands that run a caller's code."""

from tests.commands.served import released_once, served  # noqa: F401 - fixtures
from tests.tiny.fixtures import built, built_once, cache, project  # noqa: F401 - fixtures
