"""Whoever is not taken by another host goes on where they were, and nothing of the attempt stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.engine import SessionRecord
from engine.rooms.hub_messages import Meeting, Member
from server.fleet.ipc.ipc_link import Kind
from server.fleet.roaming import migration_source, migration_target
from server.fleet.roaming.move_request import Move
from server.fleet.rpc.rpc_seal import Seal
from server.ops.security.secret_keys import Keys, load
from tests.engine.meetings import row_of
from tests.server.fleet.cluster.meetings import (
    alone,
    met,
    over,
    rows_until_failed,
    sent_far,
    sides,
)
from tests.server.fleet.cluster.rig import Cell, all_closed, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import answers, talk
from tests.support.descriptors import opened

# ---- they stay


async def stays(made: Cell, result: str, why: str) -> None:
    """Somebody is to go, and is where they were: the hub hears that the match has failed, and of their ticket."""
    hub, one, visitor, id = await alone(made)
    await sent_far(hub, visitor, id, made)
    heard = await rows_until_failed(hub)
    assert heard in (["leave", "ticket", "failed"], ["failed"])
    await answers(visitor)
    assert await made.owned(id) is one
    counted = {key: count for key, count in one.links.tally.between_hosts.items() if count}
    assert counted == ({("meet", "tunnel", result): 1} if result else {}), why


async def not_taken(case: str, secret: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """See the test."""
    async with cell(secret, room=False) as made:
        home, result, right = made.hosts[1], "refused", migration_source.pack
        match case:
            case "no host":
                made.hosts[0].know()
                result = ""
            case "no port":
                await home.relay.close()
                result = ""
            case "no worker":
                home.host.kill("worker 1")
                made.workers[1].clear()
                home.host_migrations = {home.frontend: home.host_migrations[home.frontend]}
            case "takes nobody":
                home.takes = False
            case "full":
                monkeypatch.setattr(migration_target, "HELD_MAX", 0)
            case "version":
                monkeypatch.setattr(migration_source, "pack", lambda move: right(_newer(move)))
            case "another secret":
                monkeypatch.setattr(
                    made.hosts[0].host_migrations[made.workers[0][0]]._crossing._asker, "seal", _seal(folder / "other")
                )
                result = "back"
            case "slow":
                monkeypatch.setattr(migration_source, "TAKEN_WITHIN", 0.02)
                home.relay.flows.clear()
                result = "back"
            case "unreadable":
                monkeypatch.setattr(migration_source, "pack", lambda _: b"nobody")
            case "wrong meeting":
                monkeypatch.setattr(migration_source, "pack", lambda move: right(move._replace(meeting=["meet", 1])))
        await stays(made, result, case)
        home.relay.flows.set()


@pytest.mark.blocking  # reads keys of another service
@pytest.mark.parametrize(
    "case",
    [
        "no host",
        "no port",
        "no worker",
        "takes nobody",
        "full",
        "version",
        "another secret",
        "slow",
        "unreadable",
        "wrong meeting",
    ],
)
async def test_who_is_not_taken_goes_on_where_they_were(
    case: str, secret: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened()
    await not_taken(case, secret, tmp_path, monkeypatch)
    await all_closed(before)


def _newer(move: Move) -> Move:
    """As a release to come writes it."""
    record, blobs = move.people
    return move._replace(people=SessionRecord({**record, "v": 99}, blobs))


async def test_who_cannot_be_read_there_is_here_again(two: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is found when GO was said: the home is asked to forget them."""
    right, times = migration_source.pack, iter((True,))

    def damaged(move: Move) -> bytes:
        person = move.people.record["people"][0]
        state = {"state": "nowhere"} if next(times, False) else {}
        return right(
            move._replace(
                people=SessionRecord({**move.people.record, "people": [{**person, **state}]}, move.people.blobs)
            )
        )

    monkeypatch.setattr(migration_source, "pack", damaged)
    first, second = await met(two)
    await talk(first, second)
    home, edge = sides(two)
    assert edge.links.tally.between_hosts["meet", "tunnel", "back"] == 1
    assert edge.links.reading()["serendip_migrations_doubtful"] == {
        ("asked",): 1, ("unanswered",): 0, ("ended",): 0, ("kept",): 0,
    }  # fmt: skip
    assert home.links.tally.between_hosts["meet", "tunnel", "taken"] == 1


async def test_a_visitor_goes_to_no_third_host(secret: Keys) -> None:
    async with cell(secret, hosts=3) as made:
        (one,), (other,), _ = made.workers
        first, a, _ = await made.hosts[0].host.visitor(one)
        second, b = await made.hosts[1].host.waiting(other, "sailing")
        first.find("sailing")
        for visitor in (first, second):
            await visitor.hears("matched")
        home = await made.owned(a)
        guest, id, local = (first, a, second) if home is other else (second, b, first)
        home.links.visitor_return.turn = lambda: None  # type: ignore[method-assign]  # else they go home, and on from there
        guest.ask("leave")
        await local.hears("left")
        guest.find("chess")
        await guest.hears("waiting")
        here = made.hosts[1 if home is other else 0]
        number, to = home.room._held[id].number, made.hosts[2].names.number("worker 1")
        who = Member(id, number, here.names.number("worker 1")), Member(77, 1, to)
        home.links.across.go(id, to, row_of(Meeting(1 << 50, who, (0.0, 0.0), ("chess",), 1.0, "any")), number)
        home.worker.act(lambda _: None)
        await until(lambda: made.room is not None and made.room.hub.tally["failed"])
        assert await made.owned(id) is home
        await answers(guest)


async def test_more_than_go_at_a_time_wait_and_then_stay(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_source, "MOST", 1)
    async with cell(secret, room=False) as made:
        hub, one, first, a = await alone(made)
        second, b, _ = await made.hosts[0].host.visitor(one)
        made.hosts[1].relay.flows.clear()
        await sent_far(hub, first, a, made)
        await until(lambda: a not in one.sessions)
        await hub.next(Kind.ROWS)
        await sent_far(hub, second, b, made)
        assert await rows_until_failed(hub) == ["failed"]
        assert one.sessions == {b}
        made.hosts[1].relay.flows.set()
        assert await made.owned(a) is made.workers[1][0]


async def test_who_is_on_the_way_when_all_ends_is_dropped(secret: Keys) -> None:
    async def one_is_dropped() -> None:
        async with cell(secret, room=False) as made:
            hub, one, visitor, id = await alone(made)
            made.hosts[1].relay.flows.clear()
            await sent_far(hub, visitor, id, made)
            await until(lambda: not one.sessions)
            made.hosts[0].host_migrations[one].close()
            await until(lambda: over(visitor))
            assert made.owners(id) == []

    before = opened()
    await one_is_dropped()
    await all_closed(before)


async def test_who_is_banned_while_they_are_nowhere_is_turned_away_where_they_arrive(
    secret: Keys,
) -> None:
    async with cell(secret, room=False) as made:
        hub, _, visitor, id = await alone(made)
        made.workers[1][0].ports.find_ban = lambda *_: (b'{"type":"error","code":"banned"}', bytes(16))
        await sent_far(hub, visitor, id, made)
        assert (await visitor.hears("error"))["code"] == "banned"
        await made.settled()
        assert made.owners(id) == []


def _seal(folder: Path) -> Seal:
    return Seal(load(folder))
