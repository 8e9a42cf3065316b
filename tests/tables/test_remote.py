"""Files behind URLs: a real HTTP server, and an S3 API in a process of its own."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from release_gate.contracts.contract import Column, Contract, Kind
from release_gate.findings import BadInput
from release_gate.tables.embedded import Embedded
from release_gate.tables.places import Data, data_at
from release_gate.tables.remote import PROTOCOL, Meta, _Ranges
from release_gate.tables.scan import scanned
from tests.registry.conftest import S3, s3, s3_server  # noqa: F401 - fixtures

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, in pieces; the tag is that of their content."""

    def do_HEAD(self) -> None:
        self._send(body=False)

    def do_GET(self) -> None:
        self._send(body=True)

    def _send(self, *, body: bool) -> None:
        path = Path(self.translate_path(self.path))
        if "forbidden" in self.path:
            return self.send_error(403)
        if not path.is_file():
            return self.send_error(404)
        content, asked = path.read_bytes(), self.headers.get("Range")
        tag = f'"{hash(content)}"'
        self.send_response(206 if asked else 200)
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            last = min(int(end or len(content) - 1), len(content) - 1)
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
            content = content[int(start) : last + 1]
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(Ranges, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def put(folder: Path) -> None:
    pq.write_table(pa.table({"a": list(range(5000)), "b": ["x"] * 5000}), folder / "t.parquet", row_group_size=1000)
    text = "a,b\n" + "".join(f"{row},x\n" for row in range(5000))
    (folder / "t.csv").write_text(text)
    (folder / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "t.jsonl").write_text("".join(f'{{"a":{row},"b":"x"}}\n' for row in range(5000)))


def at(url: str, **environment: str) -> Data:
    return data_at(Path("/nowhere"), url, now=NOW, environment=environment)


def counted(place: Data) -> tuple[Any, ...]:
    relation = place.open()
    try:
        table, held = relation.table, [one.held for one in relation.shape.columns]
        ((rows, most),) = relation.rows(table.aggregate(rows=table.count(), most=table[held[0]].cast("int64").max()))
        assert relation.query("SELECT count(*) FROM {table}", None) == rows
        return rows, most, [one.name for one in relation.shape.columns]
    finally:
        relation.close()


def refusal(url: str, **environment: str) -> tuple[str, str, str]:
    with pytest.raises(BadInput) as caught:
        at(url, **environment)
    (found,) = caught.value.findings
    return found.code, found.message, found.remedy or ""


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.csv.gz", "t.jsonl", "t.parquet?X-Amz-Signature=0123456789"])
def test_every_format_is_read_over_http(served: str, tmp_path: Path, name: str) -> None:
    put(tmp_path)
    place = at(f"{served}/{name}")
    assert counted(place) == (5000, 4999, ["a", "b"])
    assert place.identity().startswith("etag:")
    assert "0123456789" not in place.shown


def test_a_file_replaced_meanwhile_is_seen(served: str, tmp_path: Path) -> None:
    put(tmp_path)
    place = at(f"{served}/t.csv")
    before = place.state()
    assert place.state() == before
    (tmp_path / "t.csv").write_text("a,b\n1,y\n")
    assert place.state() != before


def test_what_is_not_there_or_not_allowed_is_told_as_such(served: str, tmp_path: Path) -> None:
    assert refusal(f"{served}/t.parquet")[0] == "file-missing"
    assert refusal(f"{served}/forbidden.parquet")[0] == "data-credentials"
    assert "no files can be listed over http" in refusal(f"{served}/*.parquet")[1]
    assert refusal("http://127.0.0.1:1/t.parquet")[0] == "data-unreachable"


def test_another_machine_is_read_over_https_only() -> None:
    code, message, remedy = refusal("http://example.org/t.parquet")
    assert (code, remedy) == ("data-unreachable", "Give an https address.")
    assert "without encryption" in message


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("s3://b/t.parquet", "AWS_ACCESS_KEY_ID"),
        ("gs://b/t.parquet", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://b/t.parquet", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_a_url_without_credentials_says_which_variables_to_set(url: str, variable: str) -> None:
    code, _, remedy = refusal(url)
    assert code == "data-credentials"
    assert variable in remedy


def test_a_broken_file_is_refused_without_our_own_name_for_it(served: str, tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:-5])
    with pytest.raises(BadInput) as caught:
        at(f"{served}/t.parquet").open()
    (found,) = caught.value.findings
    assert found.code == "file-unreadable"
    assert "gate://" not in found.message


def test_a_gzip_that_was_cut_is_refused(served: str, tmp_path: Path) -> None:
    put(tmp_path)
    whole = (tmp_path / "t.csv.gz").read_bytes()
    for content in (whole[:-4], whole[: len(whole) // 2]):
        (tmp_path / "t.csv.gz").write_bytes(content)
        with pytest.raises(BadInput) as caught:
            at(f"{served}/t.csv.gz").open()
        (found,) = caught.value.findings
        assert found.code == "file-unreadable"
        assert "gate://" not in found.message


def test_buckets_are_read_by_name_and_by_pattern(s3: S3, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    put(tmp_path)
    s3.asked("PUT", f"/{s3.bucket}")
    for day in (1, 2):
        content = (tmp_path / "t.parquet").read_bytes()
        s3.asked("PUT", f"/{s3.bucket}/days/day%3D{day}/t.parquet", content)
    s3.asked("PUT", f"/{s3.bucket}/days/notes.csv", b"a\n1\n")
    environment = dict(s3.environment)
    place = at(f"s3://{s3.bucket}/days/**/*.parquet", **environment)
    assert counted(place) == (10_000, 4999, ["a", "b", "day"])
    assert place.identity().startswith("etags:")
    assert counted(at(f"s3://{s3.bucket}/days/notes.csv", **environment)) == (1, 1, ["a"])
    assert refusal(f"s3://{s3.bucket}/days/*.parquet", **environment)[0] == "file-missing"
    before = place.state()
    s3.asked("PUT", f"/{s3.bucket}/days/day%3D2/t.parquet", (tmp_path / "t.csv").read_bytes())
    assert place.state() != before
    before = place.state()
    assert place.state() == before
    s3.asked("PUT", f"/{s3.bucket}/days/day%3D3/t.parquet", (tmp_path / "t.parquet").read_bytes())
    assert place.state() != before


class Ending:
    """A store whose reader is interrupted after so many reads."""

    def __init__(self, content: bytes, reads: int) -> None:
        self.content = content
        self.left = reads

    def get_range(self, _: str, *, start: int, length: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.content[start : start + length]


@pytest.mark.parametrize("reads", [0, 1])  # the footer, the columns
def test_an_end_in_the_middle_of_a_read_stays_an_end(tmp_path: Path, reads: int) -> None:
    put(tmp_path)
    content, name = (tmp_path / "t.parquet").read_bytes(), f"{PROTOCOL}://0/t.parquet"
    contract = Contract("made", "1.0.0", (Column("a", Kind.INTEGER, unique=True), Column("b", Kind.STRING)))
    engine = Embedded(contract=contract)
    engine.filesystem(_Ranges(Ending(content, reads), {name: Meta("t.parquet", len(content), None, "")}))
    try:
        with pytest.raises(KeyboardInterrupt):
            scanned(engine.parquet({name: "t.parquet"}), contract, "t.parquet")
    finally:
        engine.close()
