"""YAML of people: safe to read, and every mistake has its place."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from release_gate.documents import MAXIMUM_BYTES, Duration, Share, parse, read, validated
from release_gate.findings import BadInput


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    wait: Duration = 1.0
    part: Share = 0.0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner = Inner()
    several: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(10))}]\n".encode()
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (b"a: [1, 2", "f.yml:1:9", "flow sequence"),
        (b"a: 1\nb: {c: 1, c: 2}", "f.yml:2:11", "'c' is given twice"),
        (b"a: !!python/object/apply:os.system [ls]", "f.yml:1:4", None),
        (b"a: !!python/name:os.system x", "f.yml:1:4", "is not read here"),
        (b"a: !mine x", "f.yml:1:4", "tag !mine"),
        (b"? [1, 2]\n: 3", "f.yml:1:3", "plain word"),
        (BOMB, None, "multiplies"),
        (b"a: &a [*a]", None, "nested too deeply"),
        (b"[" * 5000, None, None),
        (b"\xff\xfe\xfa", "f.yml:1:1", "not UTF-8"),
        (b"#" * (MAXIMUM_BYTES + 1), "f.yml:1:1", "more than"),
        (b"a: 1\n---\nb: 2", None, "single document"),
    ],
)
def test_what_is_not_our_yaml_is_refused_with_its_place(text: bytes, place: str | None, words: str | None) -> None:
    if b"apply" in text:
        # A tag on a sequence is passed over: nothing is constructed from it.
        assert parse(text, "f.yml").value == {"a": ["ls"]}
        return
    with pytest.raises(BadInput) as refusal:
        parse(text, "f.yml")
    (found,) = refusal.value.findings
    assert found.code == "config-syntax"
    assert place is None or str(found.where) == place
    assert words is None or words in found.message


def test_only_the_json_like_core_is_read() -> None:
    text = (
        b"on: no\nday: 2026-01-01\nclock: 12:30\nmany: 1_000\noctal: 010\nnothing: ~\nyes: true\nhalf: .5\nname: 1.0.0"
    )
    assert parse(text, "f").value == {
        "on": "no", "day": "2026-01-01", "clock": "12:30", "many": "1_000", "octal": 10,
        "nothing": None, "yes": True, "half": 0.5, "name": "1.0.0",
    }  # fmt: skip


def test_an_empty_document_is_nothing() -> None:
    assert parse(b"", "f").value is None
    assert parse(b"# only words\n", "f").value is None


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | PRINTABLE,
        lambda inner: st.lists(inner) | st.dictionaries(PRINTABLE, inner),
        max_leaves=20,
    )
)
def test_json_is_read_as_json(value: object) -> None:
    assert parse(json.dumps(value, ensure_ascii=False).encode(), "f").value == value


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with contextlib.suppress(BadInput):
        parse(text, "f")


def test_every_mistake_is_told_at_once_with_its_place_and_a_suggestion() -> None:
    document = parse(
        b"iner: 1\nseveral:\n  - {wait: 5s, prt: 1}\n  - {wait: soon}\nby_name:\n  x: {part: 120%}\n", "f.yml"
    )
    with pytest.raises(BadInput) as refusal:
        validated(document, Outer)
    told = [(str(found.where), found.code, found.message) for found in refusal.value.findings]
    assert [place for place, _, _ in told] == ["f.yml:1:1", "f.yml:3:16", "f.yml:4:6", "f.yml:6:7"]
    assert "did you mean 'inner'?" in told[0][2]
    assert "did you mean 'part'?" in told[1][2]
    assert "200ms, 30s" in told[2][2]
    assert "'soon'" in told[2][2]
    assert "between 0% and 100%" in told[3][2]


@pytest.mark.parametrize(
    ("written", "seconds"), [("200ms", 0.2), ("30s", 30), ("5m", 300), ("1.5h", 5400), ("1d", 86400)]
)
def test_durations_have_units(written: str, seconds: float) -> None:
    assert validated(parse(f"wait: {written}".encode(), "f"), Inner).wait == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["30", "s", "-3s", "1 fortnight", "true"])
def test_a_duration_without_a_known_unit_is_refused(written: str) -> None:
    with pytest.raises(BadInput):
        validated(parse(f"wait: {written}".encode(), "f"), Inner)


@pytest.mark.parametrize(("written", "share"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1), ("0", 0)])
def test_shares_are_percentages_or_numbers(written: str, share: float) -> None:
    assert validated(parse(f"part: {written}".encode(), "f"), Inner).part == pytest.approx(share)


def test_files_that_are_missing_or_unreadable_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.yml does not exist"):
        read(tmp_path / "none.yml", shown="none.yml")
    with pytest.raises(BadInput, match="can't be read"):
        read(tmp_path)
    (tmp_path / "some.yml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read(tmp_path / "some.yml").value == {"a": 1}
