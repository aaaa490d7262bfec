"""What operators see of a process's sessions, and what they can do about them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from server.ops.health.service_state import MAINTENANCE, ServiceState
from server.realtime.worker import live_sessions
from server.realtime.worker.live_sessions import LiveSessions
from server.realtime.worker.worker_loop import Worker
from tests.server.realtime.worker.test_worker_loop import Client, connected, quiet


def live(worker: Worker) -> LiveSessions:
    """Return the sessions of a worker, all of them in Norway."""
    return LiveSessions(worker, lambda _: "NO", ServiceState())


def say(client: Client, kind: str, **fields: Any) -> None:
    """Send one frame."""
    client.say(orjson.dumps({"type": kind, **fields}))


async def in_a_chat(worker: Worker, count: int = 2) -> list[Client]:
    """Return clients who have met."""
    clients = await connected(worker, count)
    for client in clients:
        say(client, "find")
    await quiet(worker)
    for client in clients:
        client.hear()
    return clients


async def test_sessions_are_counted_and_listed_without_what_identifies_a_user(worker: Worker) -> None:
    clients, lone = await in_a_chat(worker), await connected(worker, 1)
    here = live(worker)
    counts = here.answer({"do": "count"})
    assert counts["sessions"] == 3
    assert counts["states"] == {"chatting": 2, "idle": 1}
    found = here.answer({"do": "list", "state": "chatting", "country": "NO"})
    assert found["total"] == 2
    assert {one["session"] for one in found["rows"]} == {
        f"{one.id:016x}" for one in worker.engine.sessions.values() if one.seat is not None
    }
    (row, _) = found["rows"]
    assert set(row) == {"session", "state", "seconds", "video", "away", "program", "country", "paused"}
    assert row["seconds"] >= 0
    assert here.answer({"do": "list", "country": "SE"})["total"] == 0
    address = next(iter(worker.engine.sessions.values())).address
    assert here.answer({"do": "list", "address": address})["total"] == 3
    for client in (*clients, *lone):
        client.sock.close()


async def test_a_session_is_ended_and_the_partner_is_told(worker: Worker) -> None:
    one, two = await in_a_chat(worker)
    first = min(worker.engine.sessions.values(), key=lambda session: session.conn)
    here = live(worker)
    assert here.answer({"do": "end", "session": f"{first.id:016x}"}) == {"done": True}
    await quiet(worker)
    heard = {frame["type"]: frame for client in (one, two) for frame in client.hear()}
    assert heard["error"]["code"] == "removed"
    assert heard["left"]["by"] == "moderation"
    assert here.answer({"do": "end", "session": f"{first.id:016x}"}) == {"done": False}
    for client in (one, two):
        client.sock.close()


@pytest.mark.parametrize("name", ["", "x" * 16, "1", "-000000000000001"])
async def test_an_unknown_session_is_no_fault(worker: Worker, name: str) -> None:
    assert live(worker).answer({"do": "end", "session": name}) == {"done": False}


async def test_maintenance_ends_searches_and_lets_chats_go_on(worker: Worker) -> None:
    one, two = await in_a_chat(worker)
    (lone,) = await connected(worker, 1)
    say(lone, "find", interests=["alone"], strict=True)
    await quiet(worker)
    lone.hear()
    here, state = live(worker), ServiceState()
    here.answer({"do": "service", "rows": state.state(MAINTENANCE, {"until": 0})})
    await asyncio.sleep(0)
    await quiet(worker)
    told = lone.hear()
    assert [(frame["type"], frame.get("code")) for frame in told] == [("error", "maintenance"), ("service", None)]
    say(lone, "find")
    await quiet(worker)
    assert [frame["code"] for frame in lone.hear()] == ["maintenance"]
    assert [frame["type"] for client in (one, two) for frame in client.hear()] == ["service", "service"]
    say(one, "message", text="still here")
    await quiet(worker)
    assert [frame["text"] for frame in two.hear()] == ["still here"]
    newer = ServiceState(wall=lambda: time.time() + 1)
    here.answer({"do": "service", "rows": newer.state(MAINTENANCE, None)})
    await asyncio.sleep(0)
    await quiet(worker)
    assert lone.hear() == [{"type": "service"}]
    say(lone, "find")
    await quiet(worker)
    assert [frame["type"] for frame in lone.hear()] == ["waiting"]
    for client in (one, two, lone):
        client.sock.close()


async def test_a_frame_to_all_leaves_others_their_turn(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_sessions, "SLICE", 2)
    clients = await connected(worker, 5)
    here = live(worker)
    here.note_store(True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await quiet(worker)
    assert [client.hear() for client in clients] == [[{"type": "service", "read_only": True}]] * 5
    for client in clients:
        client.sock.close()


async def test_what_is_no_request_is_answered_by_an_error(worker: Worker) -> None:
    here = live(worker)
    for request in ({}, {"do": "dance"}, {"do": "pause", "session": "0" * 16, "seconds": 0}):
        assert "error" in here.answer(request)
    assert "error" in here.answer({"do": "service", "rows": []})
    assert "error" in here.answer({"do": "log", "group": "nobody", "level": "debug"})
