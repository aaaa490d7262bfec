"""People go to another host to meet somebody or to resume: they talk there, and whoever they are is in one place."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate.transfer import GroupTransfer
from server.fleet.roaming import migration_source
from server.fleet.roaming.migration_source import HomeProcess
from server.fleet.rpc import rpc_client
from server.ops.metrics.migration_metrics import MEET, RESUME
from server.ops.process import fault_points
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import Released
from tests.server.fleet.cluster.meetings import (
    met,
    over,
    sides,
)
from tests.server.fleet.cluster.rig import Cell, all_closed, cell, lines
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor, Working, answers, talk
from tests.support.descriptors import opened

# ---- they meet


async def test_two_of_two_hosts_meet_and_talk(two: Cell) -> None:
    first, second = await met(two)
    await talk(first, second)
    await lines(first, second, 0, 50)
    await lines(second, first, 0, 50)
    home, edge = sides(two)
    assert (
        home.links.tally.between_hosts["meet", "tunnel", "taken"]
        == edge.links.tally.between_hosts["meet", "tunnel", "given"]
        == 1
    )
    assert edge.worker.reactor.tunnels == 1
    seconds: Any = edge.links.reading()["serendip_migration_seconds"]
    assert sum(seconds["meet", "tunnel"].counts) == 1
    first.sock.close()
    assert (await second.hears("partner"))["state"] == "away"


async def test_nothing_stays_open(secret: Keys) -> None:
    async def two_meet() -> None:
        async with cell(secret) as made:
            await met(made)

    before = opened()
    await two_meet()
    await all_closed(before)


@pytest.mark.parametrize("hosts", [2, 3])
async def test_three_of_spy_mode_meet(secret: Keys, hosts: int) -> None:
    async with cell(secret, hosts=hosts, workers=2) as made:
        doors = [(made.hosts[place % hosts], made.workers[place % hosts][place // hosts]) for place in range(3)]
        spy, a, b = [(await there.host.visitor(worker))[0] for there, worker in doors]
        spy.ask("find", role="spy", question="Why is it so at all?")
        for visitor in (a, b):
            visitor.ask("find", role="discuss")
        for visitor in (spy, a, b):
            await visitor.hears("matched")
        a.ask("message", text="nobody knows")
        for visitor in (b, spy):
            assert (await visitor.hears("message"))["text"] == "nobody knows"
        await made.settled()
        assert sorted(len(one.sessions) for workers in made.workers for one in workers if one.sessions) == [3]


async def test_the_points_at_which_a_test_ends_a_process(two: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[str] = []
    monkeypatch.setattr(fault_points, "at", points.append)
    await met(two)
    assert points == [
        "release",
        "asked",
        "passing",
        "passed",
        "arrived",
        "held",
        "go",
        "took",
        "taken",
        "given",
        "opened",
    ]
    assert set(points) <= set(fault_points.POINTS)


async def test_people_of_a_frontend_are_met_there(two: Cell) -> None:
    """As a program of Omegle's protocol is: it does not move, and who meets it comes."""
    there, frontend = two.hosts[1], two.hosts[1].frontend
    first, a, _ = await two.hosts[0].host.visitor(two.workers[0][0])
    second, b = await there.host.waiting(frontend, "sailing")
    first.find("sailing")
    for visitor in (first, second):
        await visitor.hears("matched")
    await talk(first, second)
    assert (await two.owned(a), await two.owned(b)) == (frontend, frontend)


# ---- they resume


async def test_who_comes_back_at_another_host_goes_on(two: Cell) -> None:
    (one,), (other,) = two.workers
    here = two.hosts[0].host
    first, id, token = await here.visitor(one)
    second, _, _ = await here.visitor(one)
    for visitor in (first, second):
        visitor.find("sailing")
    for visitor in (first, second):
        await visitor.hears("matched")
    first.sock.close()
    await second.hears("partner")
    second.ask("message", text="are you there?")
    back = await comes_back(two, other, token)
    assert (await back.hears("resumed", "error"))["type"] == "resumed"
    assert (await back.hears("message"))["text"] == "are you there?"
    await talk(back, second)
    assert await two.owned(id) is one
    assert one.links.tally.between_hosts["resume", "tunnel", "taken"] == 1


