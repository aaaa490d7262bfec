"""Who waits goes before who talks, a chat's people go together, and who cannot go is asked again for a while."""

import asyncio
import os

import pytest

from server.fleet.ipc.ipc_link import DESCRIPTORS_MAX, Kind
from server.fleet.migrate import migration_order
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import pair
from tests.server.realtime.worker.test_worker_loop import find

THREE = 3  # the most people of a chat


async def test_who_waits_goes_first_and_a_chat_is_never_apart(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_order, "BATCH", 1)
    came: list[list[int]] = []
    async with pair(secret) as made:
        one, two, waits = await made.connect(3)
        for client in (one, two):
            client.say(find("chess"))
        waits.say(find("patience"))
        await made.settled()
        target = made.leaving._people._target
        send = target._send  # type: ignore[attr-defined]

        def watched(kind: Kind, *records: object, **more: object) -> int:
            if kind == Kind.PEOPLE:
                came.append([len(records[0]["people"]), len(records[0]["chats"])])  # type: ignore[index]
            return send(kind, *records, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(target, "_send", watched)
        await made.hand_over()
    assert came == [[1, 0], [2, 1]]


async def test_who_cannot_go_stays_after_a_while_and_the_others_go(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_order, "PATIENCE", 0.0)
    async with pair(secret) as made:
        await made.connect(2)
        first = next(iter(made.old.worker.engine.sessions))
        moving = made.leaving._people._exports.moving
        release = moving.release
        monkeypatch.setattr(moving, "release", lambda ids, near: None if first in ids else release(ids, near))
        result = await made.hand_over()
        assert (result.people, result.stayed) == (1, 1)
        assert set(made.old.worker.engine.sessions) == {first}


async def test_a_message_has_no_more_people_than_the_link_takes_descriptors(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migration_order.BATCH - 1 + THREE <= DESCRIPTORS_MAX
    monkeypatch.setattr(migration_order, "BATCH", 3)
    async with pair(secret) as made:
        clients = await made.connect(8)
        for place, client in enumerate(clients):
            client.say(find(f"chess {place // 2}"))
        await made.settled()
        left, went = iter(made.old.worker.engine.moves.order()), []
        while batch := made.leaving._people._next(left):
            released = made.leaving._people._exports.moving.release(batch)
            assert released is not None
            for descriptor in released.descriptors:
                os.close(descriptor)
            went.append(len(batch))
        assert (went, made.old.worker.engine.online) == ([4, 4], 0)


async def test_who_is_asked_for_goes_in_the_next_message_with_their_chat(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_order, "BATCH", 2)
    async with pair(secret) as made:
        one, two, *_ = await made.connect(5)
        for client in (one, two):
            client.say(find("chess"))
        await made.settled()
        order = made.old.worker.engine.moves.order()
        talk = made.old.worker.engine.moves.group(order[-1])
        made.leaving._wanted("session", order[-1])
        left = iter(order)
        assert made.leaving._people._next(left) == list(talk)
        assert made.leaving._people._next(left) == order[:2]
        made.leaving._people._unmovable.add(order[2])
        assert made.leaving._people._next(left) == list(talk)


async def test_nobody_is_sent_while_a_turn_is_put_off(secret: Keys) -> None:
    async with pair(secret) as made:
        await made.connect(1)
        made.old.worker._put_off = asyncio.get_running_loop().call_soon(lambda: None)
        assert made.leaving._people._send(list(made.old.worker.engine.sessions)) == 0
        made.old.worker._put_off = None
