"""Lines in the memory of a real server and of the programs beside it: there while their chat lasts, cleared once it is forgotten."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serendip_client.client import Client
from serendip_client.events import Matched, Message
from tests.server.site.web.servers import Server

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of processes that forbid it to all but root"),
    pytest.mark.executed,  # the programs beside it begin with the allocator that they are given
    pytest.mark.timeout(150),
]
SIZES = (40, 300, 1_800)  # characters of a line: less than a ring begins with, and more
CHATS = 8  # of each length: what is freed of few is soon used again, or not, by chance
LATEST = 60.0  # seconds within which all is to be cleared, on a machine that is late with everything


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Who leaves is forgotten at once, and their chats with them."""
    server = Server(tmp_path, SERENDIP_LIMITS__ENABLED="false", SERENDIP_SESSION__GRACE="0")
    yield server
    server.stop()


def processes(pid: int) -> list[int]:
    """A process and what it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in processes(int(child)))]


def count(pid: int, mark: bytes) -> int:
    """How often a mark is in what a process may write."""
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in where.split("-"))
            memory.seek(begin)
            try:
                found += memory.read(end - begin).count(mark)
            except OSError:
                continue  # unmapped since
    return found


def left(pid: int, mark: bytes) -> dict[int, int]:
    """By process, how often a mark is in its memory."""
    return {process: count(process, mark) for process in processes(pid)}


async def talk(url: str, mark: str, lines: int, stop: asyncio.Event, talked: asyncio.Semaphore) -> None:
    """Two people who say so many lines, and leave when they are told to."""
    async with Client(url) as one, Client(url) as two:
        topic = secrets.token_hex(6)
        await asyncio.gather(one.find([topic]), two.find([topic]))
        await asyncio.gather(one.next(Matched), two.next(Matched))
        for index in range(lines):
            speaker, hearer = (one, two) if index % 2 else (two, one)
            await speaker.say(f"{mark} " + "so " * (SIZES[index % len(SIZES)] // 3))
            await hearer.next(Message)
        talked.release()
        await stop.wait()


async def test_no_line_of_a_chat_that_is_over_is_left_where_the_program_kept_it(server: Server) -> None:
    mark, stop, talked = secrets.token_hex(12), asyncio.Event(), asyncio.Semaphore(0)
    url = f"ws://127.0.0.1:{server.port}/ws"
    lines = [*([1, 2, 3, 6] * CHATS), 60]  # rings of each size, of which the last grows and moves
    async with asyncio.TaskGroup() as tasks:
        for count_of_lines in lines:
            tasks.create_task(talk(url, mark, count_of_lines, stop, talked))
        for _ in lines:
            await talked.acquire()
        assert left(server.pid, mark.encode())[server.pid] >= sum(lines), "while they talk the lines are there"
        stop.set()
    begun = time.monotonic()
    while any((found := left(server.pid, mark.encode())).values()):
        assert time.monotonic() - begun < LATEST, found
        await asyncio.sleep(0.5)
