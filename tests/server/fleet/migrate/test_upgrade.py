"""An upgrade of a real server: whatever people do meanwhile goes on, and a failure changes nothing."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from server.fleet.migrate import migration_order as batches
from tests.server.data.store.test_store_runner import figures
from tests.server.fleet.migrate.upgrades import Person, Talk, deployed, meet, people
from tests.server.ops.process.lives import gone
from tests.support.forkserver import START, forked

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and waits for them
PAIRS = 20
BATCH = batches.BATCH // 2  # chats in one message


async def test_whatever_people_do_goes_on_through_two_upgrades(tmp_path: Path) -> None:
    async with deployed(tmp_path, SERENDIP_SESSION__GRACE="120") as server, aiohttp.ClientSession() as http:
        port = server.port
        talks = [Talk(*await meet(http, port, f"pair {number}")) for number in range(PAIRS)]
        states = await States(http, port).begin()
        answers: set[int] = set()
        asking = asyncio.create_task(ask_whether_ready(http, port, answers))
        first, done = await server.upgrade()
        assert (first, done["done"]) == (0, True), done
        assert done["chats"] == PAIRS + states.chats
        assert done["people"] == PAIRS * 2 + states.people
        await states.go_on()
        second, again = await server.upgrade()
        assert (second, again["people"]) == (0, PAIRS * 2 + states.left), again
        assert not asking.done()
        asking.cancel()
        assert answers == {200}
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        await states.all_here()
        found = await figures(server)
        assert found["serendip_migrations_total"] == found["serendip_connections"]
        assert found["serendip_upgrade_sessions_left"] == 0
        assert found["serendip_migration_seconds_count"] > 0
        assert len({line["pid"] for line in server.events("server.ready")}) == 3
        assert server.events("worker.fault") == server.events("task.failed") == server.events("loop.fault") == []
        assert await server.status() == 0
    assert len(server.events("server.stopped")) == 3


async def ask_whether_ready(http: aiohttp.ClientSession, port: int, answers: set[int]) -> None:
    """As a balancer asks, over a connection of its own each time, without a pause."""
    while True:
        async with http.get(f"http://127.0.0.1:{port}/readyz", headers={"Connection": "close"}) as answer:
            answers.add(answer.status)


class States:
    """Somebody in every state that a deploy may meet."""

    people, chats = 11, 4
    left = 9  # of them after `go_on`

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http = http
        self._port = port

    async def begin(self) -> "States":
        http, port = self._http, self._port
        self.idle, self.waiting, self.asker, *self.discuss = await people(http, port, 5)
        await self.waiting.say("find", interests=["patience"], strict=True)
        await self.waiting.hear("waiting")
        await self.asker.say("find", role="spy", question="what is the meaning of this?")
        for person in self.discuss:
            await person.say("find", role="discuss")
        for person in (self.asker, *self.discuss):
            await person.hear("matched")
        self.away, self.partner = await meet(http, port, "away")
        await self.partner.say("message", text="before")
        self.last = (await self.away.hear("message"))["seq"]
        self.away.cut()
        assert (await self.partner.hear("partner"))["state"] == "away"
        await self.partner.say("message", text="missed")
        self.caller, self.called = await meet(http, port, "video", mode="video")
        await self.caller.say("signal", description={"type": "offer", "sdp": "v=0\r\n"})
        await self.called.hear("signal")
        self.past = await meet(http, port, "save")
        await self.past[0].say("message", text="to be kept")
        await self.past[1].hear("message")
        self.raw = await asyncio.open_connection("127.0.0.1", port)
        await self.page()
        return self

    async def page(self) -> None:
        """A request over the one connection of HTTP."""
        reader, writer = self.raw
        writer.write(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 200")
        size = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        await reader.readexactly(size)

    async def all_here(self) -> None:
        """Everybody's connection is open."""
        here = (self.idle, self.waiting, self.other, self.back, self.partner, self.caller, self.called, *self.past)
        assert len(here) == self.left
        self.raw[1].close()
        await self.raw[1].wait_closed()
        for place, person in enumerate(here):
            await person.say("ping")
            try:
                await person.hear("pong")
            except TypeError:
                raise AssertionError(f"{place} was cut") from None

    async def go_on(self) -> None:
        """All that was begun is to be had still."""
        await self.idle.say("ping")
        await self.idle.hear("pong")
        await self.page()
        self.other = other = await Person(self._http, self._port).open()
        await other.say("find", interests=["patience"], strict=True)
        for person in (self.waiting, other):
            assert (await person.hear("matched"))["common"] == ["patience"]
        await self.discuss[0].say("message", text="well")
        for person in (self.asker, self.discuss[1]):
            assert (await person.hear("message"))["text"] == "well"
        self.back = back = await Person(self._http, self._port).open()
        await back.say("resume", token=self.away.token, last=self.last)
        assert (await back.hear("resumed", "error"))["missed"] == 1
        assert (await back.hear("message"))["text"] == "missed"
        assert (await self.partner.hear("partner"))["state"] == "back"
        await self.called.say("signal", description={"type": "answer", "sdp": "v=0\r\n"})
        assert (await self.caller.hear("signal"))["description"]["type"] == "answer"
        saver, partner = self.past
        await partner.say("message", text="after")
        await saver.hear("message")
        await saver.say("save")
        url = (await saver.hear("saved", "error"))["url"]
        async with self._http.get(f"http://127.0.0.1:{self._port}{url}") as log:
            page = await log.text()
        assert "to be kept" in page
        assert "after" in page
        await partner.say("leave")
        assert (await saver.hear("left"))["by"] == "stranger"
        for person in (self.asker, *self.discuss):
            await person.socket.close(code=1000)


