"""People of one host talk at another, and are here again whatever becomes of that one: what they said and were told is whole, in order, once."""

import socket
import time
from collections import Counter
from typing import Any

import orjson
import pytest

from engine import hub_rows as rows
from engine.protocol import TUNNEL_ENDED
from server.cluster import tunnels as module
from server.cluster.tunnels import Tunnels
from tests.ext.net.rig import CLOSE, PING, TEXT, frame, split
from tests.ext.net.tunnels import CONTINUATION, said
from tests.server.cluster.crossed import AWAY, Cell
from tests.server.handover.rig import until
from tests.server.workers.rig import Visitor, Working, answers, talk
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


async def alone(joined: Cell, id: int) -> None:
    """Nobody is on the way any more, and who has this person's connection is one of the two at most."""
    await until(lambda: not len(joined.edge.links.tunnels) and not joined.home.links.homecoming._returns)
    sessions = [process.worker.engine.sessions.get(id) for process in (joined.edge, joined.home, joined.other)]
    assert sum(session is not None and session.conn != 0 for session in sessions) <= 1


async def nobody(joined: Cell, *visitors: Visitor) -> None:
    """These go, and nobody is connected at either host."""
    for visitor in visitors:
        visitor.sock.close()
    await until(lambda: not joined.edge.worker.engine.online and not joined.home.worker.engine.online)


# ---- at the other host


async def test_who_talks_at_another_host_is_counted_there_alone(joined: Cell) -> None:
    one, a, other, b = await joined.meet()
    await talk(one, other)
    assert (joined.edge.sessions, joined.home.sessions) == (set(), {a, b})
    assert (joined.edge.worker.engine.online, joined.home.worker.engine.online) == (0, 2)
    assert joined.edge.links.reading()["serendip_tunnels"] == 1
    assert joined.home.links.reading()["serendip_visitors"] == 1


async def test_a_visitor_of_this_host_goes_to_no_third_one(joined: Cell) -> None:
    near, far = joined()
    with pytest.raises(ValueError, match="visitor"):
        joined.edge.links.tunnels.open(-1, "192.0.2.1", {"visitor": 1}, b"", near, {"id": 5}, AWAY)
    near.close()
    far.close()
    _, a, _, _ = await joined.meet()
    visitors = joined.home.worker.output.visitors.values()
    assert [session.id for session in visitors] == [a]


async def test_what_was_not_taken_and_what_was_begun_goes_along(joined: Cell) -> None:
    one, a = await joined.somebody(joined.edge)
    other, b = await joined.somebody(joined.home)
    data = frame(line(3))
    one.sock.send(data[:11])
    await answers(other)
    joined.cross(a, b)
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
async def test_who_talked_is_at_their_own_host_again(joined: Cell, end: Any) -> None:
    one, a, other, _b = await joined.meet()
    await talk(one, other)
    before = opened()
    await end(one, other)
    await joined.back(a)
    await answers(one)
    if end in (finds, rolls):
        await until(lambda: a in joined.edge.room._held)
    session = joined.edge.worker.engine.sessions[a]
    assert (joined.edge.sessions, a in joined.home.sessions) == ({a}, False)
    assert session.conn != 0
    past = session.past
    assert past is not None
    assert [text for *_, text in past.chat.ring.lines()] == [b"hello", b"hello yourself"]
    one.ask("report", reason="spam", chat=past.chat.id)
    await one.hears("reported")
    assert joined.ends() == {"returned": 1}
    assert {result: count for result, count in joined.home.links.homecoming.results.items() if count} == {"sent": 1}
    assert joined.edge.links.tunnels.reading()["serendip_tunnel_return_seconds"].counts[-1] <= 1  # type: ignore[union-attr]
    assert more_than(before) == Counter()


async def test_a_search_goes_back_with_its_age(joined: Cell) -> None:
    one, a, other, _ = await joined.meet()
    one.find("chess")
    await other.hears("left")
    await joined.back(a)
    (row,) = [row for row in await joined.edge_hub.rows(rows.TICKET, rows.LEAVE, rows.TICKET) if row[0] == rows.TICKET][
        1:
    ]
    assert (row[1], row[4], row[-1]) == (a, ["chess"], rows.WAITS)


async def test_the_token_is_the_same_and_good_at_their_own_host(joined: Cell) -> None:
    one, a, token = await joined.hosts[0].visitor(joined.edge)
    one.find("sailing")
    await until(lambda: a in joined.edge.room._held)
    other, b = await joined.somebody(joined.home)
    joined.cross(a, b)
    await one.hears("matched")
    await leaves(one, other)
    await joined.back(a)
    fresh, _, _ = await joined.hosts[0].visitor(joined.edge)
    fresh.ask("resume", token=token, last=0)
    assert (await fresh.hears("resumed", "error"))["type"] == "resumed"


