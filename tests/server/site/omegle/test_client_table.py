"""Who is here, by id, connection and session: each is found by what it has, and nobody by what it had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine, Settings
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.ops.config.settings import Settings as Chosen
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys, load
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.client_table import FLAGS, STORED, EndedSession, empty_client, pack_client, unpack_client
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.omegle_client import POLL_COST, POLL_CREDIT, QUEUE_EVENTS, OmegleClient
from tests.server.realtime.worker.late_ports import LatePorts


async def test_a_client_is_found_by_its_session_and_its_connection_as_long_as_it_has_them(
    worker: Worker,
) -> None:
    table = adapter(worker)
    client = table.start(FIND, "AAAA2222", "192.0.2.1")
    assert client is not None
    session, conn = client.session, client.conn
    assert (table.of(session.id), table._by_conn) == (client, {conn: client})
    table.part(client)
    assert (client.conn, table._by_conn, table.of(session.id)) == (0, {}, client)
    table.join(client, session, conn)
    assert (client.conn, table._by_conn, table._away) == (conn, {conn: client}, {})
    table.part(client)
    table.join(client, session, 0)
    assert (table._by_conn, table._away) == ({}, {client.id: client})


async def test_who_is_about_to_end_or_is_being_told_does_not_go(worker: Worker) -> None:
    table = adapter(worker)
    client = table.start(FIND, "AAAA2222", "192.0.2.1")
    assert client is not None
    client.carrying = True
    assert not table.ready(client)
    client.carrying = False
    assert table.ready(client)
    table._over(client)
    assert not table.ready(client)
    table._clear()
    assert table.ready(client)
    (piece, blobs, descriptors), *more = table.rest(time.monotonic())
    assert (descriptors, more, table.clients) == ([], [], {})
    other = adapter(worker)
    other.take_rest(orjson.loads(orjson.dumps(piece)), blobs, time.monotonic(), descriptors)
    assert other.knows(client.id)
    assert await other.lately("AAAA2222", "192.0.2.1") is None


# What of a client is not in its record, and why.
LEFT_OUT = {
    "session": "the engine's: it moves on its own",
    "conn": "its session's",
    "poll": "is answered before",
    "carrying": "no client is packed while an answer is on its way",
    "size": "of the events",
    "refused": "is read within the turn that wrote it",
    "patience": "of the last refusal; who waits asks again over there, and is told anew how long",
    "wire": "goes beside it, as a descriptor (`test_remote_clients.py`)",
    "moved": "says here that it is there",
    "dark": "at worst it is told once more that a chat has no video",
    "service": "at worst it is told once more what operators say to all users",
}
# What of an adapter's own goes on in the other process, and what does not.
CARRIED = {"digests", "clients", "gone"}
STAYS = {
    "_worker": "each has its own",
    "_places": "each has its own",
    "_pending": "holds nobody: who waits is `pending`, and is asked for over there",
    "_announced": "who was told of a statement that is to come hears it once more",
    "_idle": "a setting",
    "_most": "a setting",
    "_grace": "a setting",
    "remote_clients": "wires go with their clients; who ends elsewhere is not waited for",
    "_addresses": "counted by those who come; how fast an address made clients begins anew",
    "status": "figures of one second",
    "_by_conn": "by those who come",
    "_by_session": "by those who come",
    "_polls": "held polls are answered",
    "_visits": "by when they were heard",
    "_ended": "none while it is packed",
    "_saying": "none while it is packed",
    "_away": "by those who come: their sessions have no connection",
    "wanted": "requests that wait here",
    "_loop": "each has its own",
    "_timer": "each has its own",
    "tally": "a metric of one process",
}
FIND = {"type": "find", "language": "en", "interests": ["moving"], "strict": True}


class Line:
    """A connection that no poll leaves."""

    def park(self) -> None:
        return None

    def stands(self) -> bool:
        return True

    def goes_on(self) -> bool:
        return False


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
def ports() -> LatePorts:
    return LatePorts()


@pytest.fixture
async def worker(secret: Keys, ports: LatePorts) -> AsyncIterator[Worker]:
    reactor = Reactor(
        judge=Judge(hosts=("localhost",), origins=(), proxies=()),
        addresses=Addresses(open_max=1000, burst=1000, rate=1000, limits=False),
        now=0.0,
        limits=False,
    )

    def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
        return Engine.build(Rings(1 << 20), outside, out, bus, Settings(limits=False, screening=False), keeps=True)

    made = Worker(reactor, make_engine, {}, Tokens(secret), Identities(bytes(32)), 15.0, ports=ports.given())
    made.start()
    yield made
    made.stop()
    for session in [*made.engine.sessions.values()]:
        made.drop(session.id, session.conn, 0)


def adapter(worker: Worker) -> OmegleAdapter:
    return OmegleAdapter(worker, Chosen(limits={"enabled": False}))  # type: ignore[arg-type]  # as it is configured


class Two:
    """An adapter, and one that clients go to."""

    def __init__(self, worker: Worker, ports: LatePorts) -> None:
        self._ports = ports
        self.here, self.there = adapter(worker), adapter(worker)
        ports.on_frames = self.here.frames
        self.there.digests.unpack(orjson.loads(orjson.dumps(self.here.digests.pack())))

    def started(self, randid: str = "") -> OmegleClient:
        client = self.here.start(FIND, randid, "192.0.2.1")
        assert client is not None
        return client

    def move(self, *clients: OmegleClient) -> list[OmegleClient]:
        """They go, as through a link; then each adapter is the other."""
        now, blobs, found = time.monotonic(), [b"another's"], []
        for client in clients:
            assert self.here.ready(client)
            session = client.session
            record = orjson.loads(orjson.dumps(self.here.pack(client, now, blobs)))
            found.append(self.there.unpack(record, blobs, session, now))
        self._ports.on_frames = self.there.frames
        self.here, self.there = self.there, self.here
        return found


def taken(adapter: OmegleAdapter, client: OmegleClient) -> list[Any]:
    """The events that wait, as a poll takes them; without figures and digests."""
    events = [orjson.loads(event) for event in client.events]
    adapter.written(client, len(events))
    return [event for event in events if event[0] not in {"statusInfo", "identDigests"}]


STORY = [
    (0, "start"),
    (0, "poll"),
    (1, "start"),
    (0, "poll"),
    (0, "typing"),
    (1, "poll"),
    (1, "send"),
    (1, "send"),
    (0, "poll"),
    (0, "send"),
    (1, "poll"),
    (1, "leave"),
    (0, "poll"),
]


async def told(two: Two, move_before: int) -> list[Any]:
    """What the two of a chat are told, where both move before a step."""
    clients: dict[int, OmegleClient] = {}
    heard: list[Any] = []
    for place, (who, what) in enumerate(STORY):
        if place == move_before:
            living = [number for number in clients if two.here.of(clients[number].session.id)]
            clients |= zip(living, two.move(*(clients[number] for number in living)), strict=True)
        if what == "start":
            clients[who] = two.started()
        elif what == "poll":
            heard.append((who, taken(two.here, clients[who])))
        elif what == "send":
            assert two.here.send(clients[who], f"line {place}")
        elif what == "typing":
            two.here.typing(clients[who], True)
        else:
            two.here.leave(clients[who])
        await asyncio.sleep(0)  # what ended is cleared
    return heard


async def test_a_chat_is_the_same_wherever_in_it_both_move(worker: Worker, ports: LatePorts) -> None:
    alike = await told(Two(worker, ports), -1)
    assert alike == [
        (0, [["waiting"]]),
        (0, [["connected"], ["commonLikes", ["moving"]], ["serverMessage", "You both speak the same language."]]),
        (
            1,
            [
                ["connected"],
                ["commonLikes", ["moving"]],
                ["serverMessage", "You both speak the same language."],
                ["typing"],
            ],
        ),
        (0, [["gotMessage", "line 6"], ["gotMessage", "line 7"]]),
        (1, [["gotMessage", "line 9"]]),
        (0, [["strangerDisconnected"]]),
    ]
    for place in range(1, len(STORY) - 1):
        assert await told(Two(worker, ports), place) == alike, STORY[place]


async def test_a_held_poll_is_answered_with_nothing_and_the_next_one_over_there_brings_what_comes(
    worker: Worker,
    ports: LatePorts,
) -> None:
    two = Two(worker, ports)
    one, other = two.started(), two.started()
    taken(two.here, one), taken(two.here, other)
    held = asyncio.ensure_future(two.here.poll(one, Line()))
    while not one.waits:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    moved, partner = two.move(one, other)
    two.here.send(partner, "after")
    assert await held == []
    assert await two.here.poll(moved, Line()) == [b'["gotMessage","after"]']


async def test_a_poll_that_was_about_to_bring_events_says_nothing_where_they_moved_first(
    worker: Worker, ports: LatePorts
) -> None:
    two = Two(worker, ports)
    one, other = two.started(), two.started()
    taken(two.here, one), taken(two.here, other)
    held = asyncio.ensure_future(two.here.poll(one, Line()))
    while not one.waits:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    two.here.send(other, "now")  # its poll is woken, and goes on in the next turn of the loop
    moved, _ = two.move(one, other)
    assert await held == []
    assert taken(two.here, moved) == [["gotMessage", "now"]]


async def test_who_polls_too_fast_and_moves_meanwhile_is_told_nothing_here(
    worker: Worker, ports: LatePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = Two(worker, ports)
    one = two.started()
    paused, naps = asyncio.Event(), asyncio.sleep
    monkeypatch.setattr("server.site.omegle.omegle_adapter.asyncio.sleep", lambda _: paused.wait())
    one.paid = time.monotonic() + 2 * POLL_CREDIT
    held = asyncio.ensure_future(two.here.poll(one, Line()))
    await naps(0)
    monkeypatch.undo()
    (moved,) = two.move(one)
    paused.set()
    assert await held == []
    assert moved.paid - time.monotonic() > POLL_CREDIT - POLL_COST, "its haste goes along"


async def test_a_client_is_not_ready_while_an_answer_with_events_is_on_its_way(
    worker: Worker, ports: LatePorts
) -> None:
    two = Two(worker, ports)
    one = two.started()
    found = await two.here.poll(one, Line())
    assert found
    assert not two.here.ready(one)
    two.here.written(one, len(found))
    assert two.here.ready(one)


async def test_one_whose_poll_was_cut_moves_as_away_and_comes_back_there(worker: Worker, ports: LatePorts) -> None:
    two = Two(worker, ports)
    one, other = two.started(), two.started()
    taken(two.here, one), taken(two.here, other)
    two.here.cut(one)
    moved, partner = two.move(one, other)
    assert two.here.send(partner, "while away")
    assert two.here.find(moved.id) is moved
    assert taken(two.here, moved) == [["gotMessage", "while away"]]


async def test_last_events_and_ids_that_ended_go_without_a_session(worker: Worker, ports: LatePorts) -> None:
    two = Two(worker, ports)
    one, other = two.started(), two.started()
    taken(two.here, one), taken(two.here, other)
    two.here.send(other, "bye")
    two.here.leave(other)
    await asyncio.sleep(0)
    assert two.here.of(one.session.id) is None
    now = time.monotonic()
    for piece, blobs, descriptors in two.here.rest(now):
        two.there.take_rest(orjson.loads(orjson.dumps(piece)), blobs, now, descriptors)
    assert (two.here.clients, two.here.knows(other.id), two.here.find(one.id)) == ({}, False, None)
    there = two.there.find(one.id)
    assert there is not None
    assert taken(two.there, there) == [["gotMessage", "bye"], ["strangerDisconnected"]]
    assert two.there.find(one.id) is None, "it was told, and is gone"
    assert two.there.owes_end(one.id)
    assert two.there.owes_end(other.id)
    assert not two.there.owes_end(other.id)


async def test_a_log_is_asked_of_the_process_that_follows(worker: Worker, ports: LatePorts) -> None:
    two = Two(worker, ports)
    one, other = two.started("ABCDEFGH"), two.started("IJKLMNOP")
    two.here.send(one, "kept")
    two.here.leave(one)
    await asyncio.sleep(0)
    now = time.monotonic()
    for _ in range(2):  # and to a third, as it came
        for piece, blobs, descriptors in two.here.rest(now):
            two.there.take_rest(orjson.loads(orjson.dumps(piece)), blobs, now, descriptors)
        assert await two.here.lately("ABCDEFGH", "192.0.2.7") is None
        two.here, two.there = two.there, two.here
    for randid in ("ABCDEFGH", "IJKLMNOP"):
        past = await two.here.lately(randid, "192.0.2.1")
        assert past is not None
        said = past.transcript()
        assert said is not None
        assert [line.text for line in said.lines] == ["kept"]
        assert [person[2] for person in past.people] == ["192.0.2.1"] * 2
        assert now - past.ended < 60
    del other


async def test_one_that_is_full_stays_so_until_it_is_read(worker: Worker, ports: LatePorts) -> None:
    two = Two(worker, ports)
    one, other = two.started(), two.started()
    taken(two.here, one), taken(two.here, other)
    one.put([b'["x"]'] * (QUEUE_EVENTS - 1))
    two.here.send(other, "last that fits")
    assert one.paused
    moved, partner = two.move(one, other)
    assert (moved.paused, len(moved.events), moved.size) == (True, QUEUE_EVENTS, sum(map(len, moved.events)))
    two.here.send(partner, "more")
    assert len(moved.events) == QUEUE_EVENTS
    taken(two.here, moved)
    assert taken(two.here, moved) == [["gotMessage", "more"]]


def whole() -> OmegleClient:
    """One of whom nothing is as it was at first."""
    client = OmegleClient("central1:x", EndedSession(), 7, "192.0.2.1", FIND, 100.0, "front\udcff.example")
    client.put([b'["a"]', b'["\xc3\xa9"]'])
    client.paid, client.chat, client.last, client.unread, client.challenge = 103.0, "c", 9, "n", "word"
    client.gone = client.told = client.pending = client.paused = client.solved = True
    return client


def test_all_that_a_client_is_goes_along_or_is_named_here_with_the_reason() -> None:
    client = whole()
    blobs: list[bytes] = []
    record = pack_client(client, 110.0, blobs)
    there = unpack_client(
        orjson.loads(orjson.dumps(record | {"a field": "of a later version"})), blobs, EndedSession(), 1110.0
    )
    named = {*STORED, *FLAGS, "id", "host", "heard", "paid", "events"}
    assert named.isdisjoint(LEFT_OUT)
    assert named | LEFT_OUT.keys() == set(OmegleClient.__slots__)
    fresh = OmegleClient("", EndedSession(), 0, "", {}, 0.0, "")
    for name in named - {"heard", "paid", "host"}:
        assert getattr(there, name) == getattr(client, name) != getattr(fresh, name), name
    assert (there.heard, there.paid, there.host, there.size) == (1100.0, 1103.0, "front?.example", client.size)


async def test_all_that_an_adapter_has_goes_along_or_is_named_here_with_the_reason(worker: Worker) -> None:
    assert set(vars(adapter(worker))) == CARRIED | STAYS.keys()


@pytest.mark.parametrize("field", ["id", "find", "heard", "paid", "host", "events", "lengths"])
def test_what_is_no_client_is_refused(field: str) -> None:
    blobs: list[bytes] = []
    record = pack_client(whole(), 110.0, blobs)
    for wrong in ({name: value for name, value in record.items() if name != field}, record | {field: [0]}):
        if field in {"id", "host"} and field in wrong:
            continue  # whatever it is, it is a text
        if field == "events" and field not in wrong:
            continue  # none wait
        with pytest.raises((KeyError, TypeError, ValueError)):
            unpack_client(wrong, blobs, EndedSession(), 0.0)


def test_whoever_still_refers_to_one_that_moved_finds_nothing_to_say() -> None:
    client = whole()
    empty_client(client)
    assert (client.events, client.size, client.gone, client.unread, client.moved) == ([], 0, False, "", True)