def program(folder: Path, text: str) -> Path:
    """A program of two lines."""
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


async def test_a_successor_that_cannot_serve_changes_nothing_and_its_reason_is_told(tmp_path: Path) -> None:
    config = tmp_path / "serendip.toml"
    config.write_text("[server]\ngrace = 1\n"[:9])
    async with deployed(tmp_path, SERENDIP_CONFIG=str(config)) as server, aiohttp.ClientSession() as http:
        talk = Talk(*await meet(http, server.port, "all the while"))
        for file, said in (
            (program(tmp_path, "echo no module >&2; exit 3"), "the new process ended (status 3)"),
            (tmp_path / "none", ""),
        ):
            if file.exists():
                told = {"done": False, "said": f"{said}; its log says why", "printed": ["no module"]}
                assert await server.upgrade(file) == (1, told)
        config.write_text('[safety]\nhelp_file = "/nowhere/help.toml"\n')
        status, done = await server.upgrade()
        assert (status, done["done"]) == (1, False)
        assert done["said"].startswith("safety.help_file"), done
        config.write_text("[server]\nhots = 1\n")
        status, done = await server.upgrade()
        assert status == 1
        assert "server.hots" in done["said"], done
        config.write_text("[server]\nport = 1\n")  # the port stands on the command line
        assert (await server.upgrade())[0] == 0
        heard, wrong = await talk.end()
        assert wrong == []
        assert heard > 0


async def test_both_end_where_a_stop_comes_in_the_middle(tmp_path: Path) -> None:
    async with deployed(tmp_path, SERENDIP_SERVER__DRAIN="3") as server, aiohttp.ClientSession() as http:
        here = await people(http, server.port, 60)
        asked = asyncio.create_task(server.upgrade())
        await server.told("upgrade.begun")
        assert await server.status() == 0
        for person in here:
            with pytest.raises(TypeError):  # a close and no text
                await person.hear("nothing")
            assert person.socket.close_code == 1012
        await asked


async def test_a_line_of_the_log_says_how_an_upgrade_went(tmp_path: Path) -> None:
    async with deployed(tmp_path) as server, aiohttp.ClientSession() as http:
        talk = Talk(*await meet(http, server.port, "logged"))
        await server.upgrade()
        await talk.end()
        begun, taken = await server.told("upgrade.begun"), await server.told("upgrade.taken")
        ended = await server.told("upgrade.ended")
        assert begun["online"] == 2
        assert (taken["people"], taken["chats"], ended["people"], ended["chats"]) == (2, 1, 2, 1)
        assert ended["stayed"] == 0
        os.kill(begun["pid"], signal.SIGKILL)
        assert await asyncio.to_thread(server._process.wait, 20) == 128 + signal.SIGKILL


async def test_a_successor_that_dies_while_the_last_request_is_answered_ends_it_as_one_that_dies_later(
    tmp_path: Path,
) -> None:
    async with deployed(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"POST /send HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")
        assert (await server.upgrade())[0] == 0
        newest = (await server.told("upgrade.begun"))["pid"]
        os.kill(newest, signal.SIGKILL)
        await asyncio.to_thread(gone, newest)
        writer.write(b"id=x")
        assert await asyncio.to_thread(server._process.wait, 20) == 128 + signal.SIGKILL
        writer.close()


# Whoever ends sends itself a signal when it hears nothing any more: one process, or the one of several that started the others.
TOLD_LATE = forked(
    """
import os, signal
from server.main import single_process_server as main
from server.fleet.supervisor import supervisor

class Late:
    def __getattr__(self, name):
        return getattr(kept, name)

    def info(self, event, **more):
        kept.info(event, **more)
        if event == "server.stopped":
            os.kill(os.getpid(), signal.SIGTERM)

def over(orders):
    was_over(orders)
    os.kill(os.getpid(), signal.SIGTERM)

kept, main.logger = main.logger, Late()
was_over, supervisor.OperatorOrders.over = supervisor.OperatorOrders.over, over
"""
    + START
)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_signal_that_comes_as_the_loop_ends_is_the_successor_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setattr("tests.server.data.privacy.drive.START", TOLD_LATE)
    async with deployed(tmp_path, SERENDIP_WORKERS=workers) as server:
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done
        assert await asyncio.to_thread(server._process.wait, 60) == 0
