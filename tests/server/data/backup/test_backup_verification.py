"""Test that a backup that is damaged anywhere is found, and restores nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.backup.archive_format import Damaged
from server.data.backup.backup_place import find
from server.data.backup.backup_verification import verify
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
            await verify(case.place, find(case.place, ""), case.kit.database, case.kit.data, progress=lambda *_: None)
    assert not (case.there.data / "secret").exists()
    assert [path.name for path in case.kit.data.glob(".verify-*")] == []


async def test_a_named_database_is_empty_again_after_a_verification(case: Case) -> None:
    if case.kit.database.sqlite:
        pytest.skip("SQLite is restored into a file")
    await case.make()
    for _ in range(2):
        await verify(
            case.place, find(case.place, ""), case.kit.database, case.kit.data, into=case.other_url,
            progress=lambda *_: None,
        )  # fmt: skip
    other = Database(case.other_url, data=case.kit.data)
    try:
        async with other.read() as connection:
            assert await rows_by_table(connection) == {}
    finally:
        await other.close()
