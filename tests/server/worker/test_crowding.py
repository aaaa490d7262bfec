"""A process that is late turns newcomers away, tells it once, and lets in whoever dropped out a moment ago."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.protocol import FAULTS, FULL_AFTER_LEAST, FULL_AFTER_MOST
from server.security.keys import Keys, load
from server.worker.crowding import LATE, Crowding
from server.worker.worker import Worker
from tests.ext.net.rig import CLOSE, head, split
from tests.server.worker.test_worker import Client, connected, quiet, turning

ON, OFF = LATE * 2, LATE / 2


def test_three_seconds_in_a_row_begin_it_and_three_end_it() -> None:
    crowding = Crowding()
    seen = []
    with capture_logs() as said:
        for late in (ON, ON, OFF, ON, ON, ON, OFF, OFF, ON, OFF, OFF, OFF):
            crowding.look(late)
            seen.append(crowding.on)
            if crowding.on:
                assert FULL_AFTER_LEAST <= crowding.turn_away() <= FULL_AFTER_MOST
    assert seen == [False] * 5 + [True] * 6 + [False]
    assert [(entry["event"], entry.get("count")) for entry in said] == [
        ("server.crowded", None), ("server.crowded_over", 6),
    ]  # fmt: skip


def test_where_it_may_be_as_late_as_it_likes_nobody_is_turned_away() -> None:
    crowding = Crowding()
    crowding.late = float("inf")
    for _ in range(10):
        crowding.look(ON)
    assert not crowding.on


def test_they_do_not_all_come_back_at_once() -> None:
    crowding = Crowding()
    assert len({crowding.turn_away() for _ in range(200)}) > 10


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
async def worker(secret: Keys) -> AsyncIterator[Worker]:
    worker = turning(secret)
    yield worker
    worker.stop()


async def test_newcomers_are_told_when_to_come_back_and_who_dropped_out_is_let_in(worker: Worker) -> None:
    (inside,) = await connected(worker, 1)
    for _ in range(3):
        worker._crowding.look(ON)
    assert worker.crowded
    newcomer = Client(worker)
    newcomer.sock.send(head())
    await quiet(worker)
    data = newcomer.sock.recv(1 << 16).partition(b"\r\n\r\n")[2]
    told, (opcode, closed) = split(data)
    assert b'"code":"busy"' in told[1]
    assert b'"retry_after"' in told[1]
    assert (opcode, int.from_bytes(closed[:2])) == (CLOSE, FAULTS["busy"].close)
    inside.say(b'{"type":"ping"}')
    await quiet(worker)
    assert [frame["type"] for frame in inside.hear()] == ["pong"]
    inside.sock.close()
    await quiet(worker)
    back = Client(worker)
    back.sock.send(head())
    await quiet(worker)
    assert [frame["type"] for frame in back.hear()] == ["hello"], "of the same address, a moment later"
    for client in (newcomer, back):
        client.sock.close()
