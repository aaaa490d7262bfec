"""A visitor goes back when they can, at once, and not before; who cannot stays, and nothing of theirs is lost."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from engine.rooms.hub_messages import Meeting, Member
from ext.migrate.tunnel_transfer import RECORD_MAX
from server.fleet.roaming import session_return as module
from server.fleet.roaming.session_return import VisitorReturn
from tests.engine.meetings import row_of
from tests.server.fleet.cluster.crossed import Cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import answers, talk


def results(apart: Cell) -> dict[str, int]:
    """What became of visitors who were to go back."""
    return {result: count for result, count in apart.home.links.visitor_return.results.items() if count}


async def test_who_came_and_meets_nobody_goes_back_with_their_search(apart: Cell) -> None:
    one, a = await apart.somebody(apart.edge)
    apart.send(a)
    await apart.back(a)
    await answers(one)
    assert a in apart.edge.room._held
    assert a not in apart.home.room._held
    assert results(apart) == {"sent": 1}


async def test_who_waits_for_the_last_of_three_is_not_sent_back_until_that_one_does_not_come(apart: Cell) -> None:
    one, a = await apart.somebody(apart.edge)
    _, b = await apart.somebody(apart.home)
    home = apart.home
    numbers = [process.room._held[id].number for process, id in ((apart.edge, a), (home, b))]
    members = Member(a, numbers[0], 1), Member(b, numbers[1], 2), Member(77, 1, 9)
    meeting = row_of(Meeting(1, members, (0.0, 0.0), (), 0.0, "", True, "why?"))
    apart.send(a, None, lambda: home.room.expect((a,)))
    home.worker.act(lambda now: home.room.arrived(meeting, now))
    assert home.room.meets(a)
    assert not home.room.meets(b)
    home.links.visitor_return._look_again()
    assert a in home.sessions
    home.worker.act(lambda now: home.worker.engine.tick(now + 2.0))
    assert not home.room.meets(a)
    await apart.back(a)
    await answers(one)


async def test_who_waits_to_resume_is_not_sent_back(apart: Cell) -> None:
    one, a, _ = await apart.hosts[0].visitor(apart.edge)
    key = 12345
    apart.home.links.session_lookup.is_elsewhere = lambda asked: asked == key
    token = apart.home.tokens.seal(key, 0)
    apart.edge.links.session_lookup.is_elsewhere = lambda asked: asked == key
    one.ask("resume", token=token, last=0)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(key))
    apart.send(a)
    await until(lambda: apart.home.worker.engine.moves.awaiting(key) == [a])
    apart.home.links.visitor_return._look_again()
    assert apart.home.worker.engine.moves.awaiting(key) == [a]
    apart.home.worker.act(lambda now: apart.home.worker.engine.arrived(key, now))
    assert (await one.hears("error"))["code"] == "no_session"
    await apart.back(a)
    await answers(one)
    assert results(apart) == {"sent": 1}


async def test_who_waits_to_resume_somebody_of_another_host_resumes_them_at_their_own(apart: Cell) -> None:
    one, a, _ = await apart.hosts[0].visitor(apart.edge)
    key = 12345
    for process in (apart.edge, apart.home):
        process.links.session_lookup.is_elsewhere = lambda asked: asked == key
    one.ask("resume", token=apart.home.tokens.seal(key, 0), last=0)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(key))
    apart.send(a)
    await until(lambda: apart.home.worker.engine.moves.awaiting(key) == [a])
    apart.home.links.visitor_return.send_home(apart.home.worker.engine.sessions[a].conn)
    apart.home.worker.act(lambda _: None)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(key) == [a])
    assert (apart.home.sessions, results(apart)) == (set(), {"sent": 1})
    apart.edge.worker.act(lambda now: apart.edge.worker.engine.arrived(key, now))
    assert (await one.hears("error"))["code"] == "no_session"
    await answers(one)


async def test_who_goes_back_with_their_resume_has_one_answer_though_the_other_host_dies_behind_the_record(
    apart: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, a, _ = await apart.hosts[0].visitor(apart.edge)
    key = 12345
    for process in (apart.edge, apart.home):
        process.links.session_lookup.is_elsewhere = lambda asked: asked == key
    one.ask("resume", token=apart.home.tokens.seal(key, 0), last=0)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(key))
    apart.send(a)
    await until(lambda: apart.home.worker.engine.moves.awaiting(key) == [a])
    monkeypatch.setattr(VisitorReturn, "_return", _dies)
    apart.home.links.visitor_return.send_home(apart.home.worker.engine.sessions[a].conn)
    apart.home.worker.act(lambda _: None)
    await until(lambda: apart.edge.worker.engine.moves.awaiting(key) == [a])
    assert apart.ends() == {"cut": 1}
    apart.edge.worker.act(lambda now: apart.edge.worker.engine.arrived(key, now))
    one.ask("ping")
    assert (await one.hears("error", "pong"))["code"] == "no_session"
    assert (await one.hears("error", "pong"))["type"] == "pong"


async def _dies(_: object, sock: socket.socket, left: bytes) -> None:
    """Instead of reading to the end."""
    assert left == b""
    sock.close()


async def test_who_takes_nothing_goes_back_when_they_have_taken_all(apart: Cell) -> None:
    relay = await apart.relay()
    for end in (*relay._ends, relay.home, relay.edge):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one, a, other, _ = await apart.meet(relay)
    one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow = 0
    while not slow:
        for _ in range(20):
            other.ask("message", text="x" * 1900)
        other.ask("ping")
        while (heard := await other.hears("pong", "error"))["type"] != "pong":
            slow += heard.get("code") == "slow"
    other.ask("leave")
    await until(lambda: apart.home.links.visitor_return._waiting)
    apart.home.links.visitor_return._look_again()
    assert a in apart.home.sessions
    await one.hears("left")
    await apart.back(a)
    await answers(one)
    assert results(apart) == {"sent": 1}


async def test_who_has_too_much_stays_until_their_next_chat(apart: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    one, a, other, b = await apart.meet()
    monkeypatch.setattr(module.session_return_frames, "RECORD_MAX", 100)
    other.ask("leave")
    await one.hears("left")
    assert results(apart) == {"stayed": 1}
    assert a in apart.home.sessions
    await answers(one)
    monkeypatch.setattr(module.session_return_frames, "RECORD_MAX", RECORD_MAX)
    apart.home.links.visitor_return._look_again()
    assert a in apart.home.sessions
    for visitor in (one, other):
        visitor.find("chess")
    await until(lambda: {a, b} <= apart.home.room._held.keys())
    members = [Member(id, apart.home.room._held[id].number, 2) for id in (a, b)]
    meeting = row_of(Meeting(2, tuple(members), (0.0, 0.0), ("chess",), 1.0, "any"))
    apart.home.worker.act(lambda now: apart.home.room.told([meeting], now))
    await talk(one, other)
    one.ask("leave")
    await apart.back(a)


async def test_a_socket_that_takes_nothing_gives_them_back_to_this_host(
    apart: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, a, other, _ = await apart.meet()
    full = Full(2)
    monkeypatch.setattr(module.socket, "socket", full.of)
    other.ask("leave")
    await one.hears("left")
    await until(lambda: full.left == 0)
    monkeypatch.undo()
    await apart.back(a)
    await answers(one)
    assert results(apart) == {"sent": 1}


class Full:
    """Sockets that take nothing, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self._real = socket.socket

    def of(self, *given: Any) -> Any:
        """One."""
        real = self._real(*given)
        if self.left and len(given) == 4:
            self.left -= 1
            return _Full(real)
        return real


