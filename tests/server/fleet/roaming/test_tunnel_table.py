"""People of one host talk at another, and are here again whatever becomes of that one: what they said and were told is whole, in order, once."""

import socket
import time
from collections import Counter
from typing import Any

import orjson
import pytest

from engine.rooms import hub_messages as rows
from engine.wire.protocol import TUNNEL_ENDED
from server.fleet.roaming import tunnel_table as module
from server.fleet.roaming.tunnel_table import TunnelTable
from tests.ext.net.rig import CLOSE, PING, TEXT, frame, split
from tests.ext.net.tunnels import CONTINUATION, said
from tests.server.fleet.cluster.crossed import AWAY, Cell, joined
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor, Working, answers, talk
from tests.support.descriptors import more_than, opened


def line(number: int) -> bytes:
    """A message of which, where nobody hears it, its sender is told so by its number."""
    return b'{"type":"message","text":"%s","id":"%d"}' % (b"x" * (1 + number * 50), number)


def packed(count: int) -> bytes:
    """Messages as a client may send them: whole, in pieces, with pings between the pieces."""
    data = b""
    for number in range(count):
        text = line(number)
        if number % 2:
            data += frame(text[:9], fin=False) + frame(b"?", PING) + frame(b"", CONTINUATION, fin=False)
            data += frame(text[9:], CONTINUATION)
        else:
            data += frame(text)
    return data


async def refused(visitor: Visitor, count: int) -> None:
    """They are told of each message once, in order, that nobody heard it."""
    heard: list[str] = []
    while len(heard) < count:
        told = await visitor.hears("error")
        assert told["code"] == "no_chat"
        heard.append(told["id"])
    assert heard == [str(number) for number in range(count)]


async def alone(apart: Cell, id: int) -> None:
    """Nobody is on the way any more, and who has this person's connection is one of the two at most."""
    await until(lambda: not len(apart.edge.links.tunnels) and not apart.home.links.visitor_return._returns)
    sessions = [process.worker.engine.sessions.get(id) for process in (apart.edge, apart.home, apart.other)]
    assert sum(session is not None and session.conn != 0 for session in sessions) <= 1


async def nobody(apart: Cell, *visitors: Visitor) -> None:
    """These go, and nobody is connected at either host."""
    for visitor in visitors:
        visitor.sock.close()
    await until(lambda: not apart.edge.worker.engine.online and not apart.home.worker.engine.online)


# ---- at the other host


async def test_who_talks_at_another_host_is_counted_there_alone(apart: Cell) -> None:
    one, a, other, b = await apart.meet()
    await talk(one, other)
    assert (apart.edge.sessions, apart.home.sessions) == (set(), {a, b})
    assert (apart.edge.worker.engine.online, apart.home.worker.engine.online) == (0, 2)
    assert apart.edge.links.reading()["serendip_tunnels"] == 1
    assert apart.home.links.reading()["serendip_visitors"] == 1


async def test_a_visitor_of_this_host_goes_to_no_third_one(apart: Cell) -> None:
    near, far = joined()
    with pytest.raises(ValueError, match="visitor"):
        apart.edge.links.tunnels.open(-1, "192.0.2.1", {"visitor": 1}, b"", near, {"id": 5}, AWAY)
    near.close()
    far.close()
    _, a, _, _ = await apart.meet()
    visitors = apart.home.worker.output.visitors.values()
    assert [session.id for session in visitors] == [a]


async def test_what_was_not_taken_and_what_was_begun_goes_along(apart: Cell) -> None:
    one, a = await apart.somebody(apart.edge)
    other, b = await apart.somebody(apart.home)
    data = frame(line(3))
    one.sock.send(data[:11])
    await answers(other)
    apart.cross(a, b)
    await one.hears("matched")
    one.sock.send(data[11:])
    assert (await other.hears("message"))["text"] == "x" * 151


# ---- back


async def leaves(one: Visitor, other: Visitor) -> None:
    other.ask("leave")
    assert (await one.hears("left"))["by"] == "stranger"


async def stops(one: Visitor, other: Visitor) -> None:
    one.ask("leave")
    await other.hears("left")


async def finds(one: Visitor, other: Visitor) -> None:
    one.find("chess")
    await other.hears("left")