async def comes_back(made: Cell, worker: Working, token: str) -> Visitor:
    """Somebody at the second host, where it is known that their session is at the first."""
    told = made.hosts[1].host.play("worker 7")
    await made.hosts[1].host.joined()
    back, _, _ = await made.hosts[1].host.visitor(worker)
    back.ask("resume", token=token, last=0)
    key = (await told.next(Kind.WHO)).records[0]
    told.peers.send("worker 1", Kind.MINE, key, made.hosts[0].name(1))
    return back


async def test_who_cannot_go_there_to_resume_is_told_so(two: Cell) -> None:
    (one,), (other,) = two.workers
    _, _, token = await two.hosts[0].host.visitor(one)
    two.hosts[0].takes = False
    back = await comes_back(two, other, token)
    assert (await back.hears("resumed", "error"))["code"] == "no_session"
    await answers(back)


async def test_who_comes_back_while_the_way_is_broken_waits_until_it_is_whole(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,), (other,) = two.workers
    _, id, token = await two.hosts[0].host.visitor(one)
    tried: list[str] = []

    async def broken(address: str) -> socket.socket:
        tried.append(address)
        if len(tried) < 3:
            raise ConnectionRefusedError
        return await rpc_client.dial(address)

    monkeypatch.setattr(migration_source, "dial", broken)
    monkeypatch.setattr(migration_source, "REACH_AGAIN", 0.01)
    back = await comes_back(two, other, token)
    assert (await back.hears("resumed", "error"))["type"] == "resumed"
    assert len(tried) == 3
    await two.owned(id)


