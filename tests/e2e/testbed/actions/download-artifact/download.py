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
    """Download; 1 when one artifact was named, or ids were given, and nothing is there."""
    server = f"{os.environ['TESTBED_ARTIFACTS']}/{os.environ['GITHUB_RUN_ID']}"
    with urllib.request.urlopen(server + "/") as answer:
        numbers: dict[str, int] = json.load(answer)
    wanted, ids = os.environ["NAME"], [int(one) for one in os.environ["IDS"].split(",") if one.strip()]
    pattern = os.environ["PATTERN"] or "*"
    found = [
        name
        for name, number in numbers.items()
        if (name == wanted if wanted else number in ids if ids else fnmatch.fnmatch(name, pattern))
    ]
    if (wanted or ids) and not found:
        print(f"::error::Unable to download artifact(s): Artifact not found for name or id: {wanted or ids}")
        return 1
    for name in found:
        target = Path(os.environ["TARGET"])
        if not wanted and not (ids and len(found) == 1) and os.environ["MERGE"] != "true":
            target /= name
        target.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"{server}/{urllib.parse.quote(name)}") as answer:
            zipfile.ZipFile(io.BytesIO(answer.read())).extractall(target)
        print(f"{name} -> {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
