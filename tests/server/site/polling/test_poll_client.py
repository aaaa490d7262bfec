"""Test what one long-polling client is answered: batches until they are confirmed, numbers that are out of order, bounds, and the close code."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from server.site.polling.poll_client import QUEUED_MAX, OutOfOrder, Overtaken, PollClient

TEXT, CLOSE = 0x81, 0x88
HOLD_S = 20.0  # a bound, not a measure


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, int]]:
    """The server's end of a connection, and the descriptor of the other one."""
    here, there = socket.socketpair()
    there.setblocking(False)
    yield here, there.detach()
    here.close()


def written(opcode: int, payload: bytes) -> bytes:
    """A server's frame."""
    return bytes((opcode, 126)) + len(payload).to_bytes(2) + payload


async def answered(client: PollClient, after: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await client.poll(after, HOLD_S))
    return told


async def test_a_batch_is_answered_until_the_next_request_confirms_it(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    poll = asyncio.create_task(answered(client, 0))
    server.send(written(TEXT, b'{"a":1}'))
    assert await poll == {"number": 1, "frames": [{"a": 1}]}
    assert await answered(client, 0) == {"number": 1, "frames": [{"a": 1}]}
    server.send(written(TEXT, b'{"a":2}'))
    assert await answered(client, 1) == {"number": 2, "frames": [{"a": 2}]}
    for wrong in (0, 3):
        with pytest.raises(OutOfOrder):
            await client.poll(wrong, HOLD_S)
    client.cut()


async def test_of_two_polls_the_newest_waits_and_both_lose_nothing(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    first = asyncio.create_task(answered(client, 0))
    await asyncio.sleep(0)
    second = asyncio.create_task(answered(client, 0))
    assert await first == {"number": 0, "frames": []}
    server.send(written(TEXT, b"{}"))
    assert await second == {"number": 1, "frames": [{}]}
    client.cut()


async def test_the_close_code_comes_behind_the_last_frames(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    server.send(written(TEXT, b"{}") + written(CLOSE, (4009).to_bytes(2)))
    assert await answered(client, 0) == {"number": 1, "frames": [{}], "closed": 4009}
    assert client.is_over


async def test_what_is_not_fetched_stays_with_the_sender(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    server.setblocking(False)
    frame, sent, full = written(TEXT, b'"' + b"x" * 8_000 + b'"'), 0, 0
    while full < 100:  # turns of the loop in which nothing was accepted
        try:
            sent += server.send(frame)
            full = 0
        except BlockingIOError:
            full += 1
        await asyncio.sleep(0)
        assert sent < 64 * QUEUED_MAX
    client.cut()


async def test_a_repeated_request_sends_nothing(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    for _ in range(2):
        assert client.say(1, [b"{}"])
    with pytest.raises(OutOfOrder):
        client.say(3, [b"{}"])
    assert server.recv(100) == bytes((0x81, 0x82, 0, 0, 0, 0)) + b"{}"
    client.cut()


async def test_a_request_that_comes_behind_a_later_one_has_no_effect(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    for number in (1, 2):
        server.send(written(TEXT, b"{}"))
        assert (await answered(client, number - 1))["number"] == number
    held = asyncio.create_task(answered(client, 2))
    await asyncio.sleep(0)
    for late in (0, 1):
        with pytest.raises(Overtaken):
            await client.poll(late, HOLD_S)
    assert client.is_held
    server.send(written(TEXT, b'"news"'))
    assert await held == {"number": 3, "frames": ["news"]}
    assert all(client.say(number, [b"%d" % number]) for number in (1, 2, 1))
    assert server.recv(100) == b"".join(bytes((0x81, 0x81, 0, 0, 0, 0)) + b"%d" % number for number in (1, 2))
    client.cut()


async def test_requests_keep_a_connection_until_its_end_and_no_longer(ends: tuple[socket.socket, int]) -> None:
    server, descriptor = ends
    client = PollClient(descriptor, 0.0)
    client.touch(5.0)
    server.send(written(CLOSE, (4008).to_bytes(2)))
    assert (await answered(client, 0))["closed"] == 4008
    client.touch(9.0)
    assert client.heard == 5.0
