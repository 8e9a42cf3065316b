"""Zip what `path` names and put it on the artifact server, as upload-artifact does."""

import io
import itertools
import os
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path


def chosen(patterns: list[str], hidden: bool) -> tuple[Path, list[Path]]:
    """Return the least common folder of what was searched, and the files found there."""
    files: set[Path] = set()
    searched: list[Path] = []
    for pattern in patterns:
        fixed = Path(*itertools.takewhile(lambda part: "*" not in part, Path(pattern).parts))
        searched.append(fixed.parent if fixed.is_file() else fixed)
        for match in Path().glob(os.path.normpath(pattern)):
            files |= {file for file in match.rglob("*") if file.is_file()} if match.is_dir() else {match}
    if not hidden:
        files = {file for file in files if not any(part.startswith(".") for part in file.parts if part != ".")}
    return Path(os.path.commonpath(searched)), sorted(files)


def main() -> int:
    """Upload; 1 when there is nothing to upload and that is an error."""
    name = os.environ["NAME"]
    root, files = chosen(os.environ["ARTIFACT_PATH"].split(), os.environ["HIDDEN"] == "true")
    if not files:
        print(f"::{'error' if os.environ['IF_NONE'] == 'error' else 'warning'}::No files were found for {name}")
        return 1 if os.environ["IF_NONE"] == "error" else 0
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(str(file.relative_to(root)), file.read_bytes())  # no execute bits, as the real one
    where = f"{os.environ['TESTBED_ARTIFACTS']}/{os.environ['GITHUB_RUN_ID']}/{urllib.parse.quote(name)}"
    put = urllib.request.Request(where, data=content.getvalue(), method="PUT")
    put.add_header("X-Overwrite", os.environ["OVERWRITE"])
    with urllib.request.urlopen(put) as answer:
        number = answer.read().decode()
        print(f"{name}: {len(files)} files, {len(content.getvalue())} bytes, {answer.status}, id {number}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"artifact-id={number}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
