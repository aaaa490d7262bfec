"""A process that waits for a core says so in the log; one that has its core does not."""

from __future__ import annotations

import asyncio
import os
import sys

import orjson
import pytest

from server.ops import log
from server.ops.config.settings import Log
from server.ops.health.core_wait import EVERY_S, STARVED, CoreWait
from server.ops.process.cpu_time import Sample

pytestmark = [pytest.mark.timeout(120), pytest.mark.blocking]  # starts a process
BEFORE = Sample(100.0, "S", 5.0, 2.0)
# Served last of all on one core, beside a process that wants all of it, this logs what it waits for.
STARVING = """
import asyncio, os
from server.ops import log
from server.ops.config.settings import Log
from server.ops.health.core_wait import CoreWait

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
hog = os.fork()
while not hog:
    pass
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
log.configure(Log(), strict=True)

async def work():
    while True:
        sum(range(100_000))
        await asyncio.sleep(0.001)

async def main():
    task = asyncio.ensure_future(work())
    await CoreWait("worker 1", 0.2).run()

try:
    asyncio.run(main())
finally:
    os.kill(hog, 9)
"""


@pytest.mark.parametrize(("share", "logged"), [(STARVED * 0.9, 0), (STARVED * 1.1, 1)])
async def test_a_quarter_of_the_time_without_a_core_is_logged(
    share: float, logged: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log.configure(Log(), strict=True)
    waited = share * EVERY_S
    CoreWait("worker 1").look(BEFORE, Sample(BEFORE.at + EVERY_S, "R", 6.0, BEFORE.waited + waited))
    assert await asyncio.to_thread(log.sink().flush)
    lines = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    found = [(line["event"], line["process"], line["seconds"]) for line in lines]
    assert found == [("process.starved", "worker 1", round(waited, 1))] * logged


async def test_a_process_that_the_machine_serves_last_says_so() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARVING, stderr=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    try:
        line = orjson.loads(await process.stderr.readline())
        assert (line["event"], line["process"]) == ("process.starved", "worker 1")
        assert line["seconds"] > 0
    finally:
        os.killpg(process.pid, 9)
        await process.wait()
