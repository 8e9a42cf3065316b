"""The line that Caddy routes by, and a configuration that leaves everything else as it was."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_gate.serving.targets.caddy_config import (
    EMPTY,
    SLOTS,
    Entry,
    Steered,
    alone,
    entries,
    joined,
    line,
    log,
    server,
    steered,
)

PARTS = st.lists(st.integers(0, 100), min_size=1, max_size=SLOTS).filter(any)


def slots(parts: list[int]) -> list[Entry]:
    return [Entry(f"sha256:{n}", 5000 + n, part / sum(parts)) for n, part in enumerate(parts)]


@given(PARTS, st.integers(0, 10**9))
def test_what_is_written_is_read(parts: list[int], fence: int) -> None:
    given_ = slots(parts)
    read = entries(line(fence, given_))
    assert len(read) == SLOTS
    for before, after in zip([*given_, *[EMPTY] * SLOTS], read, strict=False):
        assert (after.version, after.port) == (before.version, before.port)
        assert after.share == pytest.approx(before.share, abs=1e-9)


@given(PARTS, st.randoms(use_true_random=False))
def test_every_random_number_falls_to_a_version_with_a_share(parts: list[int], chance: random.Random) -> None:
    words = line(1, slots(parts)).split()[1:]
    for _ in range(20):
        number = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        taken = next(index for index in range(SLOTS) if number < words[3 * index])
        assert parts[taken] > 0


@pytest.mark.parametrize("text", ["", "1", "1 g x sha256:a - 0 - - 0 - - 0 -", "1 zz 1 sha256:a - 0 - - 0 - - 0 -"])
def test_a_line_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"words|invalid"):
        entries(text)


def test_everything_of_others_stays_as_it_was() -> None:
    own, answers = server("127.0.0.1:80", Path("/r"), "w"), log("127.0.0.1:80", Path("/a"))
    theirs = {
        "apps": {"http": {"servers": {"blog": {"listen": [":443"]}}, "http_port": 81}, "tls": {}},
        "logging": {"logs": {"default": {"level": "WARN", "exclude": ["x"]}, "mine": {}}},
        "storage": {"module": "s3"},
    }
    both = joined(theirs, "127.0.0.1:80", own, answers)
    assert both["storage"] == theirs["storage"]
    assert both["apps"]["tls"] == {}
    assert both["apps"]["http"]["http_port"] == 81
    assert both["apps"]["http"]["servers"] == {"blog": {"listen": [":443"]}, "release-gate-80": own}
    assert both["logging"]["logs"]["default"] == {"level": "WARN", "exclude": ["x", "http.log.access.release-gate-80"]}
    assert set(both["logging"]["logs"]) == {"default", "mine", "release-gate-80"}
    assert joined(both, "127.0.0.1:80", own, answers) == both
    included = {"logging": {"logs": {"default": {"include": ["http"]}}}}
    assert joined(included, "127.0.0.1:80", own, answers)["logging"]["logs"]["default"] == {"include": ["http"]}
    assert joined({}, "127.0.0.1:80", own, answers)["apps"]["http"]["servers"] == {"release-gate-80": own}


def test_what_our_server_goes_by_is_read_from_a_configuration_and_nothing_from_one_without_it() -> None:
    own, answers = server("127.0.0.1:80", Path("/a b/r.txt"), "w"), log("127.0.0.1:80", Path("/a"))
    whole = joined({}, "127.0.0.1:80", own, answers)
    assert steered(whole, ":80") == Steered(Path("/a b/r.txt"), "w")
    others: list[dict[str, object]] = [{}, {"apps": None}, {"apps": {"http": {"servers": {"release-gate-80": {}}}}}]
    wrong: list[object] = [None, [], [{}], [{"handle": []}, {}], [{"handle": [{"release_gate": 1}]}, {}]]
    wrong += [[{"handle": [{"release_gate": "x"}]}, {"match": []}], [{"handle": [{"release_gate": "x"}]}, {}]]
    others += [{"apps": {"http": {"servers": {"release-gate-80": {"routes": one}}}}} for one in wrong]
    for other in others:
        assert steered(other, ":80") is None


def test_one_of_our_own_leaves_nothing_in_the_home_folder() -> None:
    config = alone("127.0.0.1:2019", Path("/state"))
    assert config["admin"]["config"] == {"persist": False}
    assert config["storage"]["root"] == "/state/caddy"
