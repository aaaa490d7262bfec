"""`/status`: names that lead somewhere for whoever asks, and figures that are true."""

import json
from typing import Any, cast

import pytest

from engine.matching.lobby import Lobby
from engine.rooms.local_waiting_room import WaitingRoom
from server.site.omegle.status_info import StatusFigures

HOSTS = ("localhost", "127.0.0.1", "[::1]", "front1.omegle.com")


class Idle:
    """An engine in which nobody is."""

    people = 0
    room = WaitingRoom(Lobby())


@pytest.mark.parametrize(
    ("host", "servers"),
    [
        ("front1.omegle.com", ["front1"]),
        ("omegle.com", ["front1"]),
        ("OMEGLE.com:443", ["front1"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("[::1]:8080", ["[::1]:8080"]),
        ("chatserv.omegle.com", ["front1"]),  # OmClient asks by this name, and appends omegle.com to what it finds
        ("front7.omegle.com:8080", ["front1"]),
        ("chat.example:8080", ["chat.example:8080"]),
    ],
)
def test_short_names_are_told_where_they_lead_here_and_else_the_name_that_asked(host: str, servers: list[str]) -> None:
    for names in (HOSTS, ("omegle.com", "*.omegle.com", "127.0.0.1", "[::1]"), ("*.omegle.com", "*")):
        status = StatusFigures(cast(Any, Idle()), ("front1",), names)
        found = json.loads(status.body(host))
        assert found["servers"] == servers
        assert found["antinudeservers"] == [host]


@pytest.mark.parametrize(
    ("host", "servers"),
    [
        ("chatserv.omegle.com", ["chatserv"]),
        ("front3.localhost:8080", ["front3"]),
        ("front1.chat.example", ["front1"]),
        ("omegle.com", ["omegle.com"]),
        ("chat.example:8080", ["chat.example:8080"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
    ],
)
def test_a_server_that_answers_to_every_name_gives_the_short_name_that_asked(host: str, servers: list[str]) -> None:
    assert StatusFigures(cast(Any, Idle()), ("front1",), ("*",)).names(host) == servers
