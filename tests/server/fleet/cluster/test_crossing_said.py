"""What a client says around a crossing is heard once, in its order, wherever they are then."""

from __future__ import annotations

import pytest

from engine.rooms import hub_messages as rows
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.processes import session_lookup
from server.fleet.processes.session_lookup import HERE
from server.fleet.roaming import migration_source, migration_target
from server.fleet.rpc import rpc_server
from server.ops.security.secret_keys import Keys
from tests.ext.net.rig import frame
from tests.server.fleet.cluster.meetings import (
    far,
    keeps_visitors,
    sent_far,
    visitor_heard,
)
from tests.server.fleet.cluster.rig import Cell, cell
from tests.server.fleet.migrate.rig import until

PING = b'{"type":"ping"}'
SAID = frame(PING) + frame(PING[:6], fin=False) + frame(PING[6:], opcode=0) + frame(PING)  # the second in two pieces


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is late: a busy machine decides nothing here."""
    for name in ("PATIENCE", "TAKEN_WITHIN", "TOOK_WITHIN"):
        monkeypatch.setattr(migration_source, name, 10.0)
    monkeypatch.setattr(migration_target, "GO_WITHIN", 10.0)
    monkeypatch.setattr(rpc_server, "DEADLINE", 10.0)


# ---- what a client says meanwhile


@pytest.mark.parametrize("goes", [True, False])
async def test_what_is_said_at_each_byte_around_a_crossing_is_heard_once(
    secret: Keys, goes: bool, unhurried: None
) -> None:
    """A part before they leave, a part while they are nowhere, the rest where they are."""
    for at in range(0, len(SAID) + 1, 3):
        async with cell(secret, room=False) as made:
            hub, one = made.hosts[0].host.play(HUB), made.workers[0][0]
            for there in made.hosts:
                await there.host.joined()
            visitor, id, _ = await made.hosts[0].host.visitor(one)
            visitor.find("sailing")
            (ticket,) = await hub.rows(rows.TICKET)
            await visitor_heard(visitor, SAID[:at])
            made.hosts[1].relay.flows.clear()
            keeps_visitors(made.workers[1][0])
            far(hub, id, ticket, made)
            await until(lambda one=one: not one.sessions)  # type: ignore[misc]
            visitor.sock.send(SAID[at : at + 5])
            made.hosts[1].takes = goes
            made.hosts[1].relay.flows.set()
            await until(lambda made=made, id=id: made.owners(id))  # type: ignore[misc]
            visitor.sock.send(SAID[at + 5 :])
            assert (await made.owned(id) is made.workers[1][0]) == goes
            for _ in range(3):
                await visitor.hears("pong")
            visitor.ask("ping", n=1)
            await visitor.hears("pong")
            assert visitor.told == []


async def test_who_drops_out_on_the_way_is_away_at_the_home(two: Cell, unhurried: None) -> None:
    (one,), (other,) = two.workers
    first, a = await two.hosts[0].host.waiting(one, "sailing")
    second, b, _ = await two.hosts[1].host.visitor(other)
    for there in two.hosts:
        there.relay.flows.clear()
    second.find("sailing")
    await until(lambda: not one.sessions or not other.sessions)
    gone, stays, id = (first, second, a) if not one.sessions else (second, first, b)
    gone.sock.close()
    for there in two.hosts:
        there.relay.flows.set()
    await stays.hears("matched")
    assert (await stays.hears("partner"))["state"] == "away"
    assert not (await two.owned(id)).worker.engine.sessions[id].conn


async def test_who_asks_for_somebody_on_the_way_is_told_where_they_are(secret: Keys, unhurried: None) -> None:
    async with cell(secret, room=False) as made:
        here, one = made.hosts[0].host, made.workers[0][0]
        hub, asker = here.play(HUB), here.play("worker 5")
        await here.joined()
        visitor, id, _ = await here.visitor(one)
        made.hosts[1].relay.flows.clear()
        await sent_far(hub, visitor, id, made)
        await until(lambda: not one.sessions)
        asker.peers.send("worker 1", Kind.WHO, id)
        asker.peers.send("worker 1", Kind.WHO, 12345)
        assert (await asker.next(Kind.MINE)).records == [12345, None]
        assert (await asker.next(Kind.MOVING)).records == [id]
        made.hosts[1].relay.flows.set()
        assert (await asker.next(Kind.MINE)).records == [id, made.hosts[1].name(1)]


@pytest.mark.parametrize("goes", [True, False])
@pytest.mark.parametrize("number", [1, 2])
async def test_who_resumes_while_their_session_is_on_the_way_waits_and_has_it(
    secret: Keys, number: int, goes: bool, unhurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the worker that it leaves, or at another one of that host; the home takes it, or it is put back."""
    monkeypatch.setattr(session_lookup, "WITHIN", 1e6)
    monkeypatch.setattr(session_lookup, "MOVING_FOR", 1e6)
    async with cell(secret, workers=2, room=False) as made:
        here, (one, two) = made.hosts[0].host, made.workers[0]
        at = one if number == 1 else two
        hub = here.play(HUB)
        await here.joined()
        visitor, id, token = await here.visitor(one)
        made.hosts[1].takes = goes
        keeps_visitors(made.workers[1][0])
        made.hosts[1].relay.flows.clear()
        await sent_far(hub, visitor, id, made)
        await until(lambda: not one.sessions)
        back, _, _ = await here.visitor(at)
        back.ask("resume", token=token, last=0)
        lookup = at.links.session_lookup
        await until(
            lambda: [{HERE} if at is one else {"worker 1"}] == [each.asked for each in lookup._lookups.values()]
        )
        assert back.hear() == []
        made.hosts[1].relay.flows.set()
        assert (await back.hears("resumed", "error"))["type"] == "resumed"
        assert (await made.owned(id) is made.workers[1][0]) == goes
