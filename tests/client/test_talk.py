"""Test the chat of a terminal as a person has it: the program at a pseudoterminal or a pipe, the real server, and a client as the partner."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.load.cutting_proxy import Cutter
from serendip_client import Client, Left, Matched, Message, Partner, Typing
from serendip_client.talk import HELP, Talk, TalkOptions, topics
from serendip_client.testing import FakeServer
from tests.server.site.web.servers import ROOT, Server

PROGRAM = (sys.executable, "-m", "serendip_client", "talk")
PLAIN = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT / "client")}
NOTICE = {
    "type": "notice", "id": "n", "kind": "warning", "rule": "R4", "reason": "Be kind.", "day": "2026-11-30", "by": "person",
    "appeal": "/appeal/x",
}  # fmt: skip
SGR = re.compile(r"\x1b\[[0-9;]*[mK]")


class Person:
    """Someone at a terminal in which the program runs."""

    def __init__(self, keyboard: int, program: subprocess.Popen[bytes]) -> None:
        self.keyboard = keyboard
        self.program = program
        self.seen = ""  # everything that was written
        self._read = 0  # how much of it was waited for

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.keyboard, keys.encode())

    async def sees(self, text: str) -> str:
        """Wait until a text is written behind what was waited for before. Return what was written up to it, without colours."""
        async with asyncio.timeout(30):
            while text not in SGR.sub("", self.seen[self._read :]):
                self.seen += (await asyncio.to_thread(os.read, self.keyboard, 65_536)).decode()
        found = self.seen[self._read :]
        self._read = len(self.seen)
        return SGR.sub("", found)

    async def ended(self) -> int:
        """Wait for the end of the program. Return its status."""
        return await asyncio.to_thread(self.program.wait, 30)


@asynccontextmanager
async def terminal(url: str, *words: str) -> AsyncIterator[Person]:
    """Start the program at a pseudoterminal."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    command = [*PROGRAM, url, *words]
    program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=PLAIN, cwd=ROOT)  # noqa: ASYNC220
    try:
        yield Person(master, program)
        assert termios.tcgetattr(slave) == before, "the terminal is given back as it was"
    finally:
        program.kill()
        program.wait()
        os.close(master)
        os.close(slave)


async def met(partner: Client, word: str) -> None:
    """Find the one who searches by a word."""
    await partner.find([word])
    await partner.next(Matched)


async def test_two_talk_and_each_sees_when_the_other_types(url: str) -> None:
    async with Client(url) as partner, terminal(url, "--topics", "Pty One, tea") as me:
        await me.sees("Searching by Pty One, tea.")
        await met(partner, "pty one")
        await me.sees("In common: Pty One.")
        me.type("h")
        assert await partner.next(Typing) == Typing(True)
        me.type("ello\r")
        assert (await partner.next(Message)).text == "hello"
        await me.sees("You: hello")
        await partner.typing(True)
        await me.sees("(the stranger types) > ")
        await partner.say("hi \u202ethere\nsecond line")
        shown = await me.sees("second line")
        assert "Stranger: hi  there\n" in shown.replace("\r\n", "\n")
        assert "\u202e" not in me.seen
        assert "\x1b[1;36mStranger" in me.seen
        me.type("//slash\r")
        assert (await partner.next(Message)).text == "/slash"
        me.type("/report nonsense\r")
        await me.sees("/report and one of: minor")
        me.type("/report spam so many links\r")
        await me.sees("Reported.")
        me.type("/help\r")
        await me.sees(HELP.splitlines()[-1])
        me.type("\x04")
        assert await partner.next(Left) == Left("stranger")
        assert await me.ended() == 0