async def rolls(one: Visitor, other: Visitor) -> None:
    await leaves(one, other)
    one.find("chess")


async def reports(one: Visitor, other: Visitor) -> None:
    one.sock.send(frame(b'{"type":"report","reason":"spam"}') + frame(b'{"type":"leave"}'))
    await one.hears("reported")
    await other.hears("left")


async def goes(one: Visitor, other: Visitor) -> None:
    other.sock.close()
    await one.hears("partner")
    one.ask("leave")


@pytest.mark.parametrize("end", [leaves, stops, finds, rolls, reports, goes])
async def test_who_talked_is_at_their_own_host_again(apart: Cell, end: Any) -> None:
    one, a, other, _b = await apart.meet()
    await talk(one, other)
    before = opened()
    await end(one, other)
    await apart.back(a)
    await answers(one)
    if end in (finds, rolls):
        await until(lambda: a in apart.edge.room._held)
    session = apart.edge.worker.engine.sessions[a]
    assert (apart.edge.sessions, a in apart.home.sessions) == ({a}, False)
    assert session.conn != 0
    past = session.past
    assert past is not None
    assert [text for *_, text in past.chat.ring.lines()] == [b"hello", b"hello yourself"]
    one.ask("report", reason="spam", chat=past.chat.id)
    await one.hears("reported")
    assert apart.ends() == {"returned": 1}
    assert {result: count for result, count in apart.home.links.visitor_return.results.items() if count} == {"sent": 1}
    assert apart.edge.links.tunnels.reading()["serendip_tunnel_return_seconds"].counts[-1] <= 1  # type: ignore[union-attr]
    assert more_than(before) == Counter()


