"""Several processes of one host as a person meets them: who meets whom, and what the death of each costs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.server.fleet.migrate.upgrades import Deployed, Person, deployed, meet, people

HOST = {"SERENDIP_WORKERS": "2", "SERENDIP_STORE__ENABLED": "false", "SERENDIP_METRICS__PORT": "0"}


class Several(Deployed):
    """A server of several processes."""

    def pid_of(self, process: str) -> int:
        """The one of that name that runs now."""
        return int(next(line["pid"] for line in reversed(self.events("process.ready")) if line["process"] == process))

    @property
    def newest(self) -> int:
        """The supervisor that serves now."""
        return int(self.events("server.ready")[-1]["pid"])

    async def kill(self, process: str, how: signal.Signals = signal.SIGKILL) -> None:
        """By a signal, and wait until another one serves in its place."""
        before = len([line for line in self.events("process.ready") if line["process"] == process])
        os.kill(self.pid_of(process), how)
        async with asyncio.timeout(30):
            while len([line for line in self.events("process.ready") if line["process"] == process]) == before:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    def end(self) -> None:
        self.pids |= {line["pid"] for line in self.events("process.ready")}
        super().end()


@asynccontextmanager
async def several(folder: Path, **settings: str) -> AsyncIterator[Several]:
    """A host that is ready."""
    async with deployed(folder, Several, **{**HOST, **settings}) as server:
        assert isinstance(server, Several)
        async with asyncio.timeout(30):  # each process writes its line itself, perhaps after `server.ready`
            while not {"frontend", "hub", "worker 1"} <= {line["process"] for line in server.events("process.ready")}:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        yield server


async def talk(one: Person, two: Person) -> None:
    """Each hears the other."""
    for speaker, hearer, text in ((one, two, "hello"), (two, one, "hello yourself")):
        await speaker.say("message", text=text)
        assert (await hearer.hear("message"))["text"] == text


async def comes(http: aiohttp.ClientSession, url: str, wanted: str) -> None:
    """Wait until an answer says this: figures of other processes are a moment old. If none does, tell what the last one said of it."""
    said, ends = "", asyncio.get_running_loop().time() + 20
    while wanted not in said:
        name = wanted.partition(" ")[0]
        assert asyncio.get_running_loop().time() < ends, [line for line in said.splitlines() if line.startswith(name)]
        async with http.get(url) as answer:
            said = await answer.text()


async def test_whoever_looks_meets_whoever_looks_and_pages_are_served(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        crowd = await people(http, server.port, 40)
        await asyncio.gather(*[person.say("find", interests=["sailing"]) for person in crowd])
        said = await asyncio.gather(*[person.hear("matched") for person in crowd])
        chats: dict[str, list[Person]] = {}
        for person, matched in zip(crowd, said, strict=True):
            assert matched["common"] == ["sailing"]
            chats.setdefault(matched["chat"], []).append(person)
        assert {len(pair) for pair in chats.values()} == {2}
        await asyncio.gather(*[talk(*pair) for pair in chats.values()])
        for one, two in chats.values():  # of both workers
            await one.say("message", text="add me on snap")
            assert (await two.hear("tip"))["kind"] == "contact"
        async with http.get(f"http://127.0.0.1:{server.port}/") as page:
            assert page.status == 200
        await comes(http, f"http://127.0.0.1:{server.port}/api/status", '"online": 40,')
        port = server.events("metrics.ready")[0]["port"]
        await comes(http, f"http://127.0.0.1:{port}/metrics", "serendip_connections 40.0")
        await comes(http, f"http://127.0.0.1:{port}/metrics", 'serendip_tickets_total{outcome="matched"} 40.0')
        assert {line["process"] for line in server.events("process.ready")} == {
            "hub",
            "frontend",
            "worker 1",
            "worker 2",
        }
        assert await server.status() == 0


async def test_three_of_a_question_meet(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        spies = await people(http, server.port, 6)
        others = await people(http, server.port, 12)
        for spy in spies:
            await spy.say("find", role="spy", question="Why is it so at all?")
        for other in others:
            await other.say("find", role="discuss")
        said = await asyncio.gather(*[person.hear("matched") for person in [*spies, *others]])
        chats = [matched["chat"] for matched in said]
        assert {chats.count(chat) for chat in chats} == {3}


async def test_a_hub_that_is_killed_costs_nobody_their_place(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pairs = [await meet(http, server.port, f"word {n}") for n in range(4)]
        waiting = await people(http, server.port, 2)
        await waiting[0].say("find", interests=["sailing"], strict=True)
        await waiting[0].hear("waiting")
        await server.kill("hub")
        await waiting[1].say("find", interests=["sailing"], strict=True)
        for person in waiting:
            await person.hear("matched")
        await asyncio.gather(talk(*waiting), *[talk(*pair) for pair in pairs])


async def test_a_frontend_that_is_killed_costs_no_chat(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pair = await meet(http, server.port, "sailing")
        await server.kill("frontend")
        await talk(*pair)
        async with http.get(f"http://127.0.0.1:{server.port}/") as page:
            assert page.status == 200
        await talk(*await meet(http, server.port, "jazz"))


async def test_a_worker_that_is_killed_takes_its_chats_whole_and_no_others(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pairs = [await meet(http, server.port, f"word {n}") for n in range(8)]
        await server.kill("worker 1")
        here = [[await is_here(person) for person in pair] for pair in pairs]
        assert all(one == other for one, other in here), "nobody is left half in a chat"
        for pair, (lives, _) in zip(pairs, here, strict=True):
            if lives:
                await talk(*pair)
        await talk(*await meet(http, server.port, "afterwards"))


async def is_here(person: Person) -> bool:
    """Whether a connection is answered."""
    try:
        await person.say("ping")
        await person.hear("pong")
    except (ConnectionError, TypeError):  # closed, which is no text
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_at_the_end_everybody_is_told_to_come_back(tmp_path: Path, number: signal.Signals) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        crowd = await people(http, server.port, 4)
        ending = asyncio.create_task(server.status(number))
        for person in crowd:
            assert (await person.hear("error"))["code"] == "restart"
        assert await ending == 0


async def test_without_a_supervisor_nobody_goes_on_unseen(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        crowd = await people(http, server.port, 2)
        os.kill(server.pid, signal.SIGKILL)
        for person in crowd:
            assert (await person.hear("error"))["code"] == "restart"
        await server.told("process.stopped", 4)


async def test_a_supervisor_that_is_stopped_is_named_by_the_health_check(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        ready = f"http://127.0.0.1:{server.port}/readyz"
        os.kill(server.pid, signal.SIGSTOP)
        try:
            await comes(http, ready, f"kill -CONT {server.pid}")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await comes(http, ready, '"degraded":[]')


async def test_a_worker_that_hangs_is_killed_and_costs_its_own_chats_alone(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pairs = [await meet(http, server.port, f"word {n}") for n in range(8)]
        await server.kill("worker 1", signal.SIGSTOP)
        for one, other in pairs:
            lives = await is_here(one)
            assert await is_here(other) == lives
            if lives:
                await talk(one, other)
        (died,) = server.events("process.died")
        assert (died["process"], died["why"]) == ("worker 1", "hung")
        await talk(*await meet(http, server.port, "afterwards"))


async def test_who_comes_back_finds_their_session_wherever_it_is(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pairs = [await meet(http, server.port, f"word {n}") for n in range(6)]
        for one, two in pairs:
            one.cut()
            await two.say("message", text="are you there?")
            back = await Person(http, server.port).open()
            await back.say("resume", token=one.token, last=0)
            assert (await back.hear("resumed", "error"))["type"] == "resumed"
            assert (await back.hear("message"))["text"] == "are you there?"
            await talk(back, two)
        stranger = await Person(http, server.port).open()
        await stranger.say("resume", token=pairs[0][0].token, last=0)
        assert (await stranger.hear("resumed", "error"))["code"] == "no_session"
        await stranger.say("find", interests=["alone"], strict=True)
        await stranger.hear("waiting")


async def test_an_address_has_its_limit_over_all_workers(tmp_path: Path) -> None:
    limits = {"SERENDIP_LIMITS__ENABLED": "true", "SERENDIP_LIMITS__CONNECTIONS": "10"}
    async with several(tmp_path, **limits) as server, aiohttp.ClientSession() as http:
        for _ in range(2):  # what a worker that was killed had open is not counted any more
            opened = [await Person(http, server.port).open() for _ in range(10)]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await Person(http, server.port).open()
            for process in ("worker 1", "worker 2"):
                await server.kill(process)
            assert not any([await is_here(person) for person in opened])


async def let_in(http: aiohttp.ClientSession, port: int, host: str) -> bool:
    """Whether somebody comes in by that name of the server."""
    head = {"Host": host, "Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    async with http.get(f"http://127.0.0.1:{port}/ws", headers={**head, **key}) as answer:
        assert answer.status in (101, 421)
        answer.close()
        return answer.status == 101


async def test_sighup_ends_nobody_and_every_process_takes_up_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text('[server]\nhosts = ["127.0.0.1", "old.example"]\n')
    async with several(tmp_path, SERENDIP_CONFIG=str(file)) as server, aiohttp.ClientSession() as http:
        pair = await meet(http, server.port, "sailing")
        assert await let_in(http, server.port, "old.example")
        assert not await let_in(http, server.port, "new.example")
        file.write_text('[server]\nhosts = ["127.0.0.1", "new.example"]\n')
        os.kill(server.newest, signal.SIGHUP)
        assert (await server.told("config.changed"))["setting"] == "server.hosts"
        async with asyncio.timeout(20):  # each process reads for itself
            while [await let_in(http, server.port, "old.example") for _ in range(10)] != [False] * 10:
                pass
        await talk(*pair)
        await server.kill("worker 1")  # the one in its place begins with what holds now
        assert not [line for line in server.events("process.died") if line["process"] != "worker 1"]
        one, two = await meet(http, server.port, "kites")
        await talk(one, two)
        async with asyncio.timeout(20):
            while [await let_in(http, server.port, "new.example") for _ in range(10)] != [True] * 10:
                pass
        assert not await let_in(http, server.port, "old.example")
        assert len(server.events("config.changed")) == 1
