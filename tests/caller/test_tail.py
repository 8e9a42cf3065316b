from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from release_gate.caller.tail import CHARACTERS, LINES, WIDTH, Tail


def fed(*pieces: bytes) -> Tail:
    tail = Tail()
    for piece in pieces:
        tail.feed(piece)
    return tail


def overwritten(line: str) -> str:
    """What a terminal that clears the line at each carriage return shows of it at last."""
    return next((part for part in reversed(line.split("\r")) if part), "")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r")), max_size=50), st.data())
def test_short_output_comes_back_whole_however_it_is_cut(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert fed(*pieces).text() == "\n".join(lines).removesuffix("\n")


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_any_bytes_stay_within_the_bounds(pieces: list[bytes]) -> None:
    text = fed(*pieces).text()
    assert len(text) <= CHARACTERS
    assert text.count("\n") < LINES


@given(st.text(st.sampled_from("ab\r"), max_size=30), st.integers(0, 30))
def test_a_carriage_return_starts_the_line_over(line: str, cut: int) -> None:
    raw = line.encode()
    assert fed(raw[:cut], raw[cut:], b"\nend").text() == f"{overwritten(line)}\nend"


@given(st.integers(1, 1000), st.integers(1, 3000))
def test_the_last_lines_are_kept(count: int, piece: int) -> None:
    text = b"".join(b"%d\n" % number for number in range(count))
    tail = fed(*(text[start : start + piece] for start in range(0, len(text), piece)))
    assert tail.text().split("\n") == [str(number) for number in range(count)][-LINES:]


def test_an_unfinished_line_is_among_the_last() -> None:
    lines = fed(b"x\n" * 500 + b"open").text().split("\n")
    assert (len(lines), lines[-1]) == (LINES, "open")


def test_a_long_line_is_cut_and_the_rest_counted() -> None:
    assert fed(b"a" * WIDTH, b"b" * 10, b"\nnext").text() == "a" * WIDTH + " … (10 characters more)\nnext"


def test_long_lines_are_dropped_before_they_fill_the_memory() -> None:
    text = fed(*[b"%d" % n + b"y" * WIDTH + b"\n" for n in range(100)]).text()
    assert len(text) <= CHARACTERS
    assert text.split("\n")[-1].startswith("99y")


def test_the_last_line_is_the_one_being_written() -> None:
    tail = fed(b"one\ntwo\n")
    assert tail.last == "two"
    tail.feed(b"three")
    assert tail.last == "three"
    assert Tail().last == ""