class _Full:
    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def send(self, _: bytes) -> int:
        raise BlockingIOError

    def detach(self) -> int:
        return self._real.detach()

    def setblocking(self, _: bool) -> None:
        """It does not."""


@pytest.mark.parametrize("size", [0, 10, RECORD_MAX, 3 * RECORD_MAX])
async def test_what_they_say_meanwhile_goes_back_with_them(apart: Cell, size: int) -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    near.setblocking(False)
    made = VisitorReturn(apart.home.worker, apart.home.room)
    loop = asyncio.get_running_loop()
    going = loop.create_task(made._return(near, b"the rest"))
    said = bytes(range(256)) * (size // 256 + 1)
    await loop.sock_sendall(far, said[:size])
    far.shutdown(socket.SHUT_WR)
    came = b""
    while data := await loop.sock_recv(far, 1 << 20):
        came += data
    await going
    far.close()
    assert came.startswith(b"the rest")
    assert came[8:] == b"".join(module.session_return_frames.rest(said[:size]))
    assert made.results["sent"] == 1


@pytest.mark.parametrize("much", [False, True])
async def test_who_says_no_end_or_too_much_is_given_up(
    apart: Cell, monkeypatch: pytest.MonkeyPatch, much: bool
) -> None:
    monkeypatch.setattr(module, "WITHIN", 10.0 if much else 0.01)
    near, far = socket.socketpair()
    far.setblocking(False)
    near.setblocking(False)
    made = VisitorReturn(apart.home.worker, apart.home.room)
    loop = asyncio.get_running_loop()
    going = loop.create_task(made._return(near, b""))
    if much:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await loop.sock_sendall(far, bytes(module.READ_MAX + (1 << 20)))
    await going
    assert made.results == {"sent": 0, "cut": 1, "stayed": 0}
    far.close()


async def test_a_process_that_ends_waits_for_who_is_on_their_way(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    one.ask("leave")
    await other.hears("left")
    await apart.home.links.visitor_return.settled()
    assert results(apart) == {"sent": 1}
    await apart.back(a)


async def test_a_visitor_who_is_away_goes_nowhere(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    one.sock.close()
    assert (await other.hears("partner"))["state"] == "away"
    assert apart.home.worker.output.visitors == {}
    other.ask("leave")
    await answers(other)
    assert a in apart.home.sessions
    assert results(apart) == {}
