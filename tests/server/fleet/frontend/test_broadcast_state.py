"""What the frontend tells is what a worker knows: all at first, then what changed, in any order of both."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from engine.conduct.friction_points import Friction
from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.fleet.frontend import ban_and_notice_broadcast as module
from server.fleet.frontend.ban_and_notice_broadcast import BanBroadcast
from server.fleet.frontend.broadcast_state import BroadcastState, Statement
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import Peers
from server.ops.security.secret_keys import load
from server.ops.security.url_token_generator import encode
from server.trust.moderation_protocol import Safety
from server.trust.sanctions.ban_table import Ban, BanTable
from server.trust.sanctions.notice_table import Notice, NoticeTable
from tests.server.fleet.processes.wires import Wires

WORKER = "worker 1"
LONG = 253_000_000_000


class Frontend:
    """The frontend's tables and what it sends, and the worker that is told."""

    def __init__(self, keys: Pseudonyms) -> None:
        self.keys = keys
        self.bans, self.notices = BanTable(keys), NoticeTable(keys)
        self.bans.known = self.notices.known = True
        self.wires = Wires(WORKER)
        self.said: dict[str, Any] = {"version": "1", "from": 0}
        self.sharing = BanBroadcast(lambda: cast(Peers, self.wires), lambda: self.said, cast(Safety, self))
        self.news = 0
        self.read: list[tuple[bytes, bytes | int]] = []
        self.minors: list[int] = []
        self.friction = Friction()
        self.told = BroadcastState(
            keys, self._news, lambda id, owner: self.read.append((id, owner)),
            on_minor=self.minors.append, on_lifted=self.friction.lifted,
        )  # fmt: skip
        self.statement = Statement()

    def _news(self) -> None:
        self.news += 1

    def ban(self, identity: int) -> None:
        self.bans.put(self.keys.safety_identity(identity), Ban(False, LONG, "R5", b"c" * 16, 1, False).packed())

    def deliver(self, messages: list[Message]) -> None:
        for message in messages:
            {
                Kind.BANS: self.told.take_bans,
                Kind.NOTICES: self.told.take_notices,
                Kind.STATEMENT: self.statement.take,
            }[Kind(message.kind)]("frontend", message)

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        self.deliver(self.wires.take())

    def banned(self, *identities: int) -> list[bool]:
        return [self.told.bans.refusal(identity, "") is not None for identity in identities]


def notice(number: int) -> Notice:
    """One by its number."""
    return Notice(bytes([number]) * 16, "warning", "R4", number, "person", b"c" * 16)


@pytest.fixture
def keys(tmp_path: Path) -> Pseudonyms:
    """Of a deployment."""
    return open_pseudonyms(load(tmp_path), tmp_path)


@pytest.fixture
async def frontend(keys: Pseudonyms) -> AsyncIterator[Frontend]:
    """One, with a worker."""
    made = Frontend(keys)
    yield made
    made.sharing.close()


async def test_who_joins_is_told_all_and_then_what_changes(frontend: Frontend, monkeypatch: pytest.MonkeyPatch) -> None:
    for identity in range(1, 6):
        frontend.ban(identity)
    frontend.notices.put(77, notice(1))
    monkeypatch.setattr(module, "BANS", 2)
    frontend.sharing.joined("hub")
    frontend.sharing.joined(WORKER)
    assert not frontend.told.ready.is_set()
    await frontend.turn()
    assert frontend.told.ready.is_set()
    assert frontend.statement() == {"version": "1", "from": 0}
    assert frontend.banned(1, 5, 6) == [True, True, False]
    assert frontend.told.bans.turned_away == 2
    assert frontend.told.notices.unread(0, 77) == frontend.notices.unread(0, 77)
    before = frontend.news
    frontend.ban(6)
    frontend.bans.drop(frontend.keys.safety_identity(5))
    frontend.notices.drop(notice(1).id)
    frontend.notices.put(78, notice(2))
    await frontend.turn()
    assert frontend.banned(1, 5, 6) == [True, False, True]
    assert frontend.told.notices.ids() == [notice(2).id]
    assert frontend.news == before + 2
    frontend.sharing.dead(WORKER)
    frontend.ban(7)
    await frontend.turn()
    assert frontend.banned(7) == [False]


