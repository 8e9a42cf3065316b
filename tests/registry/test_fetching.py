"""Files brought from elsewhere: https only, in pieces, refused where they do not come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from release_gate.findings import BadInput, CannotJudge
from release_gate.registry import fetching
from release_gate.registry.fetching import download, local

URL = "https://models.octo-air.example/m.tar?signature=secret"


class Answers:
    """A session that gives one answer."""

    def __init__(
        self, status: int = 200, pieces: tuple[bytes, ...] = (b"ab", b"c"), error: Exception | None = None
    ) -> None:
        self.status_code, self.pieces, self.error = status, pieces, error
        self.asked: list[tuple[str, str]] = []

    def request(self, method: str, url: str, /, **options: Any) -> Any:
        assert options["stream"]
        assert options["timeout"]
        self.asked.append((method, url))
        if self.error:
            raise self.error
        return self

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        yield from self.pieces

    def close(self) -> None:
        """Nothing is held."""


def test_a_file_comes_in_pieces(tmp_path: Path) -> None:
    session = Answers()
    assert download(session, URL, tmp_path / "new" / "m.tar").read_bytes() == b"abc"
    assert session.asked == [("GET", URL)]


@pytest.mark.parametrize(
    ("session", "url", "kind"),
    [
        (Answers(), "http://models.octo-air.example/m", BadInput),
        (Answers(), "file:///etc/passwd", BadInput),
        (Answers(404), URL, CannotJudge),
        (Answers(error=requests.ConnectionError(f"refused {URL}")), URL, CannotJudge),
        (Answers(pieces=(b"12345", b"67890")), URL, CannotJudge),
    ],
)
def test_what_does_not_come_is_told_without_the_signature(
    tmp_path: Path, session: Answers, url: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST", 8)
    with pytest.raises(kind, match="candidate-unreachable") as refusal:
        download(session, url, tmp_path / "m")
    assert "secret" not in str(refusal.value)


def test_a_path_counts_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_text("1")
    assert local(tmp_path, "m.bin").read_text() == "1"
    with pytest.raises(BadInput, match="file-missing"):
        local(tmp_path, "absent")
