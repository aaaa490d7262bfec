"""Whoever has no video for a while has none in any process of a host, wherever they come next; one that starts later knows it too."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from serendip_client.events import Error, Matched, Snap, Veil, Waiting
from serendip_client.pictures import Shown
from tests.server.fleet.processes.hosts import Host, client, hosting
from tests.server.trust.pictures.running import own
from tests.support.forkserver import START

pytestmark = [
    pytest.mark.blocking,  # several processes
    pytest.mark.timeout(120),  # and a model that is loaded
]
# A look a second, and what is missing is counted after two: three of them in a row, as ever.
QUICK = """
import engine.wire.rule_constants, engine.wire.protocol
from engine.wire import rule_constants
rule_constants.LOOK_LEAST, rule_constants.LOOK_SPREAD, rule_constants.LOOK_CLOSE, rule_constants.CLOSE_POINTS = 0.5, 0.5, 1.0, 0
engine.wire.rule_constants.LOOK_GRACE, engine.wire.protocol.SNAP_WITHIN = 0.5, 1.5
"""
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}
WITHOLDS, GIVES = "w" * 22, "g" * 22
WORKERS = ("worker 1", "worker 2")


async def looked_at(host: Host) -> None:
    """Wait until pictures are looked at there."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while not json.loads((await host.get(http, "/api/config"))[1]).get("pictures"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def gives_own(_: Snap) -> Shown:
    """They show themselves, and nobody of the others."""
    return Shown(None, own())


async def refused_at(host: Host, worker: str) -> bool:
    """Whether who comes to this worker by the cookie of who withheld is told that video is off, and for how long."""
    other = next(name for name in WORKERS if name != worker)
    host.hold(other)
    try:
        async with client(host, WITHOLDS) as back:
            await back.find(["a way around"], mode="video")
            answer = await back.next(Error, Waiting)
            return isinstance(answer, Error) and answer.code == "snaps" and 0 < (answer.retry_after or 0) <= 600
    finally:
        host.go_on(other)


async def test_video_is_off_in_every_process_at_once_and_in_one_that_starts_later(tmp_path: Path) -> None:
    async with hosting(
        tmp_path, 2, QUICK + START, SERENDIP_PICTURES__MEAN="20", SERENDIP_SCREENING__TEXT="off"
    ) as host:
        await looked_at(host)
        assert not await refused_at(host, "worker 1")
        async with client(host, WITHOLDS) as one, client(host, GIVES, gives_own) as two:
            for person in (one, two):
                await person.find(["cameras"], mode="video")
            for person in (one, two):
                await person.next(Matched)
            await two.signal(description=ANSWER)
            for person in (one, two):
                assert await asyncio.wait_for(person.next(Veil), 40) == Veil(True, "unchecked")
        for worker in WORKERS:
            assert await refused_at(host, worker), worker
        host.kill("worker 1")
        await host.told("process.ready", 2, process="worker 1")
        assert await refused_at(host, "worker 1"), "it was only just started"
