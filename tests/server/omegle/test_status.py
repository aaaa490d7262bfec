"""`/status`: names that lead somewhere for whoever asks, and figures that are true."""

import json
from typing import Any, cast

import pytest

from engine.matching.lobby import Lobby
from engine.waiting import WaitingRoom
from server.omegle.status import Status

HOSTS = ("localhost", "127.0.0.1", "[::1]", "front1.omegle.com")


class Idle:
    """An engine in which nobody is."""

    everybody = 0
    room = WaitingRoom(Lobby())


@pytest.mark.parametrize(
    ("host", "servers"),
    [
        ("front1.omegle.com", ["front1"]),
        ("omegle.com", ["front1"]),
        ("OMEGLE.com:443", ["front1"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("[::1]:8080", ["[::1]:8080"]),
    ],
)
def test_short_names_are_told_where_they_lead_here_and_else_the_name_that_asked(host: str, servers: list[str]) -> None:
    for names in (HOSTS, ("*.omegle.com", "*")):
        status = Status(cast(Any, Idle()), ("front1",), names)
        found = json.loads(status.body(host))
        assert found["servers"] == servers
        assert found["antinudeservers"] == [host]
