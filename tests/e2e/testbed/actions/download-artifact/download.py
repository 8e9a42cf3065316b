"""Fetch artifacts of this run and unpack them, as download-artifact does."""

import fnmatch
import io
import json
import os
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path


def main() -> int:
    """Download; 1 when one artifact was named and is not there."""
    server = f"{os.environ['TESTBED_ARTIFACTS']}/{os.environ['GITHUB_RUN_ID']}"
    with urllib.request.urlopen(server + "/") as answer:
        names: list[str] = json.load(answer)
    wanted = os.environ["NAME"]
    found = [
        name for name in names if name == wanted or (not wanted and fnmatch.fnmatch(name, os.environ["PATTERN"] or "*"))
    ]
    if wanted and not found:
        print(f"::error::Unable to download artifact(s): Artifact not found for name: {wanted}")
        return 1
    for name in found:
        target = Path(os.environ["TARGET"])
        if not wanted and os.environ["MERGE"] != "true":
            target /= name
        target.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"{server}/{urllib.parse.quote(name)}") as answer:
            zipfile.ZipFile(io.BytesIO(answer.read())).extractall(target)
        print(f"{name} -> {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
