"""Who asks at the control socket is bounded: slow ones, silent ones, many, and those that go away."""

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.fleet.supervisor.control_server import ASKERS_MAX, OUT_MAX, ControlClient, ControlClients
from server.ops.process.control_socket import LINE_MAX, PATIENCE, made


class Asked:
    """A process that answers, turn by turn, and who asks it."""

    def __init__(self, data: Path) -> None:
        self.askers = ControlClients(made(data))
        self._path = str(data / "run" / "control")
        self.connections: list[socket.socket] = []

    def connect(self) -> socket.socket:
        """Somebody comes."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(self._path)
        self.connections.append(sock)
        return sock

    def turn(self, later: float = 0.0) -> list[tuple[ControlClient, dict[str, Any]]]:
        """What is asked in a turn, `later` seconds from now."""
        now = time.monotonic() + later
        poll = select.poll()
        self.askers.register(poll, now)
        return list(self.askers.turn(dict(poll.poll(0)), now))

    def asked(self) -> tuple[ControlClient, dict[str, Any]]:
        """Turns until somebody asks."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = self.turn()
            if found:
                return found[0]
        raise AssertionError("nobody asks")


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    one = Asked(tmp_path)
    yield one
    one.askers.close()
    for sock in one.connections:
        sock.close()


def is_closed(sock: socket.socket) -> bool:
    """Whether this end is told that the other is closed."""
    with contextlib.suppress(ConnectionResetError):
        return sock.recv(1) == b""
    return True


def test_a_request_in_pieces_is_answered_in_lines_and_closed(asked: Asked) -> None:
    sock = asked.connect()
    sock.send(b'{"do": ')
    for _ in range(3):
        assert asked.turn() == []
    sock.send(b'"status"}\n')
    asker, request = asked.asked()
    assert request == {"do": "status"}
    asker.say({"step": "starting"})
    asker.end({"done": True})
    asker.say({"step": "late"})
    asked.turn()
    assert [json.loads(line) for line in sock.makefile("rb")] == [{"step": "starting"}, {"done": True}]


@pytest.mark.parametrize("said", [b"nonsense\n", b"[]\n", b"x" * (LINE_MAX + 2), b'{"do": "status"}', b"\xff\n"])
def test_what_is_no_request_is_none(asked: Asked, said: bytes) -> None:
    sock = asked.connect()
    sock.send(said)
    sock.shutdown(socket.SHUT_WR)
    _, request = asked.asked()
    assert request == ({"do": "status"} if b"do" in said else {})


def test_who_asks_nothing_is_closed_in_time_and_who_is_answered_is_not(asked: Asked) -> None:
    silent, answered = asked.connect(), asked.connect()
    answered.send(b"{}\n")
    asker, _ = asked.asked()
    while len(asked.askers._askers) < 2:
        asked.turn()
    asked.turn(PATIENCE + 1)
    assert is_closed(silent)
    assert not asker.gone
    asker.end({"done": True})
    assert json.loads(answered.recv(99)) == {"done": True}


def test_who_reads_nothing_delays_nobody_and_is_let_go(asked: Asked) -> None:
    slow = asked.connect()
    slow.send(b"{}\n")
    asker, _ = asked.asked()
    for _ in range(10 * OUT_MAX // 1000):
        asker.say({"step": "x" * 1000})
    assert asker.gone
    other = asked.connect()
    other.send(b'{"do": "status"}\n')
    assert asked.asked()[1] == {"do": "status"}


def test_who_does_not_read_the_last_line_is_let_go_in_time(asked: Asked) -> None:
    slow = asked.connect()
    slow.send(b"{}\n")
    asker, _ = asked.asked()
    asker.end({"done": "x" * (OUT_MAX - 100)})
    assert not asker.gone
    asked.turn(PATIENCE + 1)
    assert asker.gone


def test_who_goes_away_is_forgotten(asked: Asked) -> None:
    sock = asked.connect()
    sock.send(b"{}\n")
    asker, _ = asked.asked()
    sock.close()
    asked.turn()
    assert asker.gone
    assert asked.askers._askers == {}
    asker.end({"done": True})


def test_beyond_so_many_who_comes_waits(asked: Asked) -> None:
    first = [asked.connect() for _ in range(ASKERS_MAX)]
    for _ in range(ASKERS_MAX + 5):
        asked.turn()
    last = asked.connect()
    last.send(b"{}\n")
    assert asked.turn() == []
    assert len(asked.askers._askers) == ASKERS_MAX
    first[0].close()
    asked.asked()


def test_without_a_socket_nobody_asks() -> None:
    askers = ControlClients(None)
    assert askers.register(select.poll(), 0.0) == float("inf")
    assert list(askers.turn({}, 0.0)) == []
    askers.close()
