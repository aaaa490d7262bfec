"""The store looks after itself: what goes wrong behind the service is told, counted, and over when its cause is."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from server.data.backup.rollback_protection import SealedCopies
from server.data.keys.epoch_keys import epoch_of
from server.data.records.chat_rows import Batch, Record, Records
from server.data.retention import legal_holds
from server.data.store.store_runner import Parts, Store
from server.ops import log
from server.ops.config.settings import Log, Settings
from server.ops.config.settings import Objects as ObjectSettings
from server.ops.config.settings import Store as StoreSettings
from server.ops.health.background_tasks import Tasks
from server.ops.security import secret_keys
from tests.server.data.conftest import NOW, ended, make_kit
from tests.server.data.privacy.drive import Running
from tests.support import services
from tests.support.users import as_nobody, folder_of_nobody, needs_root

SOON = {"SERENDIP_RETENTION__PURGE_EVERY": "0.2"}


@asynccontextmanager
async def running(data: Path, file: Path, before: Sequence[str] = (), **settings: str) -> AsyncIterator[Running]:
    """A real server, ready."""
    server = await asyncio.to_thread(lambda: Running(data, file, before, **settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, server.stop)
        await server.ready()
        yield server


async def figures(server: Running) -> dict[str, float]:
    """Every figure that is shown, those of one name and several labels added up."""
    found: dict[str, float] = {}
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{server.metrics}/metrics") as answer:
        for family in text_string_to_metric_families(await answer.text()):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


async def grows(server: Running, name: str) -> None:
    """Wait until a figure is larger than it is now."""
    before = (await figures(server))[name]
    async with asyncio.timeout(30):
        while (await figures(server))[name] <= before:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def old_chat(data: Path) -> None:
    """Something to purge, put there by another process than the server's."""
    kit = await asyncio.to_thread(make_kit, f"sqlite+aiosqlite:///{data / 'serendip.db'}", data, ObjectSettings())
    await kit.write(ended(ago=130, now=time.time()))
    await kit.database.close()


@pytest.mark.blocking  # runs a server and waits for it
async def test_a_full_disk_stops_the_purge_until_there_is_room(tmp_path: Path) -> None:
    async with running(tmp_path / "data", tmp_path / "server.ops.log", **SOON) as server:
        await grows(server, "serendip_store_purges_total")
        before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        # from here on no file takes a byte more of it, the log included
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        await old_chat(tmp_path / "data")
        await grows(server, "serendip_store_purge_failures_total")
        await grows(server, "serendip_log_dropped_total")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)
        await grows(server, "serendip_store_purges_total")
        assert (await figures(server))["serendip_task_failures_total"] == 0
    told = [orjson.loads(line) for line in (tmp_path / "server.ops.log").read_bytes().splitlines()]
    assert [line["error"] for line in told if line["event"] == "log.dropped"] == ["EFBIG"]


@pytest.mark.blocking  # runs a server and waits for it
@needs_root
async def test_a_lock_of_root_s_in_the_data_folder_stops_the_purge_until_it_is_gone(tmp_path: Path) -> None:
    with folder_of_nobody() as data:
        (data / "purge.lock").touch(0o600)
        async with running(data, tmp_path / "server.ops.log", as_nobody(), **SOON) as server:
            await grows(server, "serendip_store_purge_failures_total")
            (data / "purge.lock").unlink()
            await grows(server, "serendip_store_purges_total")
    lines = (tmp_path / "server.ops.log").read_bytes().splitlines()
    # where lines are counted, nobody may not write down which, and is told so
    told = [orjson.loads(line) for line in lines if line[:1] == b"{"]
    causes = {(line["cause"], line["error"]) for line in told if line["event"] == "store.purge_failed"}
    assert causes == {("denied", "PermissionError")}


async def opened(store: Store) -> None:
    """Wait until it is: a start waits for its database for a second, which may be less than a busy machine takes."""
    await asyncio.wait_for(store.opened.wait(), 20)


async def never(_: Parts) -> None:
    """A purge that does nothing."""