async def test_frames_that_are_packed_behind_the_end_are_heard_once_and_in_order(joined: Cell) -> None:
    """The stream is cut at any byte: what is before it comes at once, what is behind when the person is on their way."""
    count = 4
    data = frame(b'{"type":"leave"}') + packed(count)
    headers = set(range(90)) | {len(data) - at for at in range(1, 20)}
    for at in sorted(headers | set(range(90, len(data), 41))):
        one, a, other, _ = await joined.meet()
        one.sock.send(data[:at])
        if at > len(frame(b'{"type":"leave"}')):
            await other.hears("left")
        else:
            await answers(other)
        one.sock.send(data[at:])
        await joined.back(a)
        await refused(one, count)
        await answers(one)
        await alone(joined, a)
        await nobody(joined, one, other)
    assert set(joined.ends()) == {"returned"}


async def test_a_search_and_words_in_one_write_are_heard_in_order(joined: Cell) -> None:
    one, a, other, _ = await joined.meet()
    one.sock.send(
        frame(b'{"type":"leave"}') + frame(b'{"type":"find","interests":["chess"]}') + packed(3) + frame(b"half")[:3]
    )
    await other.hears("left")
    await joined.back(a)
    await refused(one, 3)
    await until(lambda: a in joined.edge.room._held)
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


async def test_a_thousand_tunnels_leave_nothing(joined: Cell) -> None:
    tunnels, reactor = joined.edge.links.tunnels, joined.edge.worker.reactor
    before = opened()
    for start in range(1, 1001, 100):
        ends = [bare(joined.edge, number) for number in range(start, start + 100)]
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
        await until(lambda: not len(tunnels))
        for client, home in ends:
            client.close()
            home.close()
        await until(lambda: reactor.connections == 0)
        joined.edge.worker.act(lambda now: joined.edge.worker.engine.drain_for_restart(now, lambda: 0.5))
        joined.edge.worker.engine.sessions.clear()
    assert joined.ends() == {"left": 250, "closed": 250, "lost": 500}
    assert more_than(before) == Counter()


async def test_tunnels_that_cannot_be_made_leave_nothing(joined: Cell) -> None:
    before = opened()
    near, far = joined()
    with socket.socket() as nobody:
        descriptor = nobody.detach()
    joined.edge.links.tunnels.open(descriptor, "no address : at all", {}, b"", near, {"id": 5}, AWAY)
    far.close()
    assert (joined.ends(), more_than(before)) == ({"failed": 1}, Counter())


# ---- this process ends


async def test_who_cannot_go_on_is_told_to_come_back_between_two_frames(joined: Cell) -> None:
    one, a, other, _ = await joined.meet()
    other.ask("message", text="before")
    await one.hears("message")
    one.sock.send(frame(line(1))[:5])
    await answers(other)
    joined.edge.links.tunnels.turn_out(lambda: 1.5)
    data = await told(one)
    (opcode, last), (closing, code) = split(data)[-2:]
    assert (opcode, orjson.loads(last)["code"], orjson.loads(last)["retry_after"]) == (TEXT, "restart", 1.5)
    assert (closing, code[:2]) == (CLOSE, (1012).to_bytes(2))
    assert (await other.hears("partner"))["state"] == "away"
    assert (joined.ends(), len(joined.edge.links.tunnels)) == ({"turned_out": 1}, 0)
    assert a in joined.home.sessions


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


async def test_a_word_of_a_tunnel_that_is_not_known_is_nothing(joined: Cell) -> None:
    _, a, _, _ = await joined.meet()
    tunnels = joined.edge.links.tunnels
    (tunnel,) = tunnels._open.values()
    tunnels.told(6, tunnel.number + 1, tunnel, TUNNEL_ENDED)
    tunnels.told(6, tunnel.number, object(), TUNNEL_ENDED)
    assert len(tunnels) == 1
    assert a in joined.home.sessions


async def test_what_is_kept_of_somebody_is_little(joined: Cell) -> None:
    await joined.meet()
    (tunnel,) = joined.edge.links.tunnels._open.values()
    assert len(tunnel.kept) < 400
    assert not module.NOT_KEPT & orjson.loads(tunnel.kept).keys()
    assert time.monotonic() >= tunnel.since
    assert isinstance(joined.edge.worker.tunnels, Tunnels)
