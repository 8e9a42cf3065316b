"""The name of a repository, by the address of its remote."""

from __future__ import annotations

import pytest

from release_gate.registry.repository import named


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/octo-air/flights", "octo-air/flights"),
        ("https://x:token@ghe.example:8443/octo-air/flights.git/", "octo-air/flights"),
        ("http://127.0.0.1:3000/octo-air/flights.io.git", "octo-air/flights.io"),
        ("git@github.com:octo-air/flights.git", "octo-air/flights"),
        ("github-at-work:octo-air/flights", "octo-air/flights"),
        ("ssh://git@github.com:22/octo-air/flights.git", "octo-air/flights"),
        ("https://gitlab.com/octo-air/models/flights.git", "octo-air/models/flights"),
        ("/srv/git/octo-air/flights.git", None),
        ("../octo-air/flights", None),
        ("file:///srv/octo-air/flights.git", None),
        ("https://github.com/flights", None),
        ("https://github.com/../../etc", None),
        ("https://github.com/octo-air/..", None),
        ("https://github.com/octo-air/a b", None),
        ("", None),
    ],
)
def test_a_name_is_read_from_an_address_on_a_host_and_never_from_a_path(address: str, name: str | None) -> None:
    assert named(address) == name
