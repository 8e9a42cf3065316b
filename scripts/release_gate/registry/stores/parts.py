"""Files of a package on their way into a store: each with the key it gets and what it must prove to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from release_gate.findings import BadInput


@dataclass(frozen=True)
class Part:
    """A file to bring: `digest` is `sha256:…`."""

    key: str
    path: Path
    digest: str
    size: int

    def proven(self, found: str, what: str) -> None:
        """Hold a hex sha256 against what it should be.

        Raises:
            BadInput: `package-corrupt`.
        """
        if f"sha256:{found}" != self.digest:
            message = f"{what}: {self.key} is not what its digest says: {self.digest}, found {found}"
            raise BadInput.because("package-corrupt", message)
