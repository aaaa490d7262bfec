"""A report by somebody whose cookie is older than a day counts in every process of a host, wherever the reported person comes next."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from serendip_client.client import Client
from serendip_client.events import Challenge, Error, Reported, Waiting
from tests.server.fleet.processes.hosts import Host, client, hosting, meet

pytestmark = [
    pytest.mark.blocking,
    pytest.mark.timeout(120),
]  # several processes, and a database that another one writes
DAYS = 2 * 86_400
TRIES = 5  # few: twenty connections in a minute are a reason by themselves
TWO_REPORTERS = 2
REPORTED, REPORTERS = "s" * 22, ("r" * 22, "t" * 22)
LIMITED = {
    "SERENDIP_LIMITS__ENABLED": "true",
    "SERENDIP_CHALLENGE__ENABLED": "true",
    "SERENDIP_SCREENING__TEXT": "off",
}


def age(host: Host) -> None:
    """All chats were two days ago."""
    with closing(sqlite3.connect(host.data / "serendip.db", timeout=20)) as database, database:
        database.execute("UPDATE party SET ended = ended - ?", (DAYS,))
        database.execute("UPDATE chat SET ended = ended - ?, started = started - ?", (DAYS, DAYS))


@asynccontextmanager
async def at(host: Host, worker: int) -> AsyncIterator[Client]:
    """Who was reported comes to that worker."""
    other = f"worker {3 - worker}"
    host.hold(other)
    async with client(host, REPORTED) as one:
        host.go_on(other)
        yield one


async def level(host: Host, worker: int) -> int:
    """That of the challenge which a search of who was reported brings at a worker; 0: none."""
    async with at(host, worker) as one:
        await one.find(["anything else"], strict=True)
        answer = await one.next(Waiting, Error)
        if type(answer) is Waiting:
            return 0
        assert answer.code == "challenge"
        asked = await one.next(Challenge)
        return int(asked.parameters["parameters"]["data"]["l"])


async def test_reports_count_in_the_worker_that_had_nothing_to_do_with_them(tmp_path: Path) -> None:
    async with hosting(tmp_path, 2, **LIMITED) as host:
        for number, cookie in enumerate(REPORTERS):
            async with client(host, cookie) as one, client(host, f"{number}" * 22) as two:
                await meet(one, two, f"first {number}", "hello")
        await host.until("SELECT count(*) FROM party", [(4,)])
        age(host)
        assert [await level(host, worker) for worker in (1, 2)] == [0, 0], "nobody reported them yet"
        for number, cookie in enumerate(REPORTERS):
            async with client(host, cookie) as one, client(host, REPORTED) as two:
                await meet(one, two, f"second {number}", "hello")
                await one.report("spam")
                await one.next(Reported)
        await host.until("SELECT count(*) FROM report", [(2,)])
        for worker in (1, 2):
            seen = 0
            for _ in range(TRIES):
                seen = await level(host, worker)
                if seen == TWO_REPORTERS:
                    break
                await asyncio.sleep(0.1)  # a report is weighed a moment after it is stored, which nobody is told
            assert seen == TWO_REPORTERS, worker