async def test_next_finds_another_and_a_stranger_who_left_is_said(url: str) -> None:
    async with Client(url) as one, Client(url) as two, terminal(url, "--topics", "pty next") as me:
        await me.sees("Searching")
        await met(one, "pty next")
        await me.sees("You talk to a stranger.")
        me.type("/next\r")
        assert await one.next(Left) == Left("stranger")
        await me.sees("Searching by pty next.")
        await met(two, "pty next")
        await me.sees("You talk to a stranger.")
        await two.leave()
        await me.sees("Enter: another one.")
        me.type("anybody?\r")
        await me.sees("You are in no chat.")
        me.type("/topics pty other, \r\r")
        await me.sees("Searching by pty other.")
        me.type("/quit\r")
        assert await me.ended() == 0


async def test_a_cut_connection_costs_no_line(server: Server, url: str) -> None:
    async with (
        Cutter(server.port) as network,
        Client(url) as partner,
        terminal(network.url, "--topics", "pty cut") as me,
    ):
        await me.sees("Searching")
        await met(partner, "pty cut")
        await me.sees("You talk to a stranger.")
        for cable in list(network.open):
            cable.cut()
        assert (await partner.next(Partner)).state == "away"
        await me.sees("Not connected")
        me.type("while away\r")
        await partner.say("missed")
        shown = await me.sees("Stranger: missed")
        assert "Connected again, in the same chat." in shown
        assert (await partner.next(Message)).text == "while away"
        me.type("\x04")
        assert await me.ended() == 0


async def test_a_pipe_delivers_its_lines_and_shows_the_strangers_alone(url: str) -> None:
    async with Client(url) as partner:
        await partner.find(["pipe"])
        program = await asyncio.create_subprocess_exec(
            *PROGRAM, url, "--topics", "pipe", "--stay", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=PLAIN, cwd=ROOT,
        )  # fmt: skip
        assert program.stdin is not None
        program.stdin.write("one\ntwö\n".encode())
        program.stdin.close()
        assert [(await partner.next(Message)).text for _ in range(2)] == ["one", "twö"]
        await partner.say("three")
        await partner.leave()
        async with asyncio.timeout(30):
            out, news = await program.communicate()
        assert (program.returncode, out) == (0, b"Stranger: three\n")
        assert b"The stranger left." in news
        assert b"\x1b" not in out + news


async def test_a_pipe_that_ends_has_delivered_all_and_leaves(url: str) -> None:
    async with Client(url) as partner:
        await partner.find(["pipe end"])
        lines = "".join(f"{number}\n" for number in range(60)).encode()
        program = await asyncio.create_subprocess_exec(
            *PROGRAM, url, "--topics", "pipe end", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=PLAIN, cwd=ROOT
        )
        assert program.stdin is not None
        program.stdin.write(lines)
        program.stdin.close()
        assert [(await partner.next(Message)).text for _ in range(60)] == [str(number) for number in range(60)]
        assert await partner.next(Left) == Left("stranger")
        assert await program.wait() == 0


async def test_an_address_where_nothing_is_ends_it_with_a_word(url: str) -> None:
    program = await asyncio.create_subprocess_exec(
        *PROGRAM, url.replace("/ws", "/other"), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=PLAIN, cwd=ROOT
    )
    _, news = await program.communicate()
    assert program.returncode == 1
    assert b"Closed: " in news