async def test_a_ban_that_is_taken_back_leaves_nothing_on_its_network_in_any_worker(frontend: Frontend) -> None:
    friction = frontend.friction
    frontend.ban(5)
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    refused = frontend.told.bans.refusal(5, "192.0.2.1")
    assert refused is not None
    friction.barred("192.0.2.1", refused[1], 0.0)
    assert friction.current_points(1, 0, "192.0.2.1", 1.0) == 3
    frontend.bans.drop(frontend.keys.safety_identity(5))
    await frontend.turn()
    assert friction.current_points(1, 0, "192.0.2.1", 1.0) == 1


async def test_a_ban_that_is_reversed_after_its_end_leaves_nothing_on_its_network_in_any_worker(
    frontend: Frontend,
) -> None:
    friction, other = frontend.friction, b"d" * 16
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    friction.barred("192.0.2.1", b"c" * 16, 0.0)
    friction.barred("192.0.2.2", other, 0.0)
    frontend.bans.reverse_ended(b"c" * 16)
    await frontend.turn()
    assert [friction.current_points(1, 0, f"192.0.2.{host}", 1.0) for host in (1, 2)] == [1, 3]
    frontend.bans.reverse_ended(other)
    await frontend.turn()
    assert friction.current_points(1, 0, "192.0.2.2", 1.0) == 1


async def test_who_is_turned_away_as_a_minor_by_a_person_is_told_of(frontend: Frontend) -> None:
    for identity, machine in ((1, False), (2, True)):
        made = Ban(False, LONG, "R1", b"c" * 16, 1, machine, age=True)
        frontend.bans.put(frontend.keys.safety_identity(identity), made.packed())
    frontend.ban(3)
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    assert frontend.banned(1, 2, 3, 4) == [True, True, True, False]
    assert frontend.minors == [1]
    found = frontend.told.bans.find(2, "")
    assert found is not None
    assert b'"measure":"age"' in frontend.told.bans.frame(found)


async def test_a_frontend_that_knows_nothing_takes_nothing_away(frontend: Frontend) -> None:
    frontend.ban(1)
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    frontend.bans.known = False
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    assert frontend.banned(1) == [True]
    frontend.bans.known = True
    frontend.bans.drop(frontend.keys.safety_identity(1))
    frontend.said = {"version": "2", "from": 5}
    frontend.sharing._every()
    await frontend.turn()
    assert frontend.banned(1) == [False]
    assert frontend.statement() == {"version": "2", "from": 5}


async def test_what_changes_while_all_of_it_comes_is_not_set_back(frontend: Frontend) -> None:
    for identity in (1, 2):
        frontend.ban(identity)
    frontend.notices.put(77, notice(1))
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    frontend.sharing.joined(WORKER)
    for _ in range(5):
        await asyncio.sleep(0)
    statement, bans, notices = frontend.wires.take()
    half = bans._replace(records=[{"known": True, "all": True, "first": True, "last": False}])
    rest = bans._replace(records=[{"known": True, "all": True, "first": False, "last": True}], pieces=[b"", b""])
    frontend.bans.drop(frontend.keys.safety_identity(2))
    frontend.ban(3)
    frontend.notices.drop(notice(1).id)
    for _ in range(5):
        await asyncio.sleep(0)
    changes = frontend.wires.take()
    frontend.deliver([statement, half, *changes[:1], rest])
    assert frontend.banned(1, 2, 3) == [True, False, True]
    frontend.deliver([notices, *changes[1:]])
    assert frontend.told.notices.ids() == []


async def test_what_was_read_and_not_heard_is_told_again(frontend: Frontend) -> None:
    frontend.notices.put(77, notice(1))
    frontend.sharing.joined(WORKER)
    await frontend.turn()
    id = encode(notice(1).id)
    assert frontend.told.notices.seen(0, 77, id)
    assert frontend.read == [(notice(1).id, 77)]
    frontend.sharing.joined(WORKER)  # the next frontend, which does not know
    await frontend.turn()
    assert frontend.told.notices.unread(0, 77) is None
    assert frontend.read == [(notice(1).id, 77)] * 2
    assert frontend.notices.was_read(*frontend.read[0])
    await frontend.turn()
    assert frontend.notices.unread(0, 77) is None
