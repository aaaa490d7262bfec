"""People go to another host to meet somebody or to resume: they talk there, whoever they are is in one place, and nothing of them is lost."""

from __future__ import annotations

import fcntl
import os
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from engine import hub_rows as rows
from engine.engine import Parcel
from engine.hub_rows import Meeting, Member, Row
from server.cluster import crossing, landing
from server.cluster.crossing import Leg, Stands
from server.cluster.landing import GO, TOOK
from server.cluster.parcels import Move
from server.cluster.seal import Seal
from server.handover.link import Kind
from server.process import faults
from server.security.keys import Keys, load
from server.worker.moving import Released
from server.workers.peers import HUB
from tests.engine.meetings import row_of
from tests.ext.net.rig import frame
from tests.server.cluster.rig import Cell, all_closed, cell, lines
from tests.server.handover.rig import until
from tests.server.workers.rig import Told, Visitor, Working, answers, sends, talk
from tests.support.descriptors import opened

PING = b'{"type":"ping"}'
SAID = frame(PING) + frame(PING[:6], fin=False) + frame(PING[6:], opcode=0) + frame(PING)  # the second in two pieces


# ---- the machine


def test_where_a_crossing_stands_after_each_word_and_cut() -> None:
    after: dict[str, Stands] = {}
    for said in (
        "",
        "taken",
        "refused",
        "taken took",
        "taken other",
        "taken end",
        "cut",
        "taken cut",
        "taken took cut",
        "refused cut",
    ):
        leg = Leg()
        for word in said.split():
            match word:
                case "taken":
                    assert leg.taken() == GO
                case "refused":
                    leg.refused()
                case "cut":
                    leg.cut()
                case _:
                    leg.heard({"took": TOOK, "other": b"x", "end": b""}[word])
        after[said] = leg.stands
    assert after == {
        "": Stands.ASKED,
        "taken": Stands.GOING,
        "refused": Stands.REFUSED,
        "taken took": Stands.GIVEN,
        "taken other": Stands.DOUBTFUL,
        "taken end": Stands.DOUBTFUL,
        "cut": Stands.BACK,
        "taken cut": Stands.DOUBTFUL,
        "taken took cut": Stands.GIVEN,
        "refused cut": Stands.REFUSED,
    }


# ---- they meet


async def met(made: Cell) -> tuple[Visitor, Visitor]:
    """Two of two hosts who have met at one of them."""
    (one,), (other,) = made.workers
    first, a = await made.hosts[0].host.waiting(one, "sailing")
    second, b, _ = await made.hosts[1].host.visitor(other)
    second.find("sailing")
    for visitor in (first, second):
        assert (await visitor.hears("matched"))["common"] == ["sailing"]
    assert await made.owned(a) is await made.owned(b)
    return first, second


def sides(made: Cell) -> tuple[Working, Working]:
    """Of a cell in which two have met: their home, and the edge."""
    (home,) = [one for (one,) in made.workers if one.sessions]
    (edge,) = [one for (one,) in made.workers if not one.sessions]
    return home, edge


async def test_two_of_two_hosts_meet_and_talk(two: Cell) -> None:
    first, second = await met(two)
    await talk(first, second)
    await lines(first, second, 0, 50)
    await lines(second, first, 0, 50)
    home, edge = sides(two)
    assert home.links.tally.abroad["meet", "tunnel", "taken"] == edge.links.tally.abroad["meet", "tunnel", "given"] == 1
    assert edge.worker.reactor.tunnels == 1
    seconds: Any = edge.links.reading()["serendip_move_seconds"]
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
    monkeypatch.setattr(faults, "at", points.append)
    await met(two)
    assert points == ["release", "sent", "go", "took", "taken"]
    assert set(points) <= set(faults.POINTS)


async def test_people_of_an_office_are_met_there(two: Cell) -> None:
    """As a program of Omegle's protocol is: it does not move, and who meets it comes."""
    there, office = two.hosts[1], two.hosts[1].office
    first, a, _ = await two.hosts[0].host.visitor(two.workers[0][0])
    second, b = await there.host.waiting(office, "sailing")
    first.find("sailing")
    for visitor in (first, second):
        await visitor.hears("matched")
    await talk(first, second)
    assert (await two.owned(a), await two.owned(b)) == (office, office)


# ---- what a client says meanwhile


async def visitor_heard(visitor: Visitor, said: bytes) -> None:
    """Somebody says so much, and all of it was read."""
    visitor.sock.send(said)
    await until(lambda: not unread(visitor))


