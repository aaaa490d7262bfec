"""The generator finds what a relay does wrong: each fault is committed by a relay of the test's own, and counted under its name."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.load import generator

SIZE = 32
Fault = Callable[[bytes, int], bytes]


@pytest.fixture(scope="module")
def load() -> Path:
    return generator.built()


def exact(connection: socket.socket) -> bytes:
    """One message of the raw load, or nothing at the end."""
    data = b""
    while len(data) < SIZE:
        piece = connection.recv(SIZE - len(data))
        if not piece:
            return b""
        data += piece
    return data


class Relay:
    """Two clients, raw TCP; `fault` changes what goes to the other side: given a message and its running number."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def _run(self) -> None:
        pair = [self._listener.accept()[0] for _ in range(2)]
        threads = [threading.Thread(target=self._forward, args=(pair[i], pair[1 - i])) for i in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for connection in pair:
            connection.close()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        number = 0
        try:
            while message := exact(one):
                other.sendall(self._fault(message, number))
                number += 1
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self._threads[0].join(10)
        self._listener.close()


@pytest.fixture
def relay() -> Iterator[Callable[[Fault], Relay]]:
    made: list[Relay] = []

    def make(fault: Fault) -> Relay:
        made.append(Relay(fault))
        return made[-1]

    yield make
    for one in made:
        one.close()


def run(load: Path, port: int) -> dict[str, float]:
    """The generator's figures."""
    command = [str(load), "relay", "-n", "2", "-r", "-s", str(SIZE), "-p", str(port), "-t", "0.3", "-w", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    found: dict[str, float] = json.loads(done.stdout)
    assert (done.returncode != 0) == (found["errors"] != 0)
    return found


def faithful(message: bytes, number: int) -> bytes:
    return message


def changed(message: bytes, number: int) -> bytes:
    return message[:-1] + b"!" if number == 5 else message


def doubled(message: bytes, number: int) -> bytes:
    return message * 2 if number == 5 else message


def swallowed(message: bytes, number: int) -> bytes:
    return b"" if number == 5 else message


def foreign(message: bytes, number: int) -> bytes:
    return b"00000009" + message[8:] if number == 5 else message


@pytest.mark.parametrize(
    ("fault", "name"),
    [(changed, "wrong_text"), (doubled, "doubled"), (swallowed, "lost"), (foreign, "wrong_text")],
)
def test_a_fault_of_the_relay_is_counted_under_its_name(
    load: Path, relay: Callable[[Fault], Relay], fault: Fault, name: str
) -> None:
    assert run(load, relay(fault).port)[name] > 0


def test_a_faithful_relay_has_no_error(load: Path, relay: Callable[[Fault], Relay]) -> None:
    found = run(load, relay(faithful).port)
    assert found["errors"] == 0
    assert found["messages"] > 0
