"""The batching writer: in order, once, bounded; chats go on whatever the database does."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.database import database, schema_migration
from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.records.chat_rows import Batch
from server.data.schema.chat_id_format import ended_at
from server.data.schema.record_schema import chat, party
from server.data.store import writer as writing
from server.ops.config.settings import Objects
from tests.server.data.conftest import NOW, Kit, address, ended, make_kit
from tests.support import services
from tests.support.forkserver import forked


async def test_a_chat_leaves_one_row_without_a_person_and_one_row_a_person(kit: Kit) -> None:
    await kit.write(ended())
    async with kit.database.read() as connection:
        [talk] = (await connection.execute(select(chat))).all()
        rows = (await connection.execute(select(party).order_by(party.c.side))).all()
    assert (talk.mode, talk.how, talk.ended - talk.started) == ("text", "left", 60)
    assert [row.side for row in rows] == [0, 1]
    assert all(row.chat == talk.id for row in rows)
    assert [kit.pseudonyms.live_address(row.address).address for row in rows] == [address(11), address(22)]
    assert rows[0].identity in kit.pseudonyms.live_identities(11)
    assert rows[1].address_mac in kit.pseudonyms.live_addresses(address(22))
    assert rows[0].country == "US" or rows[0].country is None or len(rows[0].country) == 2


async def test_the_order_of_ids_is_the_order_of_time_which_the_purge_and_its_proof_go_by(kit: Kit) -> None:
    await kit.write(*(ended(ago) for ago in (3, 0.25, 119.9, 40, 7.001)))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(party.c.chat, party.c.ended).order_by(party.c.chat))).all()
    assert [row.ended for row in rows] == sorted(row.ended for row in rows)
    assert [int(ended_at(row.chat)) for row in rows] == [row.ended for row in rows]


async def test_no_identity_or_address_stands_in_the_database_in_plain(kit: Kit) -> None:
    await kit.write(ended(a=0x1122334455667788))
    async with kit.database.read() as connection:
        stored = repr((await connection.execute(select(party))).all())
    assert "81.51" not in stored
    assert repr((0x1122334455667788).to_bytes(8, "big"))[2:-1] not in stored


async def test_a_person_without_cookie_or_address_has_a_row_all_the_same(kit: Kit) -> None:
    await kit.write(
        ended()._replace(parties=(ended().parties[0]._replace(identity=0), ended().parties[1]._replace(address="unix")))
    )
    async with kit.database.read() as connection:
        one, two = (await connection.execute(select(party).order_by(party.c.side))).all()
    assert one.identity is None
    assert two.address is None
    assert two.address_mac is None


async def test_a_thousand_chats_are_written_in_order(kit: Kit) -> None:
    writer = kit.writer()
    writer.start()
    for index in range(1000):
        assert writer.record(ended(now=1_795_000_000 + index, a=1 + index % 7))
    await writer.flush()
    async with kit.database.read() as connection:
        times = (await connection.execute(select(chat.c.ended).order_by(chat.c.id))).scalars().all()
    assert times == sorted(times)
    assert len(times) == 1000
    assert writer.counts.written == 1000
    await writer.close(1)


async def test_beyond_the_bound_the_newest_are_lost_and_counted(kit: Kit) -> None:
    writer = kit.writer(queue=100)
    taken = [writer.record(ended()) for _ in range(150)]
    assert taken == [True] * 100 + [False] * 50
    assert writer.counts.lost == 50
    assert not writer.taking
    writer.start()
    await writer.flush()
    assert await kit.count("chat") == 100
    assert writer.taking
    await writer.close(1)


async def test_a_batch_whose_commit_got_no_answer_is_written_once(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = kit.writer()
    real = writer._write
    failures = iter([True, True])

    async def unanswered(*rows: object) -> None:
        await real(*rows)  # type: ignore[arg-type]
        if next(failures, False):
            raise StoreAway("no answer")

    monkeypatch.setattr(writer, "_write", unanswered)
    writer.start()
    for _ in range(10):
        writer.record(ended())
    await writer.flush()
    assert await kit.count("chat") == 10
    assert await kit.count("party") == 20
    assert writer.reach.failures.total() == 2
    await writer.close(1)


async def test_a_batch_grows_as_long_as_the_database_takes_it_soon_enough(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEAST", 10)
    writer = kit.writer(batch=64)
    real, sizes, allowed = writer._write, list[int](), iter([1e9, 1e9, 1e9, 1e-9, 1e-9])

    async def write(batch: Batch) -> None:
        sizes.append(batch.size)
        monkeypatch.setattr(writing, "HELD", next(allowed))
        await real(batch)

    monkeypatch.setattr(writer, "_write", write)
    for index in range(144):
        writer.record(ended(now=NOW + index))
    writer.start()
    await writer.flush()
    assert sizes == [10, 20, 40, 64, 10]
    assert await kit.count("party") == 2 * 144
    await writer.close(1)


async def test_closing_says_how_many_were_lost(kit: Kit) -> None:
    writer = kit.writer()
    await kit.database.close()
    writer._database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", data=kit.data)
    writer.start()
    for _ in range(5):
        writer.record(ended())
    assert await writer.close(0.3) == 5
    assert writer.counts.lost == 5


@pytest.mark.blocking  # stops and starts a server
@pytest.mark.timeout(120)
async def test_postgresql_gone_for_a_while_loses_nothing(tmp_path: Path) -> None:
    with services.postgres() as server:
        server.sql("CREATE DATABASE away")
        kit = make_kit(server.url("away"), tmp_path, Objects())
        await schema_migration.migrate(kit.database)
        writer = kit.writer()
        writer.start()
        writer.record(ended(now=1_795_000_000))
        await writer.flush()
        await asyncio.to_thread(server.stop, signal.SIGQUIT)
        for index in range(500):
            assert writer.record(ended(now=1_795_000_001 + index))
            await asyncio.sleep(0.001)
        while not writer.reach.failures.total():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        assert writer.reach.cause == "refused"
        assert not writer.taking
        await asyncio.to_thread(server.start)
        await asyncio.wait_for(writer.flush(), 30)
        assert await kit.count("chat") == 501
        assert writer.reach.cause is None
        assert writer.counts.lost == 0
        await writer.close(1)
        await kit.database.close()


@pytest.mark.blocking  # fills a small file system by a limit of the process
async def test_a_full_disk_stops_writing_and_nothing_else_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = make_kit(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", tmp_path, Objects())
    await schema_migration.migrate(kit.database)
    async with kit.database.read() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
    # SQLite's own "database or disk is full"
    monkeypatch.setattr(database, "PRAGMAS", (*database.PRAGMAS, f"max_page_count={pages + 2}"))
    writer = kit.writer()
    writer.start()
    for index in range(3000):
        assert writer.record(ended(a=index + 1, b=index + 10_000))
    while not writer.reach.cause:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    assert writer.reach.cause == "full"
    assert writer.record(ended())
    assert not writer.taking
    monkeypatch.undo()
    await asyncio.wait_for(writer.flush(), 30)
    assert await kit.count("chat") == 3001
    await writer.close(1)
    await kit.database.close()


KILLED = forked("""
import asyncio, os, signal, sys
from pathlib import Path
from server.ops.config.settings import Objects
from tests.server.data.conftest import ended, make_kit
async def main():
    kit = make_kit(sys.argv[1], Path(sys.argv[2]), Objects())
    writer = kit.writer(batch=50, linger=0.0)
    writer.start()
    for index in range(5000):
        writer.record(ended(a=index + 1))
        if index % 50 == 0:
            await asyncio.sleep(0)
    while writer.counts.written < 200:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
""")


@pytest.mark.blocking  # runs a program and waits for it
async def test_kill_9_while_writing_leaves_whole_chats_only(kit: Kit, url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED,
        url,
        str(kit.data),
        cwd=Path(__file__).parents[4],
    )
    assert await process.wait() == -signal.SIGKILL
    chats, parties = await kit.count("chat"), await kit.count("party")
    assert chats >= 200
    assert parties == 2 * chats


@pytest.mark.parametrize("turns", range(6))
async def test_a_writer_that_waits_for_company_ends_when_it_is_told_to(kit: Kit, turns: int) -> None:
    writer = kit.writer(linger=0.25)
    writer.start()
    await writer.flush()  # with nothing to write it wakes the task, which then waits for others to join
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await asyncio.wait_for(writer.close(50), 40) == 0
