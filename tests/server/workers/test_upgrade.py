"""A real host of several processes that is upgraded while people are there: nobody notices, and a failure changes nothing."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.server.handover.test_upgrade import States, ask_whether_ready
from tests.server.handover.upgrades import Talk, meet
from tests.server.workers.test_emptying import stands
from tests.server.workers.test_host import Several, several

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and commands, and waits for them
PAIRS = 12
# who is away at the first upgrade comes back before the second, however long a command takes to start
PATIENT = {"SERENDIP_STORE__ENABLED": "true", "SERENDIP_SESSION__GRACE": "600"}
FAULTS = ("worker.fault", "loop.fault", "task.failed", "handover.fault", "handover.refused", "process.died")


def sockets(pid: int) -> int:
    """How many a process has open."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        found += str(entry.readlink()).startswith("socket")
    return found


async def test_whatever_people_do_goes_on_through_two_upgrades(tmp_path: Path) -> None:
    async with several(tmp_path, **PATIENT) as server, aiohttp.ClientSession() as http:
        port = server.port
        talks = [Talk(*await meet(http, port, f"pair {number}")) for number in range(PAIRS)]
        states = await States(http, port).begin()
        answers: set[int] = set()
        asking = asyncio.create_task(ask_whether_ready(http, port, answers))
        before = await stands(server)
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done
        assert done["people"] == PAIRS * 2 + states.people
        middle = await stands(server)
        await states.go_on()
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done
        assert done["people"] == PAIRS * 2 + states.left
        after = await stands(server)
        pids = [{one["pid"] for one in each.values()} for each in (before, middle, after)]
        assert [len(one | other) for one, other in zip(pids, pids[1:], strict=False)] == [8, 8]
        assert not asking.done()
        asking.cancel()
        assert answers == {200}
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        await states.all_here()
        assert [one["deaths"] for one in after.values()] == [0] * 4
        assert {line["stayed"] for line in server.events("process.left")} == {0}
        assert {fault: server.events(fault) for fault in FAULTS if server.events(fault)} == {}
        assert await server.status() == 0
