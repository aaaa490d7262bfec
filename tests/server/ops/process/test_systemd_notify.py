"""systemd's side is a datagram socket here: it reads what is told, and closes what comes with a barrier."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.ops.process.systemd_notify import Notifier


@pytest.fixture
def failures() -> list[OSError]:
    return []


@pytest.fixture(params=["a path", "an abstract name"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """(socket, its name as NOTIFY_SOCKET has it)."""
    name = str(tmp_path / "notify") if request.param == "a path" else f"@serendip-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        sock.settimeout(10)
        yield sock, name


def test_what_is_told_arrives_line_by_line(listener: tuple[socket.socket, str], failures: list[OSError]) -> None:
    sock, name = listener
    notifier = Notifier(name, failures.append)
    assert notifier.active
    notifier.ready("serving\nREADY=0")
    notifier.status("7 people left")
    notifier.main(4711)
    notifier.stopping()
    said = [sock.recv(4096).decode().split("\n") for _ in range(4)]
    assert said == [
        ["READY=1", f"MAINPID={os.getpid()}", "STATUS=serving READY=0"],
        ["STATUS=7 people left"],
        ["MAINPID=4711"],
        ["STOPPING=1"],
    ]
    assert failures == []


async def test_a_barrier_waits_until_all_before_it_was_read(
    listener: tuple[socket.socket, str], failures: list[OSError]
) -> None:
    sock, name = listener
    notifier = Notifier(name, failures.append)
    notifier.main(4711)
    waiting = asyncio.create_task(notifier.heard(30))
    assert await asyncio.to_thread(sock.recv, 4096) == b"MAINPID=4711"
    told, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, sock, 4096, 4)
    assert told == b"BARRIER=1"
    assert not waiting.done()
    for number in descriptors:
        os.close(number)
    assert await waiting


async def test_who_never_says_so_is_not_waited_for(listener: tuple[socket.socket, str]) -> None:
    assert not await Notifier(listener[1], lambda _: None).heard(0.01)


async def test_where_nobody_asked_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, failures: list[OSError]) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier.of_environment(failures.append)
    assert not notifier.active
    notifier.ready()
    assert not await notifier.heard(30)
    assert failures == []


async def test_what_cannot_be_sent_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: list[OSError]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notifier = Notifier.of_environment(failures.append)
    notifier.ready()
    assert not await notifier.heard(30)
    assert [type(error) for error in failures] == [FileNotFoundError] * 2


async def test_a_reader_that_is_behind_holds_nobody_up(
    listener: tuple[socket.socket, str], failures: list[OSError]
) -> None:
    notifier = Notifier(listener[1], failures.append)
    while not failures:
        notifier.status("x")
    assert isinstance(failures[0], BlockingIOError)
