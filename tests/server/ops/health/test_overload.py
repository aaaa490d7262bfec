"""A process that is late by its own work turns newcomers away but for a share, says so once, and lets in whoever dropped out a moment ago."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.wire.protocol import FAULTS, FULL_AFTER_LEAST, FULL_AFTER_MOST
from server.ops.health.overload import EXPECTED_MAX, LATE, SHARE_FIRST, SHARE_LEAST, OverloadGate
from server.ops.process.cpu_time import Sample
from server.ops.security.secret_keys import Keys, load
from server.realtime.worker.worker_loop import Worker
from tests.ext.net.rig import CLOSE, head, split
from tests.server.realtime.worker.test_worker_loop import Client, connected, quiet, turning

ON, OFF = LATE * 2, LATE / 2


def seconds(crowding: OverloadGate, *looks: tuple[float, float]) -> list[float]:
    """The share that is let in after each second. A look: how late the loop was, and what its thread ran in that second."""
    ran, shares = 0.0, []
    crowding.look(0.0, Sample(0.0, "S", 0.0, 0.0))
    for at, (late, runs) in enumerate(looks, 1):
        ran += runs
        crowding.look(late, Sample(float(at), "R", ran, 0.0))
        shares.append(crowding.share)
    return shares


@pytest.mark.parametrize(
    ("late", "ran", "core", "turns_away"),
    [
        pytest.param(ON, 0.9, 1.0, True, id="its own work fills a core"),
        pytest.param(ON, 0.05, 1.0, False, id="others have the cores"),
        pytest.param(2.0, 0.4, 1.0, False, id="others have the cores for seconds"),
        pytest.param(OFF, 0.95, 1.0, False, id="a full core that is in time"),
        pytest.param(ON, 0.3, 0.5, True, id="its own work fills a quota of half a core"),
        pytest.param(ON, 0.2, 0.5, False, id="others have the quota"),
    ],
)
def test_a_process_that_is_late_by_its_own_work_turns_newcomers_away(
    late: float, ran: float, core: float, turns_away: bool
) -> None:
    crowding = OverloadGate(core)
    seconds(crowding, *[(late, ran)] * 3)
    assert crowding.on is turns_away


def test_without_a_word_of_the_system_all_lateness_is_its_own() -> None:
    crowding = OverloadGate()
    for _ in range(3):
        crowding.look(ON, None)
    assert crowding.on


def test_three_seconds_in_a_row_begin_it_and_the_share_follows_each_second_until_all_are_let_in() -> None:
    crowding = OverloadGate()
    bad, good = (ON, 0.9), (OFF, 0.9)
    with capture_logs() as said:
        shares = seconds(crowding, bad, bad, good, bad, bad, bad, good, bad, bad, bad, bad, good, good, good, good, bad)
        assert shares == [1, 1, 1, 1, 1, 1 / 4, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 1]
    assert [entry["event"] for entry in said] == ["server.crowded", "server.crowded_over"]


def test_one_in_so_many_newcomers_is_let_in_and_who_is_shown_a_page_connects_by_it() -> None:
    crowding = OverloadGate()
    seconds(crowding, *[(ON, 0.9)] * 5)
    assert crowding.share == SHARE_LEAST
    assert [crowding.admits() for _ in range(64)].count(True) == 4
    shown = [crowding.admits_page() for _ in range(64)].count(True)
    assert shown == 4
    assert [crowding.admits() for _ in range(shown)] == [True] * shown
    assert not crowding.admits()
    for _ in range(100_000):
        crowding.admits_page()
    assert [crowding.admits() for _ in range(EXPECTED_MAX * 2)].count(True) <= EXPECTED_MAX * (1 + SHARE_LEAST) + 1
    for _ in range(3):
        assert FULL_AFTER_LEAST <= crowding.turn_away() <= FULL_AFTER_MOST
    assert crowding.turned_away == 3


def test_where_it_may_be_as_late_as_it_likes_nobody_is_turned_away() -> None:
    crowding = OverloadGate()
    crowding.late = float("inf")
    for _ in range(10):
        crowding.look(ON, None)
    assert not crowding.on


def test_they_do_not_all_come_back_at_once() -> None:
    crowding = OverloadGate()
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
        worker._crowding.look(ON, None)
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


async def test_a_process_beside_others_that_have_the_cores_lets_everybody_in(worker: Worker) -> None:
    seconds(worker._crowding, *[(2.0, 0.1)] * 10)
    clients = await connected(worker, 8)
    for client in clients:
        client.sock.close()


async def test_of_newcomers_to_a_process_with_too_much_work_a_share_is_greeted(worker: Worker) -> None:
    seconds(worker._crowding, *[(ON, 0.9)] * 3)
    newcomers = [Client(worker) for _ in range(8)]
    greeted = 0
    for newcomer in newcomers:
        worker._crowding.share = SHARE_FIRST  # the worker's own second may have passed
        newcomer.sock.send(head())
        await quiet(worker)
        greeted += b'"type":"hello"' in newcomer.sock.recv(1 << 16)
    assert greeted == 2
    for newcomer in newcomers:  # at the end: who drops out may come back
        newcomer.sock.close()
