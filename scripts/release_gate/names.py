"""Names that are ours in a caller's repository."""

from __future__ import annotations

FILE = "release-gate.yml"
"""The configuration."""
RUN = ".release-gate/run"
"""The folder through which the gates of one run hand results on."""
