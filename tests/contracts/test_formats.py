from __future__ import annotations

import ipaddress
import uuid
from base64 import b64encode

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.contracts.contract import Kind, Rule, RuleKind
from release_gate.contracts.patterns import unreadable
from release_gate.contracts.standards import formats


def matches(format_: str, text: str) -> bool:
    """Whether a text is of a format, by the engine that contracts are run with."""
    rules = formats.demanded(Kind.STRING, format_)
    assert rules
    (rule,) = rules
    return bool(pc.match_substring_regex(pa.array([text]), str(rule.value))[0].as_py())


def is_address(text: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return "%" not in text  # a zone belongs to a machine, not to the address


@pytest.mark.parametrize(
    ("format_", "right", "wrong"),
    [
        ("email", ["a@example.org", "a.b+c@d"], ["a", "a@", "@b", "a@-b", "a b@c", "a@b."]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000", "", "x" * 36]),
        ("uri", ["https://example.org/a?b#c", "urn:isbn:1", "mailto:a@b"], ["example.org", "1a:b", "a b:c", "a:"]),
        ("hostname", ["example.org", "a", "1.a-b"], ["-a", "a-", "a..b", "", "a_b", "a" * 64]),
        ("ipv4", ["0.0.0.0", "255.1.22.199"], ["256.1.1.1", "1.1.1", "01.1.1.1", "1.1.1.1\n"]),
        ("byte", ["", "YQ==", "YWI=", "YWJj"], ["Y", "YQ=", "YW*j", "YQ==YQ=="]),
    ],
)
def test_texts_are_told_by_their_format(format_: str, right: list[str], wrong: list[str]) -> None:
    assert [text for text in right if not matches(format_, text)] == []
    assert [text for text in wrong if matches(format_, text)] == []


@given(st.ip_addresses(v=6))
def test_every_address_is_one_in_its_short_and_its_long_form(address: ipaddress.IPv6Address) -> None:
    assert matches("ipv6", str(address))
    assert matches("ipv6", address.exploded)


@given(st.from_regex(r"\A[0-9a-f:]{2,12}(\.[0-9]{1,3}){0,4}\Z"))
def test_what_python_takes_for_no_address_is_none(text: str) -> None:
    assert matches("ipv6", text) == is_address(text, ipaddress.IPv6Address)


@given(st.from_regex(r"\A[0-9]{1,3}(\.[0-9]{1,3}){2,4}\Z"))
def test_four_octets_are_told_as_python_does(text: str) -> None:
    assert matches("ipv4", text) == is_address(text, ipaddress.IPv4Address)


@given(st.uuids(), st.binary(max_size=30))
def test_what_python_writes_is_of_the_format(identity: uuid.UUID, content: bytes) -> None:
    assert matches("uuid", str(identity))
    assert matches("byte", b64encode(content).decode())


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_the_width_of_an_integer_is_its_range(bits: int) -> None:
    assert formats.demanded(Kind.INTEGER, f"i{bits}") == [
        Rule(RuleKind.AT_LEAST, -(2 ** (bits - 1))),
        Rule(RuleKind.AT_MOST, 2 ** (bits - 1) - 1),
    ]
    assert formats.demanded(Kind.INTEGER, f"u{bits}") == [
        Rule(RuleKind.AT_LEAST, 0),
        Rule(RuleKind.AT_MOST, 2**bits - 1),
    ]


def test_wider_integers_than_any_file_holds_demand_no_more_than_a_sign() -> None:
    assert formats.demanded(Kind.INTEGER, "i128") == []
    assert formats.demanded(Kind.INTEGER, "u128") == [Rule(RuleKind.AT_LEAST, 0)]


@pytest.mark.parametrize(
    ("kind", "format_", "judged"),
    [
        (Kind.DATE, "yyyy-MM-dd", True),
        (Kind.DATE, "dd/MM/yyyy", False),
        (Kind.TIMESTAMP, "yyyy-MM-dd HH:mm:ss", True),
        (Kind.TIMESTAMP, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", True),
        (Kind.TIMESTAMP, "yyyy-MM-dd HH:mm:ssZ", True),
        (Kind.TIMESTAMP, "MM-dd-yyyy HH:mm", False),
        (Kind.TIME, "HH:mm:ss", True),
        (Kind.TIME, "hh:mm a", False),
        (Kind.NUMBER, "f32", True),
        (Kind.NUMBER, "i32", False),
        (Kind.STRING, "password", True),
        (Kind.STRING, "iban", False),
        (Kind.INTEGER, "i7", False),
        (Kind.BOOLEAN, "x", False),
    ],
)
def test_a_format_is_judged_or_it_is_not_known(kind: Kind, format_: str, judged: bool) -> None:
    assert (formats.demanded(kind, format_) is not None) is judged


@pytest.mark.parametrize(
    "pattern", [r"(?=a)", r"(?!a)", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"(?P<n>a)(?P=n)", r"(?>a)", r"a++", "(", "[a"]
)
def test_a_pattern_that_re2_cannot_run_says_why(pattern: str) -> None:
    assert unreadable(pattern)


@pytest.mark.parametrize("pattern", [r"\(?=a", "[(?=]", r"a\\1", r"^(?i)a$", r"(?P<n>a)", r"\pL", "a+", r"\\+\+"])
def test_a_pattern_that_only_looks_like_one_is_read(pattern: str) -> None:
    assert unreadable(pattern) is None


@given(st.text(alphabet=r"a(?=!<>:P)[]\1+*{}|^$.", max_size=8))
def test_what_is_told_of_a_pattern_is_what_the_engine_says_of_it(pattern: str) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
        readable = True
    except pa.ArrowInvalid:
        readable = False
    assert (unreadable(pattern) is None) is readable
