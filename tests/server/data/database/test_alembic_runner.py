"""The steps between revisions, and what is found beside the schema that is declared."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from server.data.database import schema_migration
from server.data.database.database import Database
from server.data.database.migrations import versions
from server.data.schema.record_schema import audit
from tests.server.data.conftest import Kit, ended

pytestmark = pytest.mark.blocking  # alembic reads its files; the server migrates in a thread


async def test_a_stray_column_is_reported_by_its_name(kit: Kit) -> None:
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE log ADD COLUMN mood VARCHAR(5)")
    found = await schema_migration.differences(kit.database)
    assert len(found) == 1
    assert "mood" in found[0]


async def test_a_daily_partition_is_part_of_its_table(kit: Kit) -> None:
    await kit.write(ended())
    assert await schema_migration.differences(kit.database) == []


def test_a_revision_is_the_first_word_of_its_file_and_follows_the_one_before() -> None:
    found = [
        import_module(f"{versions.__name__}.{path.stem}") for path in sorted(schema_migration.VERSIONS.glob("a*.py"))
    ]
    assert tuple(step.revision for step in found) == schema_migration.REVISIONS
    assert [step.down_revision for step in found] == [None, *schema_migration.REVISIONS[:-1]]


async def test_the_trail_of_before_names_no_log_by_its_id(url: str, tmp_path: Path) -> None:
    database = Database(url, data=tmp_path)
    await schema_migration.migrate(database, "a003")
    row = {"time": 1, "operator": "ada", "action": "log show", "why": "w", "outcome": "found"}
    async with database.write() as connection:
        await connection.execute(insert(audit), [row | {"subject": b"i" * 16}, row | {"subject": b"k" * 17}])
    await schema_migration.migrate(database, "a008")
    async with database.read() as connection:
        found = (await connection.execute(select(audit.c.subject).order_by(audit.c.id))).scalars().all()
    assert found == [None, b"k" * 17]
    await database.close()
