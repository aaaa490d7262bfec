"""Backup and restore: a copy while the server writes; after a restore what was deleted is deleted again."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.backup import database_backup
from server.data.database import schema_migration
from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.privacy import audit_log
from server.data.schema.record_schema import party
from tests.server.data.conftest import NOW, Kit, address, ended, people, transcript
from tests.support import services

pytestmark = pytest.mark.blocking  # runs pg_dump and reads files


async def test_a_backup_comes_back_and_what_was_deleted_since_stays_deleted(kit: Kit, tmp_path: Path) -> None:
    await kit.write(ended(1), ended(2))
    kept, gone = await kit.logs.save(transcript("kept"), people()), await kit.logs.save(transcript("gone"), people())
    file = tmp_path / "copy" / "one.backup"
    file.parent.mkdir()
    assert await database_backup.backup(kit.database, file) == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    await kit.logs.delete_by_secret(gone.delete)
    await kit.write(ended(0))
    assert await kit.count("chat") == 3
    await database_backup.restore(kit.database, file)
    assert await schema_migration.migrate(kit.database) == (schema_migration.HEAD, schema_migration.HEAD)
    assert await kit.count("chat") == 2
    assert await kit.count("log") == 2
    assert await database_backup.replay_erasures(kit.database, kit.objects, kit.logs) == (1, 1)
    assert await database_backup.replay_erasures(kit.database, kit.objects, kit.logs) == (1, 0)
    assert await kit.logs.show(gone.log) is None
    assert await kit.logs.show(kept.log) is not None
    assert await schema_migration.differences(kit.database) == ["remove_table restoring"]  # until the upkeep follows
    await kit.write(ended(0))
    assert await kit.count("chat") == 3


async def test_a_backup_holds_no_key_and_opens_nothing_once_the_epoch_s_key_is_destroyed(
    kit: Kit, tmp_path: Path
) -> None:
    await kit.write(ended(0))
    file = tmp_path / "one.backup"
    await database_backup.backup(kit.database, file)
    body = file.read_bytes()
    for key in (tmp_path / "keys").glob("*.key"):
        assert key.read_bytes() not in body
    assert address(11).encode() not in body
    await database_backup.restore(kit.database, file)
    kit.pseudonyms.epochs.destroy(NOW // (30 * 86_400))
    async with kit.database.read() as connection:
        row = (await connection.execute(select(party).limit(1))).one()
    with pytest.raises(KeyGone):
        kit.pseudonyms.live_address(row.address)
    assert row.identity not in kit.pseudonyms.live_identities(11) + kit.pseudonyms.live_identities(22)


async def test_a_backup_is_told_of_once_its_bytes_and_its_name_are_on_the_disk(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, fsync = tmp_path / "whole.backup", os.fsync
    synced: list[tuple[Path, bool]] = []

    def recorded(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), file.exists()))
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", recorded)
    await database_backup.backup(kit.database, file)
    assert [(path.is_dir(), there) for path, there in synced if tmp_path in (path, path.parent)] == [
        (False, False),
        (True, True),
    ]


async def test_a_copy_taken_while_chats_are_written_is_whole(kit: Kit, tmp_path: Path) -> None:
    writer = kit.writer(batch=10, linger=0.0)
    writer.start()
    making = asyncio.create_task(database_backup.backup(kit.database, tmp_path / "busy.backup"))
    for index in range(200):
        writer.record(ended(0, a=index + 1))
        await asyncio.sleep(0)
    await making
    await writer.flush()
    await writer.close(5)
    await database_backup.restore(kit.database, tmp_path / "busy.backup")
    assert await kit.count("party") == 2 * await kit.count("chat")


async def test_what_is_no_backup_is_refused_and_the_database_stays(kit: Kit, tmp_path: Path) -> None:
    await kit.write(ended(0))
    with pytest.raises(database_backup.BackupFailed):
        await database_backup.restore(kit.database, tmp_path / "none")
    if kit.database.sqlite:
        (tmp_path / "bad").write_bytes(b"not a database at all" * 100)
        with pytest.raises(database_backup.BackupFailed):
            await database_backup.restore(kit.database, tmp_path / "bad")
    assert await kit.count("chat") == 1


async def test_a_backup_that_ends_too_early_is_refused_and_the_database_stays(kit: Kit, tmp_path: Path) -> None:
    await kit.write(*(ended(0, a=index + 1) for index in range(200)))
    whole, short = tmp_path / "whole.backup", tmp_path / "short.backup"
    size = await database_backup.backup(kit.database, whole)
    short.write_bytes(whole.read_bytes()[: size - size // 4])
    await kit.write(ended(0, a=1_000))
    with pytest.raises(database_backup.BackupFailed):
        await database_backup.restore(kit.database, short)
    assert await kit.count("chat") == 201
    assert await schema_migration.differences(kit.database) == []
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".restore.")]


async def test_a_restore_has_no_file_with_rows_that_its_death_would_leave(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kit.database.sqlite:
        pytest.skip("SQLite's copy becomes the database")
    await database_backup.backup(kit.database, tmp_path / "one.backup")
    spy = tmp_path / "bin" / "psql"
    spy.parent.mkdir()
    spy.write_text(
        f"#!/bin/sh\necho $(grep -c '^CREATE TABLE public.chat ') tables, files: $(find {kit.data} -name '.*') >&2\nexit 1\n"
    )
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", str(spy.parent), prepend=":")
    with pytest.raises(database_backup.BackupFailed, match=r"1 tables, files:'\]"):
        await database_backup.restore(kit.database, tmp_path / "one.backup")


async def test_the_database_knows_its_last_backup_whichever_host_wrote_it(kit: Kit) -> None:
    assert await database_backup.last_backup(kit.database) == 0
    for at, action in ((5, database_backup.ACTION), (9, database_backup.ACTION), (12, "restore")):
        await audit_log.write_entry(kit.database, now=at, operator="ada", action=action, why="drill", outcome="1 byte")
    assert await database_backup.last_backup(kit.database) == 9


async def test_a_forged_dump_runs_no_command(kit: Kit, tmp_path: Path) -> None:
    if kit.database.sqlite:
        pytest.skip("SQLite's backup is no dump")
    await kit.write(ended(0))
    word, proof = "x" * 200, tmp_path / "proof"
    async with kit.database.write() as connection:
        await connection.exec_driver_sql(f"COMMENT ON TABLE chat IS '{word}'")
    file = tmp_path / "forged.backup"
    await database_backup.backup(kit.database, file)
    async with kit.database.write() as connection:  # its schema is that of other tests, too
        await connection.exec_driver_sql("COMMENT ON TABLE chat IS NULL")
    attack = f"';\n\\! touch {proof}\nSELECT '".encode()
    assert len(attack) < len(word)
    body = file.read_bytes()
    assert body.count(word.encode()) >= 1
    file.write_bytes(body.replace(word.encode(), attack.ljust(len(word))))
    await kit.write(ended(0))
    with pytest.raises(database_backup.BackupFailed, match="restricted"):
        await database_backup.restore(kit.database, file)
    assert not proof.exists()
    assert await kit.count("chat") == 2


async def test_programs_that_would_run_commands_of_a_dump_are_refused(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kit.database.sqlite:
        pytest.skip("SQLite needs no program")
    await database_backup.backup(kit.database, tmp_path / "one.backup")
    old = tmp_path / "bin" / "pg_restore"  # as those of before August 2025 answer
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho \"pg_restore: unrecognized option '--restrict-key=1'\" >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    with pytest.raises(database_backup.BackupFailed, match="too old"):
        await database_backup.restore(kit.database, tmp_path / "one.backup")


async def test_a_table_may_take_longer_to_count_than_a_statement_of_the_service_may(
    kit: Kit, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kit.database.sqlite:
        pytest.skip("SQLite has no such limit")
    cluster: services.Postgres = request.getfixturevalue("cluster")
    name, waits = kit.database.engine.url.database, "wait_event_type = 'Lock' AND query LIKE 'SELECT count%'"
    hasty = Database(kit.database.url, data=kit.data, pool=1, longest=0.1)
    try:
        async with kit.database.write() as connection:
            await connection.exec_driver_sql("LOCK TABLE ban IN ACCESS EXCLUSIVE MODE")
            counting = asyncio.create_task(database_backup.dump_counted(hasty, tmp_path / "dump"))
            waiting = (
                f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND {waits}"  # noqa: S608 - names of this test
                " AND clock_timestamp() - query_start > '1 s'"
            )
            while await asyncio.to_thread(cluster.sql, waiting) != "1":
                assert not counting.done()
                await asyncio.sleep(0.05)
        assert "ban" in await counting
    finally:
        await hasty.close()


def programs(about: Path) -> list[str]:
    """Processes of this test whose arguments name a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and str(about) in (process / "cmdline").read_text():
                found.append(process.name)
    return found


async def test_a_backup_that_is_cancelled_leaves_no_program_behind(kit: Kit, tmp_path: Path) -> None:
    if kit.database.sqlite:
        pytest.skip("SQLite's backup is no program")
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("LOCK TABLE ban IN ACCESS EXCLUSIVE MODE")  # pg_dump waits for it
        making = asyncio.create_task(database_backup.backup(kit.database, tmp_path / "one.backup"))
        while not programs(tmp_path):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert programs(tmp_path) == []
