"""Release gate for ML systems: from pull request to production, and back."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("release-gate")
