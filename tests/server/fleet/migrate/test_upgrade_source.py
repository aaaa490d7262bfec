"""The old side: everybody goes, or everybody is here still, and the reason is told."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from engine.engine import Session, SessionRecord
from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.migrate import migration_order, upgrade_source
from server.fleet.migrate.upgrade_source import Failed
from server.fleet.migrate.upgrade_successor import UpgradeSuccessor
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import Released, SessionMoves
from tests.server.fleet.migrate.rig import Pair, pair, until
from tests.server.realtime.worker.test_worker_loop import Client, find, quiet


async def chat(made: Pair) -> tuple[Client, Client]:
    """Two who talk, at the old side."""
    one, two = await made.connect(2)
    for client in (one, two):
        client.say(find("chess"))
    await quiet(made.old.worker)
    for client in (one, two):
        assert client.hear()[-1]["type"] == "matched"
    return one, two


async def talk(made: Pair, one: Client, two: Client, seq: int) -> None:
    """A line goes from one to the other, wherever they are."""
    one.say(b'{"type":"message","text":"hi"}')
    heard: list[dict[str, object]] = []
    await until(lambda: heard.extend(two.hear()) or heard)
    assert [(frame["type"], frame["seq"]) for frame in heard] == [("message", seq)]


class Deaf:
    """A new side that takes nobody and closes the link when the first people come."""

    def __init__(self, made: Pair) -> None:
        self.heard = 0
        self._link = Link(made.theirs, self._came, lambda _: None)

    def _came(self, message: Message) -> None:
        if message.kind == Kind.SOCKETS:
            self._link.send(Kind.READY, (1, 1), "0")
        elif message.kind == Kind.PEOPLE:
            self.heard += 1
            for descriptor in message.descriptors:
                os.close(descriptor)
            self._link.close()


async def test_who_talks_goes_on_over_there_and_is_counted(secret: Keys) -> None:
    async with pair(secret) as made:
        one, two = await chat(made)
        await talk(made, one, two, 1)
        result = await made.hand_over()
        assert (result.people, result.chats, result.stayed) == (2, 1, 0)
        await talk(made, two, one, 2)
        assert (made.old.worker.engine.online, made.new.worker.engine.online) == (0, 2)
        assert (made.old.accepts, made.new.accepts) == (False, True)
        assert made.steps[:2] == [{"step": "starting"}, made.steps[1]]
        assert made.old.tally.people["upgrade", "given"] == made.new.tally.people["upgrade", "taken"] == 2


async def test_who_knocks_while_it_runs_and_has_said_nothing_goes_too(secret: Keys) -> None:
    async with pair(secret) as made:
        ours, newcomer = socket.socketpair()
        for end in (ours, newcomer):
            end.setblocking(False)
        made.old.worker.reactor.adopt_socket(ours.detach(), "192.0.2.1", b"", True)  # as the listening socket has them
        newcomer.send(b"GET /ws HTTP/1.1\r\nHost: local")
        await quiet(made.old.worker)
        await made.hand_over()
        newcomer.send(
            b"host\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await until(lambda: made.new.worker.engine.online)
        newcomer.close()
        assert made.old.worker.reactor.connections == 0


async def test_a_successor_that_says_why_it_cannot_serve_is_heard(secret: Keys) -> None:
    async with pair(secret) as made:
        one, two = await chat(made)
        arriving = UpgradeSuccessor(made.theirs)
        run = asyncio.create_task(made.leaving.run())
        await arriving.sockets()
        await arriving.failed("store: the disk is gone")
        with pytest.raises(Failed, match="store: the disk is gone"):
            await run
        assert not made.child.running
        assert made.old.accepts
        await talk(made, one, two, 1)


async def test_a_successor_that_does_not_answer_is_ended(secret: Keys) -> None:
    async with pair(secret, start_within=0.01) as made:
        one, two = await chat(made)
        with pytest.raises(Failed, match=r"was not ready within 0\.01 s"):
            await made.leaving.run()
        assert not made.child.running
        await talk(made, one, two, 1)


async def test_a_link_that_breaks_in_the_middle_ends_the_successor_and_who_was_not_taken_is_here(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade_source, "DEATH_WITHIN", 0.01)
    async with pair(secret) as made:
        one, two = await chat(made)
        deaf = Deaf(made)
        with pytest.raises(Failed, match="the way to the new process is broken"):
            await made.leaving.run()
        assert deaf.heard == 1
        assert not made.child.running
        assert made.old.accepts
        assert made.old.tally.people["upgrade", "back"] == 2
        await talk(made, one, two, 1)


@pytest.mark.parametrize("most", [1, migration_order.BATCH])
async def test_people_whose_record_cannot_be_read_over_there_stay_and_the_others_go(
    secret: Keys, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Also if all are in one message."""
    monkeypatch.setattr(migration_order, "BATCH", most)
    async with pair(secret) as made:
        one, two = await chat(made)
        await made.connect(1)
        release, take = SessionMoves.release, SessionMoves.take

        def spoil(self: SessionMoves, ids: Sequence[int], near: bool) -> Released | None:
            released = release(self, ids, near)
            if released is not None and len(ids) >= 2:
                released.session_record.record["v"] = 99
            return released

        def mend(self: SessionMoves, session_record: SessionRecord, *more: Any) -> list[Session]:
            if self._worker is made.old.worker:
                session_record.record["v"] = 1
            return take(self, session_record, *more)

        monkeypatch.setattr(SessionMoves, "release", spoil)
        monkeypatch.setattr(SessionMoves, "take", mend)
        result = await made.hand_over()
        assert (result.people, result.stayed) == (1, 2)
        assert made.new.tally.people["upgrade", "refused"] == (2 if most == 1 else 3 + 2)
        await talk(made, one, two, 1)
        assert made.old.worker.engine.online == 2


async def test_a_stop_in_the_middle_brings_nobody_back_and_is_told_to_the_successor(secret: Keys) -> None:
    async with pair(secret) as made:
        await chat(made)
        made.leaving.stop()
        with pytest.raises(Failed, match="told to stop"):
            await made.leaving.run()
        assert not made.child.running
