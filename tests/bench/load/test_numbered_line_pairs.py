"""Two of a pair find out what a server does wrong: each fault is committed by a server of the test's own, and counted under its name."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import aiohttp.test_utils
import pytest
from aiohttp import web

from bench.load import numbered_line_pairs
from bench.load.numbered_line_pairs import FAULTS, Heard
from bench.load.process_deaths import AFTER, Done, judged, unexplained

LINES = 6  # of a side
AT = 3  # the line at which something goes wrong
Frame = dict[str, Any]
Wrong = Callable[[Frame], list[Frame]]  # what becomes of that line on its way


class Room:
    """Two who search are a chat. `wrong`: of line AT, to both; `ends`: it hangs up on the first of both then, and tells the other, or not."""

    def __init__(self, wrong: Wrong | None = None, ends: str = "", deaf: bool = False, mute: bool = False) -> None:
        self._wrong = wrong
        self._ends = ends
        self._deaf = deaf  # nobody is matched
        self._mute = mute  # all lines share the fate of line AT
        self._waiting: web.WebSocketResponse | None = None
        self._other: dict[web.WebSocketResponse, web.WebSocketResponse] = {}
        self._seq: dict[web.WebSocketResponse, int] = {}
        self._cut: dict[web.WebSocketResponse, Callable[[], None]] = {}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Somebody."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if request.transport is not None:
            self._cut[socket] = request.transport.abort
        await socket.send_json({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 1})
        async for message in socket:
            with contextlib.suppress(ConnectionError):  # the other is cut
                await self._hear(socket, json.loads(message.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, frame: Frame) -> None:
        if frame["type"] == "resume":
            await socket.send_json({"type": "error", "of": "resume", "code": "no_session", "message": ""})
        elif frame["type"] == "find":
            await self._find(socket)
        elif frame["type"] == "message":
            await self._say(socket, frame)

    async def _find(self, socket: web.WebSocketResponse) -> None:
        other, self._waiting = self._waiting, socket
        if other is None or other.closed or self._deaf:
            return
        self._waiting = None
        self._other |= {socket: other, other: socket}
        chat = f"chat {len(self._other)}"
        for one in (socket, other):
            self._seq[one] = 0
            await one.send_json(
                {"type": "matched", "chat": chat, "role": "stranger", "common": [], "language": "en", "ice": []}
            )

    async def _say(self, socket: web.WebSocketResponse, frame: Frame) -> None:
        other = self._other[socket]
        if frame["text"].endswith(f" {AT}") and self._ends:
            ends, self._ends = self._ends, ""
            if ends == "told":
                await other.send_json({"type": "left", "by": "lost"})
            self._cut[socket]()
            return
        lines = [frame]
        if (self._mute or frame["text"].endswith(f" {AT}")) and self._wrong is not None:
            lines = self._wrong(frame)
        for line in lines:
            self._seq[other] += 1
            await other.send_json({"type": "message", "seq": self._seq[other], "text": line["text"]})
        await socket.send_json({"type": "sent", "id": frame["id"], "seq": self._seq[socket]})


async def talk(room: Room, patience: float = 20.0) -> Heard:
    """What two heard there, of a chat at the most so long."""
    app, heard = web.Application(), Heard()
    app.router.add_get("/ws", room.serve)
    async with aiohttp.test_utils.TestServer(app) as server:
        url = str(server.make_url("/ws"))
        try:
            async with asyncio.timeout(patience):
                await numbered_line_pairs.talked(url, "jazz", LINES, heard, 0.001)
        except TimeoutError:
            return heard
    return heard


def wrong(heard: Heard) -> set[str]:
    """The names of the faults."""
    return {name for name, count in heard.faults.items() if count}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes twenty seconds takes one."""
    monkeypatch.setattr(numbered_line_pairs, "SILENCE", 1.0)
    monkeypatch.setattr(numbered_line_pairs, "MEETING", 1.0)


async def test_a_faithful_server_is_found_to_be_one() -> None:
    heard = await talk(Room())
    assert (heard.lines, heard.chats, heard.ends, heard.drops, wrong(heard)) == (2 * LINES, 1, [], [], set())


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (lambda line: [], "lost"),
        (lambda line: [line, line], "doubled"),
        (lambda line: [{"text": line["text"].replace("chat", "cat")}], "foreign"),
        (lambda line: [{"text": line["text"].replace(f" {AT}", f" {AT - 1}")}, line], "doubled"),
    ],
)
async def test_a_fault_is_counted_under_its_name(what: Wrong, name: str) -> None:
    assert name in wrong(await talk(Room(what), 4.0))


async def test_two_who_are_told_that_their_chat_is_over_meet_again() -> None:
    heard = await talk(Room(ends="told"))
    assert (heard.chats, len(heard.ends), len(heard.drops), len(heard.apart), wrong(heard)) == (1, 2, 1, 1, set())


async def test_a_chat_with_one_end_is_found() -> None:
    assert "half" in wrong(await talk(Room(ends="untold"), 4.0))


async def test_a_chat_in_which_nothing_comes_any_more_is_found() -> None:
    assert wrong(await talk(Room(lambda line: [], mute=True), 3.0)) == {"silent"}


async def test_two_who_do_not_meet_are_found() -> None:
    assert wrong(await talk(Room(deaf=True), 3.0)) == {"unmet"}


def test_only_a_workers_death_explains_an_end_and_only_for_a_while() -> None:
    done = Done(deaths=[(100.0, "worker 1", 3), (200.0, "hub", 0)])
    assert unexplained([100.1, 100.0 + AFTER, 99.9, 101.0 + AFTER, 200.1], done) == 3


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_fails_the_run(name: str) -> None:
    heard, quiet = Heard(lines=5, chats=1), argparse.Namespace(kill=0.0, upgrade=0.0)
    assert all(judged(heard, Done(), quiet).values())
    heard.faults[name] = 1
    assert not all(judged(heard, Done(), quiet).values())


@pytest.mark.parametrize("done", [Done(never_again=["hub"]), Done(failed=["no"])])
def test_who_does_not_come_back_and_an_upgrade_without_a_cause_fail_the_run(done: Done) -> None:
    quiet = argparse.Namespace(kill=0.0, upgrade=0.0)
    assert not all(judged(Heard(lines=5), done, quiet).values())


@pytest.mark.parametrize(("kill", "upgrade"), [(7.0, 0.0), (0.0, 20.0)])
def test_a_run_without_what_was_asked_for_shows_nothing(kill: float, upgrade: float) -> None:
    asked = argparse.Namespace(kill=kill, upgrade=upgrade)
    assert not all(judged(Heard(lines=5), Done(), asked).values())
    both = Done(deaths=[(1.0, "hub", 0)], upgrades=[3.0])
    assert all(judged(Heard(lines=5), both, asked).values())
