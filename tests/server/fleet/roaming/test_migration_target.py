"""People come from another host: who is held, who is here, and who is to be forgotten again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest

from server.fleet.cluster.known_nodes import Place
from server.fleet.roaming import migration_source, stale_copies
from server.fleet.roaming.evacuation import EmptiestHost
from server.fleet.roaming.host_migration_parts import HostMigration
from server.fleet.roaming.migration_target import MigrationTarget
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_seal import Seal
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.process import fault_points
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.meetings import (
    alone,
    arrived,
    lets_visitors_go,
    met,
    rows_until_failed,
    sent_far,
    sides,
)
from tests.server.fleet.cluster.rig import Cell, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor, Working, answers


def asker(made: Cell) -> RpcClient:
    """Of the first host."""
    return RpcClient(Seal(made.hosts[0].secret), made.hosts[0].node)


async def forgets(made: Cell, **who: Any) -> list[int]:
    """The second host is asked to forget people of its worker; who is there all the same."""
    home = made.hosts[1]
    body = orjson.dumps({"node": home.node, "worker": 1, **who})
    kept: list[int] = orjson.loads(await asker(made).ask(home.address, Kind.FORGET, body))
    return kept


def landing_of(made: Cell, worker: Working) -> MigrationTarget:
    """Of a process."""
    migration: HostMigration = next(
        there.host_migrations[worker] for there in made.hosts if worker in there.host_migrations
    )
    return migration._landing


async def came_with(made: Cell) -> tuple[Visitor, int, bytes]:
    """A client of the first host whose session came to the second one, and the nonce of the request that it came with."""
    visitor, id, home = await arrived(made)
    return visitor, id, landing_of(made, home)._arrivals._last[id].nonce


async def test_who_came_with_a_request_that_is_to_be_forgotten_ends_there_once(secret: Keys) -> None:
    async with cell(secret, room=False) as made:
        _, id, nonce = await came_with(made)
        assert await forgets(made, nonce="00" * 16) == []
        assert made.owners(id) == [made.workers[1][0]]
        assert await forgets(made, nonce=nonce.hex()) == []
        assert made.owners(id) == []
        landed = landing_of(made, made.workers[1][0])
        assert (landed.ended, landed.kept) == (1, 0)
        assert await forgets(made, nonce=nonce.hex()) == []
        assert landed.ended == 1


async def test_who_was_resumed_there_since_is_there(secret: Keys) -> None:
    async with cell(secret, room=False) as made:
        visitor, id, nonce = await came_with(made)
        home = made.workers[1][0]
        key = home.worker.engine.sessions[id].key
        visitor.sock.close()
        again, _, _ = await made.hosts[1].host.visitor(home)
        again.ask("resume", token=home.tokens.seal(key, 0), last=0)
        await again.hears("resumed")
        for who in ({"nonce": nonce.hex()}, {"people": [[id, key]]}):
            assert await forgets(made, **who) == [id]
        await answers(again)
        assert (made.owners(id), landing_of(made, home).kept) == ([home], 2)


async def test_who_was_resumed_there_and_went_to_the_host_of_that_connection_is_not_the_edges(secret: Keys) -> None:
    """The edge, which never read the acknowledgement, has put them back: that copy has to end."""
    async with cell(secret, workers=2, room=False) as made:
        visitor, id, nonce = await came_with(made)
        home, back = made.workers[1][0], made.workers[0][1]
        key = home.worker.engine.sessions[id].key
        visitor.sock.close()
        again, fresh, _ = await made.hosts[0].host.visitor(back)
        lets_visitors_go(home)
        back.links.session_lookup.is_elsewhere = lambda asked: asked == key  # type: ignore[method-assign]
        again.ask("resume", token=back.tokens.seal(key, 0), last=0)
        await until(lambda: fresh in back.worker.engine.sessions)
        back.links.across.request_move(fresh, made.hosts[0].names.name(made.hosts[1].names.number("worker 1")), int)
        await again.hears("resumed")
        await until(lambda: made.owners(id) == [back])
        for who in ({"nonce": nonce.hex()}, {"people": [[id, key]]}):
            assert await forgets(made, **who) == [id]
        assert await forgets(made, people=[[id, key + 1]]) == []
        await answers(again)


@pytest.mark.parametrize("resumed", [False, True])
async def test_who_came_again_with_another_request_is_not_ended_for_the_first_one(secret: Keys, resumed: bool) -> None:
    """A copy moved on, and then the session itself came by way of another worker of the edge."""
    async with cell(secret, workers=2, room=False) as made:
        visitor, id, nonce = await came_with(made)
        (edge, by), (home, next_home) = made.workers
        session = home.worker.engine.sessions[id]
        key = session.key
        visitor.sock.close()
        await until(lambda: not session.conn)
        if resumed:
            landing_of(made, home).returned(id, key + 1)
        assert home.links.across.exports.transfer((id,), home.links.across.to("worker 2"), DRAIN)
        await until(lambda: made.owners(id) == [next_home])
        copy = next_home.links.across.exports.moving.release((id,))
        assert copy is not None
        by.links.across.exports.moving.take(*deepcopy(copy))
        next_home.links.across.exports.moving.take(*copy)
        assert by.links.cross is not None
        to = EmptiestHost(lambda: [Place(made.hosts[1].name(1), 0)], by.links.cross, lambda _: None)
        assert by.links.across.exports.transfer((id,), to, DRAIN)
        await until(lambda: made.owners(id) == [home, next_home])
        await to.landed()
        assert await forgets(made, nonce=nonce.hex()) == ([id] if resumed else [[id, made.hosts[1].node, 2]])
        assert made.owners(id) == [home, next_home]
        asking = made.hosts[0].host_migrations[edge]._crossing.forgetting
        asking.ask(made.hosts[1].node, 1, made.hosts[1].address, [(id, key)], nonce)
        await until(lambda: not len(asking))
        assert made.owners(id) == ([home, next_home] if resumed else [home])


@pytest.mark.parametrize("point", ["", "held"])
async def test_a_session_that_is_under_way_from_a_process_is_not_accepted_there(
    secret: Keys, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Before its request comes, or since that is held."""
    async with cell(secret, room=False) as made:
        hub, one, visitor, id = await alone(made)
        crossing = made.hosts[1].host_migrations[made.workers[1][0]]._crossing
        if point:
            monkeypatch.setattr(fault_points, "at", lambda at: at == point and crossing._going.add(id))
        else:
            crossing._going.add(id)
        await sent_far(hub, visitor, id, made)
        assert await rows_until_failed(hub)
        assert await made.owned(id) is one
        await answers(visitor)


