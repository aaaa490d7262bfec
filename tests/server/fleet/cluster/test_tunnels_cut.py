"""The way between two hosts breaks at any byte, or one of them dies: nobody is at both, and who is left is told and goes on."""

import socket
from typing import Any

import orjson
import pytest

from engine.engine import SessionRecord
from server.fleet.roaming import tunnel_table as module
from tests.ext.net.rig import frame
from tests.server.fleet.cluster.crossed import AWAY, Cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor, answers, talk
from tests.server.fleet.roaming.test_tunnel_table import alone, leaves, nobody, packed, refused

# ---- cut


async def whole(apart: Cell) -> tuple[bytes, bytes]:
    """What passes between the hosts until a visitor is back, if nothing is cut: to the home, and from there."""
    relay = await apart.relay()
    one, a, other, _ = await apart.meet(relay)
    one.sock.send(frame(b'{"type":"leave"}') + packed(2))
    await other.hears("left")
    await apart.back(a)
    await refused(one, 2)
    await nobody(apart, one, other)
    return bytes(relay.passed["up"]), bytes(relay.passed["down"])


def places(data: bytes) -> list[int]:
    """Where frames begin and end, bytes beside that, and some between."""
    found, at = {0, len(data)}, 0
    while at < len(data):
        size, head = data[at + 1] & 0x7F, 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[at + 2 : at + head])
        found |= {at + head, at + head + size // 2}
        at += head + size
        found.add(at)
    near = {at + beside for at in found for beside in (-1, 0, 1)}
    return sorted(at for at in near if 0 < at <= len(data))


@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_way_that_breaks_at_any_byte_leaves_nobody_at_two_hosts(apart: Cell, way: str) -> None:
    told: list[Any] = []
    apart.edge.links.tunnels.forget = lambda *said: told.append(said)
    both = dict(zip(("up", "down"), await whole(apart), strict=True))
    for at in places(both[way]):
        relay = await apart.relay(**{way: at})
        one, a = await apart.somebody(apart.edge)
        other, b = await apart.somebody(apart.home)
        apart.cross(a, b, relay)
        one.sock.send(frame(b'{"type":"leave"}') + packed(2))
        await alone(apart, a)
        await relay.over()
        session = apart.edge.worker.engine.sessions.get(a)
        if session is not None and session.conn:
            await answers(one)
        else:
            await until(lambda one=one: ended(one))
        await nobody(apart, one, other)
    ends = apart.ends()
    assert sum(ends.values()) == 1 + len(places(both[way]))
    assert ends.get("lost", 0) == len(told)
    assert {node for node, _ in told} <= {AWAY}


def ended(visitor: Visitor) -> bool:
    """Whether their connection is over."""
    try:
        return visitor.sock.recv(1 << 20) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


# ---- the home is gone


async def test_who_talked_with_a_home_that_died_is_told_and_goes_on_here(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    await talk(one, other)
    apart.hosts[1].kill("worker 2")
    assert (await one.hears("left"))["by"] == "lost"
    await answers(one)
    assert (apart.edge.sessions, apart.ends()) == ({a}, {"lost": 1})
    one.find("chess")
    await until(lambda: a in apart.edge.room._held)


async def asks_for_another(one: Visitor, other: Visitor) -> None:
    one.find("chess")
    await other.hears("left")


async def asks_for_another_behind_the_end(one: Visitor, other: Visitor) -> None:
    other.ask("leave")
    await one.hears("left")
    one.find("chess")
    await answers(one)


async def asks_in_other_words(one: Visitor, other: Visitor) -> None:
    one.sock.send(frame(b'{"interests":["chess"],"strict":true,"type":"find"}'))
    await other.hears("left")


async def does_nothing(one: Visitor, other: Visitor) -> None:
    other.ask("leave")
    await one.hears("left")


async def goes(one: Visitor, other: Visitor) -> None:
    one.ask("leave")
    await other.hears("left")


async def comes_back(one: Visitor) -> None:
    """They are told to connect anew, and their connection ends."""
    told = await one.hears("error", "left")
    assert (told.get("code"), 0 <= told.get("retry_after", -1) < 1) == ("restart", True)
    await until(lambda: ended(one))


@pytest.mark.parametrize(
    "did",
    [asks_for_another, asks_for_another_behind_the_end, asks_in_other_words, does_nothing, goes],
)
async def test_who_does_not_talk_when_their_home_dies_comes_back_and_is_told_that_nobody_has_their_search(
    apart: Cell, did: Any
) -> None:
    one, a, other, _ = await apart.meet()
    await talk(one, other)
    apart.home.links.visitor_return._turning = True  # no session returns yet
    await did(one, other)
    apart.hosts[1].kill("worker 2")
    await comes_back(one)
    assert (apart.edge.sessions, apart.ends()) == (set(), {"dropped": 1})
    again, b, _ = await apart.hosts[0].visitor(apart.edge)
    again.ask("resume", token=apart.edge.tokens.seal(a, 0), last=0)
    assert (await again.hears("resumed", "error"))["code"] == "no_session"
    again.find("chess")
    await until(lambda: b in apart.edge.room._held)


async def test_who_says_what_no_search_is_goes_on_talking_for_the_edge(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    one.ask("typing", typing=True)
    one.ask("ping")
    one.sock.send(frame(b'{"type": "message", "text": "by another program"}'))
    await other.hears("message")
    apart.hosts[1].kill("worker 2")
    assert (await one.hears("left"))["by"] == "lost"
    await answers(one)
    assert (apart.edge.sessions, apart.ends()) == ({a}, {"lost": 1})


# ---- the home lives


async def test_a_way_that_breaks_costs_no_chat_whose_home_is_there(apart: Cell) -> None:
    relay = await apart.relay()
    told: list[Any] = []
    tunnels = apart.edge.links.tunnels
    tunnels._is_heard, tunnels.forget = lambda name: name == AWAY, lambda *said: told.append(said)
    one, a, other, _ = await apart.meet(relay)
    await talk(one, other)
    relay.left["down"] = (
        7  # within a frame: a process that ends, or dies, mostly ends its connections behind a whole one
    )
    other.ask("message", text="where are you?")
    await comes_back(one)
    assert (await other.hears("partner"))["state"] == "away"
    assert (apart.edge.sessions, a in apart.home.sessions, apart.ends(), told) == (set(), True, {"dropped": 1}, [])
    again, _, _ = await apart.hosts[1].visitor(apart.home)
    again.ask("resume", token=apart.home.tokens.seal(a, 0), last=2)
    assert (await again.hears("resumed", "error"))["type"] == "resumed"
    assert (await again.hears("message"))["text"] == "where are you?"
    assert (await other.hears("partner"))["state"] == "back"
    again.ask("message", text="here")
    assert (await other.hears("message"))["text"] == "here"


async def test_who_was_told_nothing_by_a_home_that_died_waits_on_with_their_age(apart: Cell) -> None:
    relay = await apart.relay()
    one, a = await apart.somebody(apart.edge)
    since = apart.edge.room._held[a].ticket.since
    relay.left["down"] = 0
    apart.send(a, relay)
    relay.break_off()
    await apart.back(a)
    await answers(one)
    assert one.told == []
    assert abs(apart.edge.room._held[a].ticket.since - since) < 0.5
    assert apart.ends() == {"lost": 1}


async def test_who_did_not_hear_that_a_home_resumed_them_comes_back_to_their_chat(apart: Cell) -> None:
    relay = await apart.relay(down=0)
    told: list[Any] = []
    apart.edge.links.tunnels.forget = lambda *said: told.append(said)
    one, a, other, b = await apart.meet()
    token = apart.edge.tokens.seal(a, 0)
    one.sock.close()
    await other.hears("partner")
    back, fresh, _ = await apart.hosts[0].visitor(apart.edge)
    back.ask("resume", token=token, last=0)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(a) == [fresh])
    apart.send(fresh, relay)
    assert apart.home.sessions == {a, b}
    await comes_back(back)
    assert (apart.edge.sessions, apart.ends()["dropped"], told) == (set(), 1, [])
    again, _, _ = await apart.hosts[1].visitor(apart.home)
    again.ask("resume", token=token, last=0)
    assert (await again.hears("resumed", "error"))["type"] == "resumed"
    await talk(again, other)
    assert apart.home.sessions == {a, b}


async def test_a_frame_that_was_not_whole_is_not_seen_and_one_that_was_begun_is_said_again(apart: Cell) -> None:
    relay = await apart.relay()
    one, a, other, _ = await apart.meet(relay)
    relay.left["down"] = 7
    one.sock.send(packed(2)[:60])
    other.ask("message", text="never whole")
    assert (await one.hears("left"))["by"] == "lost"
    one.sock.send(packed(2)[60:])
    await apart.back(a)
    heard = [(await one.hears("error"))["id"]]
    assert heard in (["0"], ["1"])
    await answers(one)


async def test_a_home_that_dies_behind_the_record_leaves_what_it_knew(
    apart: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, a, other, _ = await apart.meet()
    await talk(one, other)
    home = apart.home.links.visitor_return
    monkeypatch.setattr(type(home), "_return", dies)
    one.ask("leave")
    await apart.back(a)
    assert (await one.hears("error"))["code"] == "no_session"
    await answers(one)
    assert apart.edge.worker.engine.sessions[a].past is not None
    assert apart.ends() == {"cut": 1}


async def dies(_: object, sock: socket.socket, left: bytes) -> None:
    """Instead of reading to the end."""
    assert left == b""
    sock.close()


async def test_a_client_that_goes_on_their_way_back_may_come_back(apart: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    one, a, _other, _ = await apart.meet()
    tunnels = apart.edge.links.tunnels
    (tunnel,) = tunnels._open.values()
    monkeypatch.setattr(type(apart.home.links.visitor_return), "_return", waits)
    one.ask("leave")
    await until(lambda: tunnel.coming is not None and tunnel.coming.session_record is not None)
    one.sock.close()
    apart.edge.worker.reactor.unpipe(
        tunnel.number, b""
    )  # its socket is found broken, as it would be by what it is told
    tunnels.told(6, tunnel.number, tunnel, 3)
    await apart.back(a)
    assert apart.edge.worker.engine.sessions[a].conn == 0
    assert apart.ends() == {"left": 1}


async def waits(_: object, sock: socket.socket, __: bytes) -> None:
    """Instead of reading to the end."""
    sock.close()


async def test_what_is_no_person_of_theirs_is_not_taken(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    await talk(one, other)
    (tunnel,) = apart.edge.links.tunnels._open.values()
    tunnel.key += 1
    one.ask("leave")
    await comes_back(one)
    assert (a in apart.edge.sessions, apart.ends()) == (False, {"dropped": 1})


async def test_of_a_home_that_died_it_is_known_whom_they_talked_with_and_nothing_of_what_was_said(apart: Cell) -> None:
    one, a, other, b = await apart.meet()
    await talk(one, other)
    (tunnel,) = apart.edge.links.tunnels._open.values()
    await until(lambda: "past" in orjson.loads(tunnel.kept).get("last", ()))
    assert "hello" not in tunnel.kept
    apart.hosts[1].kill("worker 2")
    assert (await one.hears("left"))["by"] == "lost"
    past = apart.edge.worker.engine.sessions[a].past
    assert past is not None
    assert past.persons == (b,)
    one.ask("save")
    assert (await one.hears("error"))["code"] == "not_saved"
    one.ask("report", reason="spam")
    assert (await one.hears("reported"))["type"] == "reported"


async def test_a_save_that_a_home_that_died_did_not_answer_is_answered_here(apart: Cell) -> None:
    one, a, _, _ = await apart.meet()
    session = apart.home.worker.engine.sessions[a]
    assert session.seat is not None
    (tunnel,) = apart.edge.links.tunnels._open.values()
    for saves in ((), ((session.seat.chat.id, b""),)):
        session.saves = saves
        apart.home.worker.output.news(session.conn)
    apart.home.worker.act(lambda _: None)
    await until(lambda: orjson.loads(tunnel.kept).get("last", {}).get("saves"))
    apart.hosts[1].kill("worker 2")
    assert [(await one.hears("left", "error"))["type"] for _ in range(2)] == ["left", "error"]
    assert apart.edge.worker.engine.sessions[a].saves == ()


async def test_who_is_here_already_is_not_taken_twice(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    (tunnel,) = apart.edge.links.tunnels._open.values()
    here = {"v": 1, "people": [orjson.loads(tunnel.kept)], "chats": []}
    here["people"][0].pop("query"), here["people"][0].pop("state")
    here["people"][0]["away"] = 9.0
    module.SessionMoves(apart.edge.worker).take(SessionRecord(here, []), [-1])
    await leaves(one, other)
    await until(lambda: apart.ends() == {"failed": 1})
    await until(lambda: ended(one))
    assert apart.edge.worker.engine.sessions[a].conn == 0
