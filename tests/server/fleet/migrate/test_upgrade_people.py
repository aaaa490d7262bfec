"""Three upgrades of a real server in a row: what is known of each person and of their connection goes along, as do new settings."""

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.ops.process.control_socket import ask
from tests.server.fleet.migrate.upgrades import Deployed, Person, Talk, deployed, meet, people
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(600)]  # runs a server and waits for it
TEXT = "\N{GRINNING FACE}" * 1_990
SETTINGS = {
    "SERENDIP_LIMITS__ENABLED": "true",
    "SERENDIP_LIMITS__FIND_BURST": "3",
    "SERENDIP_LIMITS__FIND_RATE": "0.01",
    "SERENDIP_LIMITS__MESSAGE_BURST": "100000",  # two hundred a second are said, for as long as this takes on a busy machine
    "SERENDIP_MATCHING__ANY_AFTER": "2",
    "SERENDIP_MATCHING__ANYONE_AFTER": "6",
    "SERENDIP_SAFETY__MODERATED": "true",
}


async def operate(data: Path, *words: str) -> str:
    """A command of `serendip safety`; what it prints."""
    command = [sys.executable, "-c", START, "safety", *words, "--data", str(data)]
    ran = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = await asyncio.wait_for(ran.communicate(), 60)
    assert ran.returncode == 0, out
    return out.decode()


def frame(first: int, text: bytes) -> bytes:
    """A frame of a client, of less than 126 bytes."""
    return bytes([first, 0x80 | len(text), 0, 0, 0, 0]) + text


def wire(person: Person) -> asyncio.Transport:
    """The connection below a WebSocket."""
    connection = person.socket._response.connection
    assert connection is not None
    assert isinstance(connection.transport, asyncio.Transport)
    return connection.transport


