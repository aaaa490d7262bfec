"""Test that a backup that is damaged anywhere is found, and restores nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from server.data.backup.archive_format import Damaged
from server.data.backup.backup_place import find
from server.data.backup.backup_verification import SCRATCH, _scratch, drop_abandoned, verify
from server.data.backup.database_backup import rows_by_table
from server.data.database.database import Database
from tests.server.data.conftest import people, transcript
from tests.server.data.whole_backups import Case

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs pg_dump and reads files


async def test_a_damaged_backup_restores_nothing(case: Case) -> None:
    await case.kit.logs.save(transcript("one"), people())
    made = await case.make()
    file = Path(case.backup["url"]) / made.name
    body = bytearray(file.read_bytes())
    for broken in (
        body[:-2000],
        body[:-50_000],
        bytes(body[:9000]) + bytes(one ^ 255 for one in body[9000:9064]) + bytes(body[9064:]),
    ):
        file.write_bytes(broken)
        with pytest.raises(Damaged):
            await case.restore()
        with pytest.raises(Damaged):
            await verify(
                case.place,
                find(case.place, ""),
                case.kit.database,
                case.kit.data,
                check=case.check,
                progress=lambda *_: None,
            )
    assert not (case.there.data / "secret").exists()
    assert [path.name for path in case.kit.data.glob(".verify-*")] == []


async def test_a_named_database_is_empty_again_after_a_verification(case: Case) -> None:
    if case.kit.database.sqlite:
        pytest.skip("SQLite is restored into a file")
    await case.make()
    for _ in range(2):
        await verify(
            case.place, find(case.place, ""), case.kit.database, case.kit.data, into=case.other_url, check=case.check,
            progress=lambda *_: None,
        )  # fmt: skip
    other = Database(case.other_url, data=case.kit.data)
    try:
        async with other.read() as connection:
            assert await rows_by_table(connection) == {}
    finally:
        await other.close()


async def test_a_backup_is_verified_in_a_named_database_while_the_service_s_own_is_lost(case: Case) -> None:
    if case.kit.database.sqlite:
        pytest.skip("SQLite is restored into a file")
    await case.make()
    lost = Database("postgresql+asyncpg://nobody@127.0.0.1:1/lost", data=case.kit.data)
    try:
        done = await verify(
            case.place, find(case.place, ""), lost, case.kit.data, into=case.other_url, check=case.check,
            progress=lambda *_: None,
        )  # fmt: skip
    finally:
        await lost.close()
    assert done.rows > 0


async def test_a_database_may_take_longer_to_make_and_drop_than_a_statement_of_the_service_may(case: Case) -> None:
    if case.kit.database.sqlite:
        pytest.skip("SQLite has no such limit")
    await case.make()
    hasty = Database(case.url, data=case.kit.data, pool=1, longest=0.001)
    try:
        await verify(case.place, find(case.place, ""), hasty, case.kit.data, check=case.check, progress=lambda *_: None)
    finally:
        await hasty.close()
    assert await scratches(case) == set()


async def test_a_verification_that_was_killed_leaves_no_database_for_long(case: Case) -> None:
    if case.kit.database.sqlite:
        pytest.skip("SQLite is restored into a file")
    await case.make()
    assert await case.program("verify", case.here, "restore", 0) == -signal.SIGKILL
    async with _scratch(case.kit.database) as living:
        name = make_url(living).database
        while await scratches(case) != {name}:  # the server notices in a moment that the killed one is gone
            await drop_abandoned(case.kit.database)
    assert await scratches(case) == set()
    await case.program("verify", case.here, "restore", 0)
    assert len(await scratches(case)) == 1
    while await scratches(case):
        await case.make()


async def scratches(case: Case) -> set[str]:
    """The databases of verifications."""
    async with case.kit.database.read() as connection:
        found = await connection.exec_driver_sql("SELECT datname FROM pg_database")
        return {name for name in found.scalars().all() if name.startswith(SCRATCH)}