def unread(visitor: Visitor) -> int:
    """Bytes that the other end of a socket has not taken."""
    left = bytearray(4)
    fcntl.ioctl(visitor.sock.fileno(), termios.TIOCOUTQ, left)
    return int.from_bytes(left, sys.byteorder)


@pytest.mark.parametrize("goes", [True, False])
async def test_what_is_said_at_each_byte_around_a_crossing_is_heard_once(
    secret: Keys, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part before they leave, a part while they are nowhere, the rest where they are."""
    monkeypatch.setattr(crossing, "TAKEN_WITHIN", 10.0)
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
            far(hub, id, ticket, made)
            await until(lambda one=one: not one.sessions)  # type: ignore[misc]
            visitor.sock.send(SAID[at : at + 5])
            made.hosts[1].takes = goes
            made.hosts[1].relay.flows.set()
            await until(lambda made=made, id=id: made.owners(id))  # type: ignore[misc]
            visitor.sock.send(SAID[at + 5 :])
            owner = await made.owned(id)
            assert (owner is made.workers[1][0]) == goes
            for _ in range(3):
                await visitor.hears("pong")
            visitor.ask("ping", n=1)
            await visitor.hears("pong")
            assert visitor.told == []


async def sent_far(hub: Told, visitor: Visitor, id: int, made: Cell) -> None:
    """A hub that is played tells somebody of the first host, who looks now, to meet somebody of the second."""
    visitor.find("sailing")
    (ticket,) = await hub.rows(rows.TICKET)
    far(hub, id, ticket, made)


def far(hub: Told, id: int, ticket: Row, made: Cell) -> None:
    """As `sent_far`, of somebody whose ticket the hub has; at once."""
    sends(hub, id, ticket, made.hosts[1].names.number("worker 1"), made.hosts[0].names.number("worker 1"))


async def test_who_drops_out_on_the_way_is_away_at_the_home(two: Cell) -> None:
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


async def test_who_asks_for_somebody_on_the_way_is_told_where_they_are(secret: Keys) -> None:
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
        made.hosts[1].relay.flows.set()
        assert (await asker.next(Kind.MINE)).records == [id, made.hosts[1].name(1)]


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
    assert one.links.tally.abroad["resume", "tunnel", "taken"] == 1


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


async def test_who_may_have_resumed_there_is_dropped_here_and_finds_it_again(
    two: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,), (other,) = two.workers
    first, id, token = await two.hosts[0].host.visitor(one)
    first.sock.close()
    monkeypatch.setattr(crossing, "TOOK", b"?")  # what the home says is not understood
    back = await comes_back(two, other, token)
    await until(lambda: _over(back))
    assert await two.owned(id) is one
    assert other.sessions == set()
    await until(lambda: not one.worker.engine.sessions[id].conn)
    again, _, _ = await two.hosts[0].host.visitor(one)
    again.ask("resume", token=token, last=0)
    assert (await again.hears("resumed", "error"))["type"] == "resumed"


def _over(visitor: Visitor) -> bool:
    try:
        return visitor.sock.recv(1 << 16) == b""
    except BlockingIOError:
        return False


# ---- they stay


async def alone(made: Cell) -> tuple[Told, Working, Visitor, int]:
    """A hub that is played, the worker of the first host, and somebody there."""
    hub, one = made.hosts[0].host.play(HUB), made.workers[0][0]
    await made.hosts[0].host.joined()
    visitor, id, _ = await made.hosts[0].host.visitor(one)
    return hub, one, visitor, id


async def stays(made: Cell, result: str, why: str) -> None:
    """Somebody is to go, and is where they were: the hub hears that the match has failed, and of their ticket."""
    hub, one, visitor, id = await alone(made)
    await sent_far(hub, visitor, id, made)
    heard = await rows_until_failed(hub)
    assert heard in (["leave", "ticket", "failed"], ["failed"])
    await answers(visitor)
    assert await made.owned(id) is one
    counted = {key: count for key, count in one.links.tally.abroad.items() if count}
    assert counted == ({("meet", "tunnel", result): 1} if result else {}), why


async def rows_until_failed(hub: Told) -> list[str]:
    """Kinds of the rows that come, up to the word that a match has failed."""
    heard: list[str] = []
    while "failed" not in heard:
        heard += [row[0] for row in (await hub.next(Kind.ROWS)).records]
    return heard


async def not_taken(case: str, secret: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """See the test."""
    async with cell(secret, room=False) as made:
        home, result, right = made.hosts[1], "refused", crossing.pack
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
                home.abroad = {home.office: home.abroad[home.office]}
            case "takes nobody":
                home.takes = False
            case "full":
                monkeypatch.setattr(landing, "HELD_MAX", 0)
            case "version":
                monkeypatch.setattr(crossing, "pack", lambda move: right(_newer(move)))
            case "another secret":
                monkeypatch.setattr(
                    made.hosts[0].abroad[made.workers[0][0]]._crossing._asker, "seal", _seal(folder / "other")
                )
                result = "back"
            case "slow":
                monkeypatch.setattr(crossing, "TAKEN_WITHIN", 0.02)
                home.relay.flows.clear()
                result = "back"
            case "unreadable":
                monkeypatch.setattr(crossing, "pack", lambda _: b"nobody")
            case "wrong meeting":
                monkeypatch.setattr(crossing, "pack", lambda move: right(move._replace(meeting=["meet", 1])))
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
    return move._replace(people=Parcel({**record, "v": 99}, blobs))


async def test_who_cannot_be_read_there_is_here_again(two: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is found when GO was said: the home is asked to forget them."""
    right, times = crossing.pack, iter((True,))

    def damaged(move: Move) -> bytes:
        person = move.people.record["people"][0]
        state = {"state": "nowhere"} if next(times, False) else {}
        return right(
            move._replace(people=Parcel({**move.people.record, "people": [{**person, **state}]}, move.people.blobs))
        )

    monkeypatch.setattr(crossing, "pack", damaged)
    first, second = await met(two)
    await talk(first, second)
    home, edge = sides(two)
    assert edge.links.tally.abroad["meet", "tunnel", "back"] == 1
    assert edge.links.reading()["serendip_crossings_doubtful"] == {
        ("asked",): 1, ("unanswered",): 0, ("ended",): 0, ("kept",): 0,
    }  # fmt: skip
    assert home.links.tally.abroad["meet", "tunnel", "taken"] == 1


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
        guest.ask("leave")
        await local.hears("left")
        guest.find("chess")
        await guest.hears("waiting")
        number, to = home.room._held[id].number, made.hosts[2].names.number("worker 1")
        who = Member(id, number, home.room._number), Member(77, 1, to)
        home.links.across.go(id, to, row_of(Meeting(1 << 50, who, (0.0, 0.0), ("chess",), 1.0, "common")), number)
        home.worker.act(lambda _: None)
        await until(lambda: made.room is not None and made.room.hub.tally["failed"])
        assert await made.owned(id) is home
        await answers(guest)


async def test_more_than_go_at_a_time_wait_and_then_stay(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "MOST", 1)
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
            made.hosts[0].abroad[one].close()
            await until(lambda: _over(visitor))
            assert made.owners(id) == []

    before = opened()
    await one_is_dropped()
    await all_closed(before)


async def test_who_is_banned_while_they_are_nowhere_is_turned_away_where_they_arrive(
    secret: Keys,
) -> None:
    async with cell(secret, room=False) as made:
        hub, _, visitor, id = await alone(made)
        made.workers[1][0].worker.banned = lambda *_: b'{"type":"error","code":"banned"}'
        await sent_far(hub, visitor, id, made)
        assert (await visitor.hears("error"))["code"] == "banned"
        await made.settled()
        assert made.owners(id) == []


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
    released = two.hosts[0].abroad[one]._crossing._moving.release(ids)
    assert released is not None
    assert await two.hosts[0].abroad[one].sent(two.hosts[1].name(1), released, "drain", lambda: None)
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
    counted = one.links.tally.abroad["drain", "none", "given"], other.links.tally.abroad["drain", "none", "taken"]
    assert counted == (2, 2)


@pytest.mark.parametrize("case", ["away", "refused", "large"])
async def test_people_who_are_not_taken_are_given_back(two: Cell, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, visitors, ids, _ = await chat(two)
    abroad = two.hosts[0].abroad[one]
    match case:
        case "away":
            two.hosts[0].know()
        case "refused":
            two.hosts[1].takes = False
        case "large":
            monkeypatch.setattr(crossing, "LARGEST", 100)
    released = abroad._crossing._moving.release(ids)
    assert released is not None
    assert not await abroad.sent(two.hosts[1].name(1), released, "drain", lambda: abroad._crossing._back(released))
    assert one.sessions == set(ids)
    await talk(*visitors)


def _closed(released: Released) -> None:
    for descriptor in released.descriptors:
        os.close(descriptor)


def _seal(folder: Path) -> Seal:
    return Seal(load(folder))