class Wires:
    """Connections in the middle of something: who takes nothing, a message in pieces, half a frame."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http = http
        self._port = port

    async def begin(self) -> None:
        """All of it."""
        self.deaf, self.talker = await meet(self._http, self._port, "deaf")
        wire(self.deaf).pause_reading()
        self.taken = 0
        while True:
            await self.talker.say("message", text=f"{self.taken} {TEXT}", id=str(self.taken))
            if (await self.talker.hear("sent", "error"))["type"] == "error":
                break
            self.taken += 1
        self.pieces, self.half, self.typist = [await meet(self._http, self._port, word) for word in ("a", "b", "c")]
        wire(self.pieces[0]).write(frame(0x01, b'{"type":"message",'))
        wire(self.half[0]).write(frame(0x81, b'{"type":"message","text":"of two halves"}')[:20])
        wire(self.typist[0]).write(frame(0x81, b'{"type":"typing","typing":true}')[:3])

    async def go_on(self) -> None:
        """What was begun is finished, over the same connections."""
        wire(self.deaf).resume_reading()
        heard = [(await self.deaf.hear("message", "left", "error")).get("text", "") for _ in range(self.taken)]
        assert [text.partition(" ")[0] for text in heard] == [str(number) for number in range(self.taken)]
        wire(self.pieces[0]).write(frame(0x80, b'"text":"in pieces"}'))
        assert (await self.pieces[1].hear("message"))["text"] == "in pieces"
        wire(self.half[0]).write(frame(0x81, b'{"type":"message","text":"of two halves"}')[20:])
        assert (await self.half[1].hear("message"))["text"] == "of two halves"
        wire(self.typist[0]).write(frame(0x81, b'{"type":"typing","typing":true}')[3:])
        assert (await self.typist[1].hear("typing"))["typing"] is True
        await self.talker.say("message", text="the last", id="last")
        assert (await self.deaf.hear("message"))["text"] == "the last"
        assert (await self.talker.hear("sent", "error"))["type"] == "sent"


class Known:
    """What is known of people: limits that are used up, whom they met and reported, how long they have waited, what they must read."""

    def __init__(self, stack: AsyncExitStack, server: Deployed) -> None:
        self._stack = stack
        self._server = server

    async def _browser(self, address: str, *, cookie: bool = True) -> aiohttp.ClientSession:
        """Somebody with a network, and a cookie or none."""
        url = f"http://127.0.0.1:{self._server.port}/"
        http = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(local_addr=(address, 0)), cookie_jar=aiohttp.CookieJar(unsafe=True)
            )
        )
        if cookie:
            async with http.get(url) as answer:
                assert answer.status == 200
        return http

    async def begin(self, http: aiohttp.ClientSession) -> None:
        """All of it; `http`: without a cookie."""
        port = self._server.port
        self._http, self._port = http, port
        self.eager, self.old, step = await people(http, port, 3)
        await self.old.say("find", interests=["age"], language="is")
        for _ in range(3):
            await self.eager.say("find", interests=["eager"], language="mt", strict=True)
            await self.eager.hear("waiting")
        await self.eager.say("find", strict=True)
        assert (await self.eager.hear("error"))["code"] == "too_fast"
        self.met = await meet(http, port, "met")
        await self.met[0].say("leave")
        await self.met[1].hear("left")
        self.browsers = [await self._browser(f"127.{network}.0.1") for network in (5, 6, 7)]
        reporter, reported = await self._again()
        await reporter.say("report", reason="hate")
        await reporter.hear("reported")
        for person in (reporter, reported):  # they are gone, and known all the same
            await person.socket.close()
        self.warned = await meet(http, port, "warned")
        self.banned = await self._meet(self.browsers[2], "banned")
        self.later = await self._meet(await self._browser("127.8.0.1", cookie=False), "later")
        for pair, reason in ((self.warned, "spam"), (self.banned, "threat"), (self.later, "other")):
            await pair[0].say("message", text="buy my gold")
            await pair[1].hear("message")
            await pair[1].say("report", reason=reason)
            await pair[1].hear("reported")
        await self._decided()
        await self._until(self.old, "any")
        await step.say("find", interests=["step"], language="mt")
        await self._until(step, "any")  # the old one has waited for four seconds, and is to wait two more

    async def _meet(self, browser: aiohttp.ClientSession, word: str) -> tuple[Person, Person]:
        """Somebody who is seen from elsewhere, and a partner."""
        both = await Person(browser, self._port).open(), (await people(self._http, self._port, 1))[0]
        for person in both:
            await person.say("find", interests=[word], strict=True)
        for person in both:
            await person.hear("matched")
        return both

    async def _again(self, matched: bool = True) -> list[Person]:
        """The two with cookies look for each other."""
        both = [await Person(browser, self._port).open() for browser in self.browsers[:2]]
        for person in both:
            await person.say("find", interests=["the other"], strict=True)
        for person in both:
            assert await person.hear("waiting" if not matched else "matched")
        return both

    async def _decided(self) -> None:
        """The warning is there before, the ban comes later."""
        async with asyncio.timeout(30):
            while len(found := json.loads(await operate(self._server.data, "cases", "--json"))) < 4:
                pass  # a report is filed as soon as it can be
        self.cases = {one["reasons"][0]: one["id"] for one in found}
        await self.decide("spam", "warning")
        self.notice = (await self.warned[0].hear("notice"))["id"]

    async def decide(self, reason: str, measure: str) -> None:
        """What comes of the report with this reason."""
        words = ("--measure", measure, "--rule", "R5", "--operator", "ada", "--why", "adverts")
        await operate(self._server.data, "decide", self.cases[reason], *words)

    async def go_on(self) -> None:
        """All of it holds."""
        young = (await people(self._http, self._port, 1))[0]
        await young.say("find", interests=["young"], language="fo")
        steps = (self.old, "anyone"), (young, "any")
        ages = [asyncio.create_task(self._until(person, accepts)) for person, accepts in steps]
        await self.eager.say("find", strict=True)
        assert (await self.eager.hear("error"))["code"] == "too_fast"
        await self._apart(list(self.met), "met")
        await self._apart(await self._again(matched=False), "the other")
        warned = self.warned[0]
        await warned.say("leave")
        await warned.say("find", interests=["more"], strict=True)
        assert (await warned.hear("waiting", "error"))["code"] == "notice"
        await warned.say("seen", id=self.notice)
        await warned.say("find", interests=["more"], strict=True)
        assert (await warned.hear("waiting", "error"))["type"] == "waiting"
        await asyncio.wait(ages, return_when=asyncio.FIRST_COMPLETED)
        assert ages[0].done()
        await asyncio.gather(*ages)

    async def _apart(self, both: list[Person], word: str) -> None:
        """Who are not to meet again do not, though each meets somebody else."""
        third = (await people(self._http, self._port, 1))[0]
        for person in both:
            await person.say("find", interests=[word], strict=True)
            assert (await person.hear("waiting", "matched"))["type"] == "waiting"
        await third.say("find", interests=[word], strict=True)
        assert (await third.hear("waiting", "matched"))["type"] == "matched"

    async def _until(self, person: Person, accepts: str) -> None:
        while (await person.hear("waiting"))["accepts"] != accepts:
            pass

    async def are_told(self) -> None:
        """Who was banned in the middle of it, and the partner; who has no cookie, is warned now, and was reported in the first process."""
        await self.decide("other", "warning")
        await self.later[0].hear("notice")
        banned, partner = self.banned
        assert (await banned.hear("error"))["code"] == "banned"
        assert (await partner.hear("left"))["by"] == "moderation"


def otherwise(folder: Path, words: str) -> Path:
    """This server with another command line."""
    file = folder / "otherwise"
    file.write_text(f'#!/bin/sh\ncd "{ROOT}"\nexec "{sys.executable}" -c "{START}" {words}\n')
    file.chmod(0o755)
    return file


async def test_what_is_known_of_people_and_new_settings_go_through_three_upgrades(tmp_path: Path) -> None:
    config = tmp_path / "serendip.toml"
    config.write_text("[session]\ngrace = 20\n")
    async with (
        deployed(tmp_path, SERENDIP_CONFIG=str(config), **SETTINGS) as server,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        talks = [Talk(*await meet(http, server.port, f"talk {number}")) for number in range(5)]
        wires, known = Wires(http, server.port), Known(stack, server)
        await known.begin(http)

        port = otherwise(tmp_path, f"serve --port 1 --data {server.data}")
        status, done = await server.upgrade(port)
        assert (status, done["done"]) == (1, False)
        assert done["said"].startswith("server: the running server listens on"), done
        assert done["said"].endswith("this needs a restart")
        assert len(server.events("upgrade.begun")) == 0

        config.write_text("[session]\ngrace = 33\n")
        await wires.begin()  # now: who takes nothing for 20 s is cut
        (status, done), _ = await asyncio.gather(server.upgrade(), known.decide("threat", "ban"))
        assert (status, done["done"]) == (0, True), done
        await wires.go_on()
        await known.are_told()
        await known.go_on()
        assert await asyncio.to_thread(asked_twice, server.data) == [True, "an upgrade is under way already"]
        assert (await server.upgrade())[0] == 0
        assert (await Person(http, server.port).greeted())["grace"] == 33
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        assert server.events("worker.fault") == server.events("task.failed") == server.events("loop.fault") == []
        assert await server.status() == 0
    assert len(server.events("server.stopped")) == 4


def asked_twice(data: Path) -> list[Any]:
    """An upgrade, and what is said to who asks for another meanwhile."""
    first = ask(data, {"do": "upgrade"})
    assert next(first)["step"] == "starting"
    *_, refused = ask(data, {"do": "upgrade"})
    *_, done = first
    return [done["done"], refused["said"]]
