"""The lock that hosts share on their database: no restore beside any of them, and none of them behind a database that died in silence."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from server.data.database import restore_lock
from server.data.database.database import Database
from server.data.database.database_url import database_url
from server.data.database.restore_lock import ServiceLock
from server.data.errors import Busy
from server.main.cli import app
from server.ops.config.settings import Settings
from server.trust.moderation.service import IN_ANY_CASE
from tests.server.data.privacy.drive import Running
from tests.support import services

pytestmark = pytest.mark.blocking  # real servers, and PostgreSQL's programs
SHARED = ("secret", "keys/identity.key", "keys/kept.key", "keys/receipt.key")
HELD = """SELECT count(*) FROM pg_locks
  WHERE locktype = 'advisory' AND mode = 'ShareLock' AND objid = """ + str(restore_lock.KEY)  # noqa: S608 - a constant


@pytest.fixture
def own() -> Iterator[services.Postgres]:
    """A PostgreSQL that the test may kill."""
    with services.postgres() as server:
        yield server


class Hosts:
    """Servers with a data folder each, on one database."""

    def __init__(self, folder: Path, database: services.Postgres) -> None:
        self._folder = folder
        self._env = {"SERENDIP_STORE__URL": database.url("postgres").replace("+asyncpg", "")}
        self.running: list[Running] = []

    def data(self, name: str) -> Path:
        """A host's folder, with the secret and the keys that hosts share."""
        data = self._folder / name
        if not data.exists():
            assert self.run(name, "init").exit_code == 0
            first = self._folder / "one"
            for file in SHARED if name != "one" else ():
                if (first / file).exists():
                    (data / file).parent.mkdir(exist_ok=True)
                    shutil.copy(first / file, data / file)
        return data

    def run(self, name: str, *command: str) -> Result:
        """A command on a host."""
        return CliRunner(env=self._env | {"SERENDIP_DATA": str(self._folder / name)}).invoke(app, list(command))

    async def start(self, name: str) -> Running:
        """A server of the host, ready."""
        server = await asyncio.to_thread(
            lambda: Running(self.data(name), self._folder / f"{name}.log", (), **self._env)
        )
        self.running.append(server)
        await server.ready()
        return server


@pytest_asyncio.fixture
async def hosts(tmp_path: Path, own: services.Postgres) -> AsyncIterator[Hosts]:
    made = Hosts(tmp_path, own)
    yield made
    for server in made.running:
        await asyncio.to_thread(server.stop)


async def said(server: Running) -> dict[str, object]:
    """What a balancer is told."""
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{server.port}/readyz") as answer:
        return {"code": answer.status, **await answer.json()}


async def up(server: Running) -> float:
    """`serendip_store_up`."""
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{server.metrics}/metrics") as answer:
        families = {family.name: family for family in text_string_to_metric_families(await answer.text())}
    return families["serendip_store_up"].samples[0].value


def events(server: Running, event: str) -> list[dict[str, str]]:
    """The lines of a server's log with this event."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


async def until(server: Running, status: str) -> dict[str, object]:
    """What `/readyz` says as soon as it says this."""
    async with asyncio.timeout(60):
        while (found := await said(server))["status"] != status:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.1)
    return found


@pytest.mark.timeout(240)
async def test_a_restore_waits_for_every_host_that_serves_from_the_database(
    hosts: Hosts, own: services.Postgres, tmp_path: Path
) -> None:
    one, two = await hosts.start("one"), await hosts.start("two")
    hosts.data("three")
    file = str(tmp_path / "one.backup")
    restore = ("db", "restore", file, "--why", "drill", "--yes")
    made = await asyncio.to_thread(hosts.run, "three", "db", "backup", file)
    assert made.exit_code == 0, made.output
    before = own.sql("SELECT oid FROM pg_class WHERE relname = 'party'")
    for server in (one, two):
        refused = await asyncio.to_thread(hosts.run, "three", *restore)
        assert refused.exit_code == 1
        assert "127.0.0.1" in refused.output
        assert "stop every one of them first" in refused.output
        assert own.sql("SELECT oid FROM pg_class WHERE relname = 'party'") == before
        await asyncio.to_thread(server.stop)
    done = await asyncio.to_thread(hosts.run, "three", *restore)
    assert done.exit_code == 0, done.output
    assert own.sql("SELECT oid FROM pg_class WHERE relname = 'party'") != before


@pytest.mark.timeout(240)
async def test_a_database_that_dies_under_an_idle_server_is_noticed_and_its_lock_taken_anew(
    hosts: Hosts, own: services.Postgres
) -> None:
    server = await hosts.start("one")
    assert await until(server, "ready") == {"code": 200, "status": "ready", "degraded": []}  # the bans are read, too
    assert await up(server) == 1
    own.stop(signal.SIGQUIT)
    away = await until(server, "degraded")
    assert away["code"] == 200
    assert "the database is away" in str(away["degraded"])
    assert await up(server) == 0
    async with asyncio.timeout(IN_ANY_CASE + 60):
        while not events(server, "safety.bans_stale"):  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.1)
    own.start()
    await until(server, "ready")
    assert await up(server) == 1
    assert [line["what"] for line in events(server, "store.away")] == ["reads"]
    assert [line["what"] for line in events(server, "store.back")] == ["reads"]
    assert len(events(server, "safety.bans_stale")) == 1
    assert own.sql(HELD) == "1"


async def test_who_restores_keeps_hosts_from_starting_and_both_locks_end_with_their_connection(
    tmp_path: Path, own: services.Postgres
) -> None:
    settings = Settings.model_validate({"data": tmp_path, "store": {"url": own.url("postgres")}})
    one, two = (Database(database_url(settings.store, tmp_path), data=tmp_path) for _ in range(2))
    lock = ServiceLock(one)
    try:
        async with restore_lock.alone(two):
            with pytest.raises(Busy, match="being restored"):
                await lock.take()
        await lock.take()
        with pytest.raises(Busy, match=r"127\.0\.0\.1"):
            async with restore_lock.alone(two):
                pass
        own.sql("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'serendip'")
        async with restore_lock.alone(two):
            pass
    finally:
        await lock.close()
        await one.close()
        await two.close()


async def test_the_file_of_sqlite_is_looked_at_and_locked_by_its_folder_alone(tmp_path: Path) -> None:
    database = Database(database_url(Settings().store, tmp_path), data=tmp_path)
    lock = ServiceLock(database)
    try:
        await lock.take()
        async with restore_lock.alone(database):
            pass
        async with database.write() as connection:
            await connection.exec_driver_sql("CREATE TABLE ban (id INTEGER)")
        await lock.check()
    finally:
        await database.close()
