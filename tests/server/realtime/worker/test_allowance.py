"""Limits are a person's, not a connection's (rule 10): coming back brings no fresh burst. Through the real server, its limits on."""

import time
from collections.abc import Iterator

import pytest

from engine.wire.protocol import FIND_BURST, FIND_RATE, MESSAGE_BURST, MESSAGE_RATE
from tests.server.site.web.servers import Server
from tests.support.wire import Wire, meet

pytestmark = pytest.mark.blocking  # sockets by hand

LINES = MESSAGE_BURST + 50


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service as it is shipped."""
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


def resumed(server: Server, token: str) -> Wire:
    """A connection that goes on with the session of `token`."""
    wire = Wire(server.port)
    wire.send({"type": "resume", "token": token, "last": 0})
    assert wire.read()["type"] == "resumed"
    return wire


def lines_taken(wire: Wire) -> int:
    """How many of LINES at once are delivered."""
    wire.send(*({"type": "message", "text": "x", "id": f"{number}"} for number in range(LINES)))
    answers = [wire.read() for _ in range(LINES)]
    assert {answer["type"] for answer in answers} <= {"sent", "error"}
    return sum(answer["type"] == "sent" for answer in answers)


def finds_taken(wire: Wire, word: str) -> int:
    """How many of twenty finds at once are taken."""
    wire.send(*({"type": "find", "interests": [word], "strict": True} for _ in range(20)))
    return sum(wire.read()["type"] == "waiting" for _ in range(20))


@pytest.mark.parametrize("hang_up", [True, False], ids=["dropped", "replaced"])
def test_a_resume_brings_no_fresh_burst_of_lines(server: Server, hang_up: bool) -> None:
    one, two = meet(server.port, f"lines {hang_up}")
    with two:
        token, began, taken = one.hello["token"], time.monotonic(), 0
        taken += lines_taken(one)
        assert taken >= MESSAGE_BURST
        for _ in range(3):
            if hang_up:
                one.sock.close()
            again = resumed(server, token)
            token = again.hello["token"]
            taken += lines_taken(again)
            one.sock.close()
            one = again
        assert taken <= MESSAGE_BURST + MESSAGE_RATE * (time.monotonic() - began) + 1
        one.sock.close()


def test_a_resume_and_further_connections_of_a_browser_bring_no_fresh_burst_of_finds(server: Server) -> None:
    cookie = "id=" + "A" * 22
    began = time.monotonic()
    with Wire(server.port, cookie=cookie) as one, Wire(server.port, cookie=cookie) as two:
        taken = finds_taken(one, "one") + finds_taken(two, "two")
        assert taken >= FIND_BURST
        one.sock.close()
        with Wire(server.port, cookie=cookie) as again:
            again.send({"type": "resume", "token": one.hello["token"], "last": 0})
            assert again.until("waiting")
            taken += finds_taken(again, "one")
        assert taken <= FIND_BURST + FIND_RATE * (time.monotonic() - began) + 1
