"""Of people who are here already those who are banned go, and nobody waits while all are looked at."""

from __future__ import annotations

import asyncio

import pytest

from engine.views import error
from server.realtime.worker import session_recheck
from server.realtime.worker.worker_loop import Worker
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import connected, quiet


async def test_who_is_banned_goes_and_who_is_not_stays(worker: Worker, ports: LatePorts) -> None:
    stays, goes = await connected(worker, 2)
    banned = list(worker.engine.sessions.values())[1].id
    ports.find_ban = lambda *_: (error("banned"), bytes(16))
    await session_recheck.look(worker, [worker.engine.sessions[banned]])
    await quiet(worker)
    assert [said["code"] for said in goes.hear()] == ["banned"]
    assert (stays.hear(), banned in worker.engine.sessions, len(worker.engine.sessions)) == ([], False, 1)
    for client in (stays, goes):
        client.sock.close()


async def test_others_have_their_turn_between_two_slices(
    worker: Worker, ports: LatePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_recheck, "SLICE", 2)
    clients = await connected(worker, 5)
    looked: list[int] = []
    ports.find_ban = lambda identity, _: looked.append(identity)
    task = asyncio.create_task(session_recheck.look(worker, list(worker.engine.sessions.values())))
    counts = []
    while not task.done():
        await asyncio.sleep(0)
        counts.append(len(looked))
    assert (counts[0], counts[-1]) == (2, 5)
    for client in clients:
        client.sock.close()
