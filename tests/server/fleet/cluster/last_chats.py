"""People of two real hosts that keep something: who is connected to one and talks at the other. Rule: all of it is the service's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg  # type: ignore[import-untyped]

from tests.server.fleet.cluster.test_proxy_hosts import metric
from tests.server.fleet.cluster.test_together import hears, hosts
from tests.server.fleet.migrate.upgrades import Person, people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several, talk
from tests.server.site.web.servers import ROOT
from tests.support import services
from tests.support.forkserver import START

TABLES = ("log", "log_party")
FAULTS = ("task.failed", "loop.fault", "worker.fault", "migration.refused", "migration.fault", "cluster.fault")


@dataclass
class Pair:
    """Two who talk at `home`; `visitor` is connected to `edge`, and `local` to the home. `chat`: its id."""

    visitor: Person
    local: Person
    edge: Several
    home: Several
    chat: str


@dataclass
class Two:
    """Two hosts, and the database that they share."""

    servers: list[Several]
    http: aiohttp.ClientSession
    database: asyncpg.Connection
    settings: dict[str, str]

    async def tunnels(self) -> list[float]:
        """People of each whose session is at the other."""
        return [await metric(server, "serendip_tunnels ") + await metric(server, "serendip_tunnels{") for server in self.servers]  # fmt: skip

    async def apart(self, word: str, **more: Any) -> Pair:
        """Somebody of each host has met the other, and both have said something."""
        found = [(await people(self.http, server.port, 1))[0] for server in self.servers]
        return await self.met(found[0], found[1], word, **more)

    async def met(self, one: Person, other: Person, word: str, **more: Any) -> Pair:
        """Somebody of the first host, and of the second."""
        before, both = await self.tunnels(), (one, other)
        for person in both:
            await person.say("find", interests=[word], strict=True, **more)
        said = [await person.hear("matched") for person in both]
        await talk(*both)
        async with asyncio.timeout(20):
            while sum(after := await self.tunnels()) != sum(before) + 1:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        edge = 0 if after[0] > before[0] else 1
        assert said[0]["chat"] == said[1]["chat"]
        return Pair(both[edge], both[1 - edge], self.servers[edge], self.servers[1 - edge], said[0]["chat"])

    async def home_again(self) -> None:
        """Wait until nobody is at the other host."""
        async with asyncio.timeout(20):
            while sum(await self.tunnels()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

    async def text(self, saved: dict[str, Any]) -> str:
        """The log of a save, which is the same at both hosts."""
        assert saved["type"] == "saved", saved
        found = set()
        for server in self.servers:
            url = f"http://127.0.0.1:{server.port}{saved['url']}"
            async with self.http.get(url, params={"as": "text"}) as answer:
                assert answer.status == 200
                found.add(await answer.text())
        (text,) = found
        return text

    @asynccontextmanager
    async def no_log_is_kept(self) -> AsyncIterator[None]:
        """Until its end each save waits."""
        async with self.database.transaction():
            await self.database.execute(f"LOCK TABLE {', '.join(TABLES)} IN EXCLUSIVE MODE")
            yield

    async def logs(self, count: int) -> None:
        """Wait until so many logs are there: one that nobody has the address of goes."""
        async with asyncio.timeout(30):
            while await self.database.fetchval("SELECT count(*) FROM log") != count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def operator(self, *words: str) -> str:
        """What `serendip safety` prints."""
        server = self.servers[0]
        looks = () if words[0] == "cases" else ("--operator", "ada", "--why", "a test")
        called = [sys.executable, "-c", START, "safety", *words, "--data", str(server.data), *looks]
        ran = await asyncio.create_subprocess_exec(
            *called, cwd=ROOT, env={**os.environ, **self.settings}, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(ran.communicate(), 60)
        return out.decode()

    async def case(self) -> str:
        """What an operator sees of the one case that there is."""
        async with asyncio.timeout(40):
            while not (found := json.loads(await self.operator("cases", "--json"))):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        (case,) = found
        return await self.operator("show", case["id"])


@asynccontextmanager
async def two(folder: Path, **more: str) -> AsyncIterator[Two]:
    """Hosts that hear each other. `more`: settings."""
    with services.postgres() as postgres, services.s3() as bucket:
        settings = {
            "SERENDIP_STORE__ENABLED": "true",
            "SERENDIP_STORE__URL": postgres.url("postgres"),
            "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/logs",
            "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
            "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
            "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
            "SERENDIP_SAFETY__MODERATED": "true",
            **more,
        }
        async with (
            started() as nats,
            hosts(folder, nats, 2, **settings) as servers,
            aiohttp.ClientSession() as http,
        ):
            await hears(servers[0], servers[1])
            await hears(servers[1], servers[0])
            database = await asyncpg.connect(f"postgresql://serendip@127.0.0.1:{postgres.port}/postgres")
            try:
                yield Two(servers, http, database, settings)
            finally:
                await database.close()
            for server in servers:
                assert [line for fault in FAULTS for line in server.events(fault)] == []


async def answered(person: Person, what: str = "save", **more: Any) -> dict[str, Any]:
    """Ask for something; the answer."""
    await person.say(what, **more)
    return await person.hear("saved", "reported", "blocked", "error")


async def nothing_more(*persons: Person) -> None:
    """Nobody has an answer that they did not hear."""
    for person in persons:
        await person.say("ping")
        assert (await person.hear("pong", "saved", "reported", "blocked", "error", "left"))["type"] == "pong"