class Written:
    """A screen at which the user confirms what they are asked to. `live`: as a terminal."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self.shown: list[str] = []
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()

    def show(self, text: str, style: str = "") -> None:
        self.shown.append(text)
        if "/ok" in text:
            self.lines.put_nowait("/ok")

    def sign(self, text: str) -> None:
        """Show nothing."""

    def watch(self, typed: object) -> None:
        """Report nothing."""

    async def read(self) -> str | None:
        return await self.lines.get()


@pytest.mark.parametrize("live", [True, False], ids=["a terminal asks", "a pipe has nobody to ask"])
async def test_a_notice_is_shown_with_its_appeal_and_confirmed_before_the_search_goes_on(live: bool) -> None:
    heard: list[dict[str, object]] = []

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("serendip.v1",))
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 15})
        async for frame in socket:
            heard.append(json.loads(frame.data))
            kind, seen = heard[-1]["type"], any(one["type"] == "seen" for one in heard)
            if kind == "find" and not seen:
                await socket.send_json(NOTICE)
                await socket.send_json({"type": "error", "code": "notice", "message": "Read it first.", "of": "find"})
            elif kind == "find":
                await socket.send_json({"type": "error", "code": "banned", "message": "No.", "of": "find"})
                await socket.close(code=4003)
        return socket

    app = web.Application()
    app.router.add_get("/ws", serve)
    async with TestServer(app) as server, Client(f"ws://{server.host}:{server.port}/ws") as me, asyncio.timeout(30):
        site, screen = f"http://{server.host}:{server.port}", Written(live)
        assert await Talk(me, screen, TalkOptions()).run() == 1
    assert "From the moderators: Be kind. (R4, 2026-11-30)" in screen.shown
    assert f"Reasons and appeal: {site}/appeal/x" in screen.shown
    assert [one["type"] for one in heard if one["type"] != "find"] == ["seen"]


async def test_a_pipe_says_to_the_next_stranger_what_reached_the_last_one_too_late() -> None:
    async with FakeServer(raw=True) as server, Client(server.url) as me, asyncio.timeout(30):
        screen = Written(live=False)
        program = asyncio.create_task(Talk(me, screen, TalkOptions(again=True)).run())
        await server.connected()
        await server.tell({"type": "hello", "session": "s", "token": "t", "online": 2, "grace": 15})
        for chat, lines in (("c1", ["one", "two"]), ("c2", ["one", "two", "three"])):
            assert (await server.next())["type"] == "find"
            if chat == "c2":
                screen.lines.put_nowait("three")
            await server.tell({"type": "matched", "chat": chat, "role": "stranger", "common": [], "language": "en"})
            if chat == "c1":
                screen.lines.put_nowait("one")
                screen.lines.put_nowait("two")
            said = [await server.next() for _ in lines]
            assert [frame["text"] for frame in said] == lines
            if chat == "c1":  # the stranger left while they were on their way
                await server.tell({"type": "left", "by": "stranger"})
                for frame in said:
                    await server.tell(refusal("no_chat", frame["id"]))
        for seq, frame in enumerate(said, 1):
            await server.tell({"type": "sent", "id": frame["id"], "seq": seq})
        screen.lines.put_nowait(None)
        assert await program == 0
    assert not [line for line in screen.shown if line.startswith("Not sent")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"until": 1796115640, "rule": "R5", "network": False},
            "You are banned until 2026-12-01 09:00 UTC (R5). Adverts.",
        ),
        ({"network": True}, "Your network is banned until further notice. Adverts."),
    ],
)
async def test_a_ban_is_shown_with_its_reason_its_end_and_its_appeal(more: dict[str, object], said: str) -> None:
    ban = {
        "type": "error",
        "code": "banned",
        "message": "You are banned.",
        "reason": "Adverts.",
        "appeal": "/appeal/x",
        **more,
    }
    async with FakeServer(raw=True) as server, Client(server.url) as me, asyncio.timeout(30):
        screen = Written(live=False)
        program = asyncio.create_task(Talk(me, screen, TalkOptions()).run())
        await server.connected()
        await server.tell(ban)
        await server.drop(4003)
        assert await program == 1
    assert said in screen.shown
    assert f"Reasons and appeal: {server.url.replace('ws:', 'http:').removesuffix('/ws')}/appeal/x" in screen.shown


def refusal(code: str, id: str) -> dict[str, str]:
    """An error that refuses a line."""
    return {"type": "error", "code": code, "message": code, "of": "message", "id": id}


@pytest.mark.parametrize(("text", "found"), [("a, b ,,c", ["a", "b", "c"]), ("", []), (" , ", [])])
def test_topics_are_parted_by_commas(text: str, found: list[str]) -> None:
    assert topics(text) == found