async def test_a_search_goes_back_with_its_age(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    one.find("chess")
    await other.hears("left")
    await apart.back(a)
    (row,) = [row for row in await apart.edge_hub.rows(rows.TICKET, rows.LEAVE, rows.TICKET) if row[0] == rows.TICKET][
        1:
    ]
    assert (row[1], row[4], row[-1]) == (a, ["chess"], rows.WAITS)


async def test_the_token_is_the_same_and_good_at_their_own_host(apart: Cell) -> None:
    one, a, token = await apart.hosts[0].visitor(apart.edge)
    one.find("sailing")
    await until(lambda: a in apart.edge.room._held)
    other, b = await apart.somebody(apart.home)
    apart.cross(a, b)
    await one.hears("matched")
    await leaves(one, other)
    await apart.back(a)
    fresh, _, _ = await apart.hosts[0].visitor(apart.edge)
    fresh.ask("resume", token=token, last=0)
    assert (await fresh.hears("resumed", "error"))["type"] == "resumed"


async def test_frames_that_are_packed_behind_the_end_are_heard_once_and_in_order(apart: Cell) -> None:
    """The stream is cut at any byte: what is before it comes at once, what is behind when the person is on their way."""
    count = 4
    data = frame(b'{"type":"leave"}') + packed(count)
    headers = set(range(90)) | {len(data) - at for at in range(1, 20)}
    for at in sorted(headers | set(range(90, len(data), 41))):
        one, a, other, _ = await apart.meet()
        one.sock.send(data[:at])
        if at > len(frame(b'{"type":"leave"}')):
            await other.hears("left")
        else:
            await answers(other)
        one.sock.send(data[at:])
        await apart.back(a)
        await refused(one, count)
        await answers(one)
        await alone(apart, a)
        await nobody(apart, one, other)
    assert set(apart.ends()) == {"returned"}


async def test_a_search_and_words_in_one_write_are_heard_in_order(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    one.sock.send(
        frame(b'{"type":"leave"}') + frame(b'{"type":"find","interests":["chess"]}') + packed(3) + frame(b"half")[:3]
    )
    await other.hears("left")
    await apart.back(a)
    await refused(one, 3)
    await until(lambda: a in apart.edge.room._held)
    one.sock.send(frame(b"half")[3:])
    assert (await one.hears("error"))["code"] == "bad_json"


# ---- many


def bare(process: Working, number: int) -> tuple[socket.socket, socket.socket]:
    """A tunnel with nobody at either end: the client's far end, and the home's."""
    ours, client = socket.socketpair()
    near, home = socket.socketpair()
    for end in (ours, client, near, home):
        end.setblocking(False)
    record = {"id": number, "address": "192.0.2.1", "way": 1, "serial": 3}
    process.links.tunnels.open(ours.detach(), "192.0.2.1", {}, b"", near, record, AWAY)
    return client, home


def ended(sock: socket.socket) -> bool:
    """Whether nothing more comes."""
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


async def test_a_thousand_tunnels_leave_nothing(apart: Cell) -> None:
    tunnels, reactor = apart.edge.links.tunnels, apart.edge.worker.reactor
    before = opened()
    for start in range(1, 1001, 100):
        ends = [bare(apart.edge, number) for number in range(start, start + 100)]
        assert (len(tunnels), reactor.tunnels) == (100, 100)
        for place, (client, home) in enumerate(ends):
            if place % 4 == 0:
                client.close()
            elif place % 4 == 1:
                home.send(said(b"{}"))
                home.close()
            elif place % 4 == 2:
                home.send(said((4003).to_bytes(2), opcode=CLOSE))
            else:
                home.send(said(b"{}")[:1])
                home.close()
        for _, home in ends[::4]:
            await until(lambda home=home: ended(home))
            home.close()
        await until(lambda: not len(tunnels))
        for client, home in ends:
            client.close()
            home.close()
        await until(lambda: reactor.connections == 0)
        apart.edge.worker.act(lambda now: apart.edge.worker.engine.drain_for_restart(now, lambda: 0.5))
        apart.edge.worker.engine.sessions.clear()
    assert apart.ends() == {"left": 250, "closed": 250, "lost": 250, "dropped": 250}
    assert more_than(before) == Counter()


async def test_tunnels_that_cannot_be_made_leave_nothing(apart: Cell) -> None:
    before = opened()
    near, far = joined()
    with socket.socket() as nobody:
        descriptor = nobody.detach()
    apart.edge.links.tunnels.open(descriptor, "no address : at all", {}, b"", near, {"id": 5}, AWAY)
    far.close()
    assert (apart.ends(), more_than(before)) == ({"failed": 1}, Counter())


# ---- this process ends


async def test_who_cannot_go_on_is_told_to_come_back_between_two_frames(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    other.ask("message", text="before")
    await one.hears("message")
    one.sock.send(frame(line(1))[:5])
    await answers(other)
    apart.edge.links.tunnels.turn_out(lambda: 1.5)
    data = await told(one)
    (opcode, last), (closing, code) = split(data)[-2:]
    assert (opcode, orjson.loads(last)["code"], orjson.loads(last)["retry_after"]) == (TEXT, "restart", 1.5)
    assert (closing, code[:2]) == (CLOSE, (1012).to_bytes(2))
    assert (await other.hears("partner"))["state"] == "away"
    assert (apart.ends(), len(apart.edge.links.tunnels)) == ({"turned_out": 1}, 0)
    assert a in apart.home.sessions


async def told(visitor: Visitor) -> bytes:
    """All that comes until the end of somebody's connection."""
    data = b""

    def over() -> bool:
        nonlocal data
        try:
            more = visitor.sock.recv(1 << 20)
        except BlockingIOError:
            return False
        data += more
        return not more or b"\x88" in more

    await until(over)
    return data


async def test_a_word_of_a_tunnel_that_is_not_known_is_nothing(apart: Cell) -> None:
    _, a, _, _ = await apart.meet()
    tunnels = apart.edge.links.tunnels
    (tunnel,) = tunnels._open.values()
    tunnels.told(6, tunnel.number + 1, tunnel, TUNNEL_ENDED)
    tunnels.told(6, tunnel.number, object(), TUNNEL_ENDED)
    assert len(tunnels) == 1
    assert a in apart.home.sessions


async def test_what_is_kept_of_somebody_is_little(apart: Cell) -> None:
    await apart.meet()
    (tunnel,) = apart.edge.links.tunnels._open.values()
    await until(lambda: "past" in orjson.loads(tunnel.kept).get("last", ()))
    assert len(tunnel.kept) < 1024
    assert not module.NOT_KEPT & orjson.loads(tunnel.kept).keys()
    assert time.monotonic() >= tunnel.since
    assert isinstance(apart.edge.worker.tunnels, TunnelTable)