@pytest.mark.parametrize("case", ["it stays broken", "the host is gone", "they are gone"])
async def test_who_comes_back_over_a_way_that_stays_broken_is_told_so(
    two: Cell, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    (one,), (other,) = two.workers
    _, _, token = await two.hosts[0].host.visitor(one)
    tried: list[str] = []

    async def broken(address: str) -> socket.socket:
        tried.append(address)
        if case == "the host is gone":
            two.hosts[1].know()
        raise ConnectionRefusedError

    monkeypatch.setattr(migration_source, "dial", broken)
    monkeypatch.setattr(migration_source, "REACH_AGAIN", 0.01)
    monkeypatch.setattr(migration_source, "RESUME_WITHIN", 0.1 if case == "it stays broken" else 1e9)
    back = await comes_back(two, other, token)
    await until(lambda: tried)
    if case == "they are gone":
        back.sock.close()
    else:
        assert (await back.hears("resumed", "error"))["code"] == "no_session"
        await answers(back)
    await two.settled()
    assert (len(tried) > 1) == (case == "it stays broken") or case == "they are gone"


async def test_who_resumes_takes_no_place_of_those_who_meet(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_source, "MOST", 1)
    async with cell(secret, room=False) as made, listener() as dialled:
        monkeypatch.setattr(migration_source, "dial", dialled)
        source = made.hosts[0].host_migrations[made.workers[0][0]]._crossing
        home = HomeProcess("worker 1", made.hosts[1].node, 1)
        ways = [await source._dialled(home, why) for why in (RESUME, RESUME, MEET)]
        assert [way is not None for way in ways] == [True, False, True]
        for way in ways:
            if way is not None:
                way.end()


@asynccontextmanager
async def listener() -> AsyncIterator[Callable[[str], Awaitable[socket.socket]]]:
    """What connects to a host that accepts nothing."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:

        async def dialled(_: str) -> socket.socket:
            sock = socket.socket()
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, nobody.getsockname())
            return sock

        yield dialled


async def test_who_may_have_resumed_there_is_dropped_here_and_finds_it_again(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (other,) = two.workers[1]
    one, (first, _), (id, _), (token, _) = await chat(two)
    first.sock.close()
    monkeypatch.setattr(migration_source, "TOOK", b"?")  # what the home says is not understood
    back = await comes_back(two, other, token)
    await until(lambda: over(back))
    assert await two.owned(id) is one
    assert other.sessions == set()
    await until(lambda: not one.worker.engine.sessions[id].conn)
    again, _, _ = await two.hosts[0].host.visitor(one)
    again.ask("resume", token=token, last=0)
    assert (await again.hears("resumed", "error"))["type"] == "resumed"


# ---- without their connections


async def chat(made: Cell) -> tuple[Working, list[Visitor], list[int], list[str]]:
    """Two of the first host who talk."""
    one, here = made.workers[0][0], made.hosts[0].host
    came = [await here.visitor(one) for _ in range(2)]
    for visitor, _, _ in came:
        visitor.find("sailing")
    for visitor, _, _ in came:
        await visitor.hears("matched")
    visitors, ids, tokens = ([row[place] for row in came] for place in range(3))
    return one, visitors, ids, tokens  # type: ignore[return-value]


async def test_people_go_without_their_connections_and_resume_there(two: Cell) -> None:
    one, visitors, ids, tokens = await chat(two)
    await lines(visitors[0], visitors[1], 0, 3)
    released = two.hosts[0].host_migrations[one]._crossing._exports.moving.release(ids)
    assert released is not None
    transfer = GroupTransfer(two.hosts[0].host_migrations[one]._crossing._exports, released, "drain", 0.0)
    assert await two.hosts[0].host_migrations[one].sent(two.hosts[1].name(1), transfer)
    _closed(released)
    other = two.workers[1][0]
    assert (other.sessions, one.sessions) == (set(ids), set())
    back = []
    for token in tokens:
        visitor, _, _ = await two.hosts[1].host.visitor(other)
        visitor.ask("resume", token=token, last=2)
        back.append(visitor)
        assert (await visitor.hears("resumed", "error"))["type"] == "resumed"
    assert (await back[1].hears("message"))["text"] == "line 2"
    await talk(*back)
    counted = (
        one.links.tally.between_hosts["drain", "none", "given"],
        other.links.tally.between_hosts["drain", "none", "taken"],
    )
    assert counted == (2, 2)


@pytest.mark.parametrize("case", ["away", "refused", "large"])
async def test_people_who_are_not_taken_are_given_back(two: Cell, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, visitors, ids, _ = await chat(two)
    migration = two.hosts[0].host_migrations[one]
    match case:
        case "away":
            two.hosts[0].know()
        case "refused":
            two.hosts[1].takes = False
        case "large":
            monkeypatch.setattr(migration_source, "LARGEST", 100)
    exports = migration._crossing._exports
    released = exports.moving.release(ids)
    assert released is not None
    assert not await migration.sent(two.hosts[1].name(1), GroupTransfer(exports, released, "drain", 0.0))
    assert one.sessions == set(ids)
    await talk(*visitors)


async def test_a_fault_after_people_were_put_back_closes_none_of_their_connections(two: Cell) -> None:
    """A descriptor's number may belong to another connection by then."""
    one, visitors, ids, _ = await chat(two)
    two.hosts[0].know()
    migration = two.hosts[0].host_migrations[one]
    exports = migration._crossing._exports
    released = exports.moving.release(ids)
    assert released is not None
    transfer = GroupTransfer(exports, released, "drain", 0.0)
    transfer.on_end = broken
    with pytest.raises(ZeroDivisionError):
        await migration.sent(two.hosts[1].name(1), transfer)
    assert one.sessions == set(ids)
    await talk(*visitors)


def broken(_: GroupTransfer) -> None:
    """Fail, as nothing should."""
    raise ZeroDivisionError


async def test_people_who_are_under_way_when_their_process_ends_are_cut_at_once(two: Cell) -> None:
    one, visitors, ids, _ = await chat(two)
    migration = two.hosts[0].host_migrations[one]
    exports = migration._crossing._exports
    released = exports.moving.release(ids)
    assert released is not None
    transfer = GroupTransfer(exports, released, "drain", 0.0)
    moving = asyncio.create_task(migration.sent(two.hosts[1].name(1), transfer))
    await until(lambda: migration.under_way)
    migration._crossing.close()
    with pytest.raises(asyncio.CancelledError):
        await moving
    for visitor in visitors:
        await until(partial(_is_over, visitor.sock))


def _is_over(sock: socket.socket) -> bool:
    try:
        return sock.recv(65_536) == b""
    except BlockingIOError:
        return False


def _closed(released: Released) -> None:
    for descriptor in released.descriptors:
        os.close(descriptor)
