"""An upgrade of a real server: programs of Omegle's protocol and college checks go on, and each chat has one record."""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server.fleet.migrate.programs import Programs, said, starts
from tests.server.fleet.migrate.upgrades import Deployed, Person, Talk, deployed, meet
from tests.server.site.college.conftest import Box, Browser, Post, code_of, link_of

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs a server and waits for it


@pytest.fixture
def box() -> Iterator[Box]:
    """A mail server."""
    box = Box()
    controller = Post(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


class College:
    """Four browsers: two have their proof and chat by it, one has the code, one the link."""

    chats = 2  # before and after

    def __init__(self, http: aiohttp.ClientSession, port: int, box: Box) -> None:
        self._http = http
        self._port = port
        self._box = box
        self.browsers: list[Browser] = []

    async def begin(self) -> None:
        """Two chat, two have a mail."""
        for _ in range(4):
            await self._browser()
        one, two, typed, linked = self.browsers
        self.chat = await self._chat(await one.proved("a@uio.no"), await two.proved("b@ntnu.no"))
        self.code = code_of(await typed.mailed("c@uio.no"))
        self.link = link_of(await linked.mailed("d@mit.edu"))

    async def _browser(self) -> None:
        session = aiohttp.ClientSession(f"http://127.0.0.1:{self._port}/", cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.browsers.append(Browser(session, self._box, "127.0.0.1"))
        async with session.get("/") as answer:
            assert answer.status == 200

    async def _chat(self, *proofs: str) -> tuple[Person, Person]:
        one, two = [await Person(self._http, self._port).open() for _ in proofs]
        for person, proof in zip((one, two), proofs, strict=True):
            await person.say("find", college="any", proof=proof)
        self.met = {(await person.hear("matched", "error")).get("college") for person in (one, two)}
        return one, two

    async def goes_on(self) -> None:
        """The code is typed, a wrong one counts on, the link is pressed, and who proved it meet."""
        assert self.met == {"uio.no", "ntnu.no"}
        one, two = self.chat
        await one.say("message", text="go bears")
        assert (await two.hear("message"))["text"] == "go bears"
        _, _, typed, linked = self.browsers
        wrong = f"{(int(self.code) + 1) % 1_000_000:06d}"
        assert await typed.ask("code", code=wrong) == (403, {"error": "wrong", "tries": 4})
        status, proof = await typed.ask("code", code=self.code)
        assert (status, proof.get("domain")) == (200, "uio.no")
        async with linked.web.post(self.link) as answer:
            assert "You are in: mit.edu" in await answer.text()
        status, claimed = await linked.ask("claim")
        assert (status, claimed.get("domain")) == (200, "mit.edu")
        assert (await typed.ask("mail", address="d@mit.edu"))[0] == 429  # one mail an address and hour
        await self._chat(proof["proof"], claimed["proof"])
        assert self.met == {"uio.no", "mit.edu"}

    async def close(self) -> None:
        """Close the browsers."""
        for browser in self.browsers:
            await browser.web.close()


class Churn:
    """Two by two people come, meet, talk and part, until they are told to stop; `count`: chats that are over."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self.count = 0
        self._http = http
        self._port = port
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self._run(number)) for number in range(4)]

    async def _run(self, number: int) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1  # and other people: nobody meets the same again
            one, two = await meet(self._http, self._port, f"churn {number} {turn}")
            await one.say("message", text="bye")
            await two.hear("message")
            await two.say("leave")
            await one.hear("left")
            for person in (one, two):
                await person.socket.close()
            self.count += 1

    async def ends(self) -> int:
        """Stop; how many chats there were."""
        self._stop.set()
        await asyncio.gather(*self._tasks)
        return self.count


async def test_who_wants_a_log_in_the_midst_of_an_upgrade_gets_the_server_s_own(tmp_path: Path) -> None:
    """The old process stands still, with the chats that were over before: the new one asks it, and waits for its answer."""
    async with deployed(tmp_path, HANDOVER_FAULT="begin:1:stop") as server, AsyncExitStack() as stack:
        programs = Programs(server.port)
        stack.push_async_callback(programs.close)
        one, two = await programs.pair("over", randid="ABCDEFGH")
        await one.post("/send", msg="of the server's own")
        await two.until("gotMessage")
        await one.post("/disconnect")
        upgrading = asyncio.create_task(server.upgrade())
        while state_of(server.pid) != "T":  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        account = {"randid": "ABCDEFGH", "log": '[["You:", "an account"]]'}
        asking, after = programs.make(), programs.make()
        wanted = asyncio.create_task(asking.post("/generate", **account))
        await starts(
            after, ["waiting"], topics='["patience"]'
        )  # so the new process serves, and has the request before this one
        os.kill(server.pid, signal.SIGCONT)
        async with after.web.get(re.findall(r'href="([^"]+)"', await wanted)[0], params={"as": "text"}) as answer:
            log = await answer.text()
        assert "of the server's own" in log
        assert "an account" not in log
        status, done = await upgrading
        assert (status, done["done"]) == (0, True), done
        assert server.events("migration.refused") == server.events("loop.fault") == []
        assert await server.status() == 0


def state_of(pid: int) -> str:
    """Of a process, as the kernel has it: `T` where it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def counted(server: Deployed) -> tuple[int, int]:
    """Chats and people in the database."""
    with closing(sqlite3.connect(server.data / "serendip.db")) as database:
        chats, people = database.execute("SELECT (SELECT count(*) FROM chat), (SELECT count(*) FROM party)").fetchone()
    return chats, people


async def test_programs_and_checks_go_on_and_each_chat_has_one_record(tmp_path: Path, box: Box) -> None:
    await programs_and_checks_go_on(tmp_path, box, Deployed)


async def programs_and_checks_go_on(folder: Path, box: Box, kind: type[Deployed], **more: str) -> None:
    """Upgrade a server of this kind while they are there."""
    settings: dict[str, Any] = {
        **more,
        "SERENDIP_MAIL__HOST": "127.0.0.1",
        "SERENDIP_MAIL__PORT": str(box.port),
        "SERENDIP_MAIL__SECURITY": "none",
        "SERENDIP_MAIL__SENDER": "Serendip <hello@chat.example>",
        "SERENDIP_OMEGLE__HOLD": "25",
    }
    async with deployed(folder, kind, **settings) as server, aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        programs, college = Programs(server.port), College(http, server.port, box)
        for part in (programs, college):
            stack.push_async_callback(part.close)
            await part.begin()
        mixed = programs.make()
        native = await Person(http, server.port).open()
        await native.say("find", interests=["tidal pools"], strict=True)
        await native.hear("waiting")
        await starts(mixed, ["connected"], topics='["tidal pools"]')
        await native.hear("matched")
        churn = Churn(http, server.port)
        talk = Talk(*await meet(http, server.port, "all the while"))
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done
        await programs.goes_on()
        await college.goes_on()
        await native.say("message", text="hello")
        assert await mixed.events() == said("hello")
        await mixed.post("/send", msg="hello yourself")
        assert (await native.hear("message"))["text"] == "hello yourself"
        await mixed.post("/disconnect")
        assert (await native.hear("left"))["by"] == "stranger"
        ended = await churn.ends()
        heard, wrong = await talk.end()
        assert wrong == []
        assert heard > 0
        assert server.events("worker.fault") == server.events("task.failed") == server.events("loop.fault") == []
        assert server.events("migration.refused") == []
        assert await server.status() == 0
        ended += Programs.chats + College.chats + 2
        assert counted(server) == (ended, 2 * ended)