async def test_a_session_that_is_under_way_to_another_host_is_accepted_from_no_worker(secret: Keys) -> None:
    async with cell(secret, workers=2, room=False) as made:
        one, two = made.workers[0]
        visitor, id, _ = await made.hosts[0].host.visitor(one)
        going = made.hosts[0].host_migrations[two]._crossing._going
        for owner in (one, two):
            going.symmetric_difference_update({id})
            assert one.links.across.exports.transfer((id,), one.links.across.to("worker 2"), DRAIN)
            await one.links.across.fewer(1)
            assert made.owners(id) == [owner]
        await answers(visitor)


async def test_people_are_forgotten_by_their_ids_and_keys(secret: Keys) -> None:
    """As an edge knows them whose tunnel has broken."""
    async with cell(secret, room=False) as made:
        _, id, _ = await came_with(made)
        session = made.workers[1][0].worker.engine.sessions[id]
        assert await forgets(made, people=[[id, session.key + 1], [12345, 12345]]) == [id]
        assert await forgets(made, people=[[id, session.key]]) == []
        assert made.owners(id) == []


async def test_a_partner_is_told_at_once(two: Cell) -> None:
    visitors = await met(two)
    home, edge = sides(two)
    landed = landing_of(two, home)
    ((id, came),) = landed._arrivals._last.items()
    landed._forget(orjson.dumps({"nonce": came.nonce.hex()}))
    assert id not in home.sessions
    stays = visitors[0 if home is two.workers[0][0] else 1]
    assert (await stays.hears("left", "partner"))["type"] == "left"
    assert edge.sessions == set()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"nonce":5}', b'{"nonce":"x"}', b'{"people":[[1]]}', b'{"people":5}']
)
async def test_what_cannot_be_read_is_refused_in_words(two: Cell, body: bytes) -> None:
    status, _ = landing_of(two, two.workers[1][0])._forget(body)
    assert status == Status.NO


async def test_a_request_that_is_held_and_to_be_forgotten_lands_no_more(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its GO may come later than the word to forget it."""
    monkeypatch.setattr(migration_source, "TAKEN_WITHIN", 5.0)
    async with cell(secret, room=False) as made:
        hub, one, visitor, id = await alone(made)
        home = made.workers[1][0]
        relay = made.hosts[1].relay
        relay.stop(there=-1, closes=False)  # all but GO
        await sent_far(hub, visitor, id, made)
        await until(lambda: landing_of(made, home)._held and not one.sessions)
        (nonce,) = landing_of(made, home)._held
        assert await forgets(made, nonce=nonce.hex()) == []
        assert not landing_of(made, home)._held
        monkeypatch.setattr(stale_copies, "AGAIN", 0.01)
        assert await made.owned(id) is one


async def test_a_host_that_is_not_there_or_has_no_such_process_is_told_so(two: Cell) -> None:
    home = two.hosts[1]
    for who, why in (
        ({"node": "00000000ff", "worker": 1}, "not there any more"),
        ({"node": home.node, "worker": 9}, "worker 9 is not there"),
    ):
        with pytest.raises(HostRefused, match=why):
            await asker(two).ask(home.address, Kind.FORGET, orjson.dumps({**who, "nonce": ""}))
    with pytest.raises(HostAway, match="cannot be read"):
        await asker(two).ask(home.address, Kind.FORGET, b"nobody")