@pytest.mark.blocking  # makes a data folder
async def test_records_of_a_database_that_was_never_there_are_counted_and_told_as_lost_at_the_stop(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log.configure(Log(), strict=True)
    nowhere = f"postgresql://nobody@127.0.0.1:{services.free_port()}/none"
    settings = Settings(data=tmp_path, store=StoreSettings(url=SecretStr(nowhere)))
    tasks = Tasks()
    store = Store(settings, secret_keys.load(tmp_path), never, tasks)
    await store.start()
    async with asyncio.timeout(20):
        while store.unwell() != ["store: the database is away (refused); records wait"]:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    for _ in range(28):
        assert store.record(ended())
    assert await store.close(within=0.1) == 28
    assert store.reading()["serendip_store_lost"] == 28
    assert log.sink().flush(10)
    told = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    said = [(line["event"], line.get("cause"), line.get("count")) for line in told]
    assert said == [("store.away", "refused", None), ("store.lost", None, 28)]


@pytest.mark.blocking  # makes a data folder
async def test_a_database_that_opens_slowly_is_no_failure(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log.configure(Log(), strict=True)
    store = Store(Settings(data=tmp_path), secret_keys.load(tmp_path), never, Tasks())
    await store.start(patience=0)
    assert store.unwell() == ["store: the database is being opened; records wait"]
    assert store.reading()["serendip_store_up"] == 0
    await opened(store)
    assert store.unwell() == []
    await store.close()
    assert log.sink().flush(10)
    told = [orjson.loads(line)["event"] for line in capfdbinary.readouterr().err.splitlines()]
    assert [event for event in told if event.startswith("store.")] == ["store.opened"]


class Broken(Records):
    """Rows cannot be made."""

    def add(self, batch: Batch, chats: Iterable[Record]) -> None:
        raise ZeroDivisionError


@pytest.mark.blocking  # makes a data folder
async def test_a_fault_of_the_writer_is_told_and_the_batch_is_written_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = Tasks(first=0.01)
    store = Store(Settings(data=tmp_path), secret_keys.load(tmp_path), never, tasks)
    await store.start()
    try:
        await opened(store)
        real = store.writer._records
        monkeypatch.setattr(store.writer, "_records", Broken(real._pseudonyms, real._countries))
        store.record(ended())
        async with asyncio.timeout(40):
            while not tasks.failures["store-writer"]:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        assert tasks.unwell() == ["task store-writer: failed and was started again"]
        monkeypatch.setattr(store.writer, "_records", real)
        async with asyncio.timeout(40):
            await store.writer.flush()
        assert store.writer.counts.written == 1
    finally:
        assert await store.close() == 0


@pytest.mark.blocking
async def test_a_hold_of_another_process_is_in_the_copies_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.data.store.store_runner.COPY_WITHIN_S", 0.2)
    keys_of = await asyncio.to_thread(secret_keys.load, tmp_path)
    tasks = Tasks()

    async def nothing(_: Parts) -> None:
        pass

    store = await asyncio.to_thread(lambda: Store(Settings(data=tmp_path), keys_of, nothing, tasks))
    copies = SealedCopies(store.parts.database, store.parts.objects, store.parts.pseudonyms)
    await store.start()
    try:
        await opened(store)
        now = int(time.time())
        await legal_holds.place(
            store.parts.database, store.parts.pseudonyms, legal_holds.Selector("address", "8.8.8.8"),
            authority="a court", reason="7", now=now, until=now + 1000, secret=False,
        )  # fmt: skip
        async with asyncio.timeout(30):
            while (found := await copies.load()) is None or not found[1]["hold_match"]:  # noqa: ASYNC110 - another task's
                await asyncio.sleep(0.02)
        assert found[1]["hold"][0]["authority"] == "a court"
    finally:
        await store.close()


@pytest.mark.blocking  # makes a data folder
async def test_a_key_that_is_another_hosts_is_no_reason_to_say_that_the_database_is_away(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path, "cluster": {"nats": "nats://a", "address": "10.0.0.1:1"}})
    store = Store(settings, secret_keys.load(tmp_path), never, Tasks())
    await store.start()
    try:
        await opened(store)
        assert store.unwell() == []
        assert store.epochs.shared
        assert store.schema
        store.record(ended())  # whose key nobody has elected
        async with asyncio.timeout(20):
            while not store.unwell():  # noqa: ASYNC110 - the writer tries by itself
                await asyncio.sleep(0.01)
        assert store.unwell() == ["store: a key is missing, or another (keys); records wait"]
        epoch = epoch_of(NOW)
        store.epochs.take(epoch, store.epochs.propose(epoch))
        await asyncio.wait_for(store.writer.flush(), 20)
        assert store.unwell() == []
    finally:
        assert await store.close() == 0


@pytest.mark.blocking
async def test_a_server_with_a_place_of_backups_makes_one_soon_after_its_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.data.backup.backup_schedule.FIRST_S", 0.1)
    settings = Settings.model_validate({"data": str(tmp_path / "data"), "backup": {"url": str(tmp_path / "backups")}})
    store = Store(settings, await asyncio.to_thread(secret_keys.load, settings.data), never, Tasks())
    await store.start()
    try:
        async with asyncio.timeout(20):
            while not store.reading()["serendip_backups"]["made",]:  # type: ignore[index]  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
        assert len(await asyncio.to_thread(lambda: list((tmp_path / "backups").glob("serendip-*.tar")))) == 1
    finally:
        await store.close()
