"""An upgrade while the database answers nobody: a save is answered once and kept once, a report makes one case, a chat one record."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.server.data.store.test_store_runner import figures
from tests.server.fleet.migrate.upgrades import Deployed, Person, deployed, meet
from tests.support import services

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(600)]  # runs servers and waits for them
KEPT = ("chat", "log", '"case"', "report")


@pytest.fixture(scope="module")
def cluster() -> Iterator[services.Postgres]:
    """A database server."""
    with services.postgres() as postgres:
        yield postgres


@asynccontextmanager
async def asking(cluster: services.Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database."""
    connection = await asyncpg.connect(f"postgresql://serendip@127.0.0.1:{cluster.port}/postgres")
    try:
        yield connection
    finally:
        await connection.close()


async def rows(database: asyncpg.Connection) -> dict[str, int]:
    """How many of each are kept."""
    return {name.strip('"'): await database.fetchval(f"SELECT count(*) FROM {name}") for name in KEPT}  # noqa: S608


async def moved(server: Deployed, people: int) -> None:
    """Wait until so many people are in the successor."""
    async with asyncio.timeout(30):
        while (await figures(server))["serendip_migrations_total"] < people:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def pong(*persons: Person) -> list[str]:
    """What else each heard until it was answered here and now."""
    found = []
    for person in persons:
        await person.say("ping")
        while (kind := (await person.hear("pong", "saved", "reported", "error", "left", "partner"))["type"]) != "pong":
            found.append(kind)
    return found


async def test_what_is_on_its_way_to_the_database_arrives_once(tmp_path: Path, cluster: services.Postgres) -> None:
    settings = {"SERENDIP_STORE__URL": cluster.url("postgres"), "SERENDIP_SAFETY__MODERATED": "true"}
    async with deployed(tmp_path, **settings) as server, aiohttp.ClientSession() as http, asking(cluster) as database:
        saving, reporting, *ending = [await meet(http, server.port, f"chat {number}") for number in range(5)]
        for one, two in (saving, reporting):
            await one.say("message", text="to be kept")
            await two.hear("message")
        await ending[0][0].say("leave")
        await ending[0][1].hear("left")
        async with database.transaction():
            await database.execute(f"LOCK TABLE {', '.join(KEPT)}, log_party IN EXCLUSIVE MODE")
            await ending[1][0].say("leave")
            await ending[1][1].hear("left")
            await saving[0].say("save")
            await reporting[1].say("report", reason="spam")
            receipt = (await reporting[1].hear("reported", "error"))["receipt"]
            asked = asyncio.create_task(server.upgrade())
            await server.told("server.ready", 2)
            await moved(server, 10)
            await ending[2][0].say("leave")
            await ending[2][1].hear("left")
        status, done = await asked
        assert (status, done["done"]) == (0, True), done
        assert done["people"] == 10
        saved = await saving[0].hear("saved", "error")
        assert saved["type"] == "saved", saved
        async with http.get(f"http://127.0.0.1:{server.port}{saved['url']}") as answer:
            assert "to be kept" in await answer.text()
        await reporting[1].say("report", reason="spam")
        assert (await reporting[1].hear("reported", "error"))["receipt"] == receipt
        for pair in (saving, reporting):
            await pair[0].say("leave")
            assert (await pair[1].hear("left"))["by"] == "stranger"
        assert await pong(*(person for pair in (saving, reporting, *ending) for person in pair)) == []
        assert await server.status() == 0
        assert (
            server.events("safety.report_lost") == server.events("worker.fault") == server.events("task.failed") == []
        )
        assert await rows(database) == {"chat": 5, "log": 1, "case": 1, "report": 1}
