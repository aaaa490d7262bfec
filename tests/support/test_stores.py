"""Test that a copied store equals a migrated one, and contains nothing that a test wrote."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from server.data.database import schema_migration
from server.data.schema.record_schema import hold
from tests.server.data.conftest import Kit, ended, kit, object_settings, url
from tests.support import services
from tests.support.stores import Migrated

__all__ = ["kit", "object_settings", "url"]


def content(url: str, cluster: services.Postgres | None) -> str:
    """All that a database is made of, as statements."""
    if cluster is None:
        with closing(sqlite3.connect(Path(url.partition(":///")[2]))) as database:
            return "\n".join(database.iterdump())
    return "\n".join(line for line in cluster.dump().splitlines() if line[:1] != "\\")  # words to psql: a key each time


@pytest.mark.parametrize("chats", [1, 2])  # whichever comes first is migrated, the second is a copy
async def test_each_store_begins_at_the_newest_revision_and_empty(kit: Kit, chats: int) -> None:
    assert await schema_migration.revision(kit.database) == schema_migration.HEAD
    assert await schema_migration.differences(kit.database) == []
    assert await kit.count("chat") == 0
    await kit.write(*[ended()] * chats)
    assert await kit.count("chat") == chats


async def test_a_copy_is_what_a_migration_makes(request: pytest.FixtureRequest, kit: Kit, tmp_path: Path) -> None:
    cluster = None if kit.database.sqlite else request.getfixturevalue("cluster")
    copy = await asyncio.to_thread(content, kit.database.url, cluster)
    url = f"sqlite+aiosqlite:///{tmp_path / 'other.db'}" if cluster is None else kit.database.url
    if cluster is not None:
        await asyncio.to_thread(cluster.sql, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await schema_migration.migrate_apart(url, tmp_path)
    assert "chat" in copy
    assert await asyncio.to_thread(content, url, cluster) == copy


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "change", ["", "ALTER TABLE party ADD COLUMN more int", "DROP INDEX ix_ban_case", "DROP TABLE alembic_version"]
)
async def test_nothing_of_what_a_test_did_is_in_the_next_ones_store(
    kit: Kit, cluster: services.Postgres, migrated: Migrated, change: str
) -> None:
    before = await asyncio.to_thread(content, kit.database.url, cluster)
    await kit.write(ended(), ended(3))
    async with kit.database.write() as connection:
        await connection.execute(
            insert(hold).values(kind="log", selector=b"a", authority="a", reason="b", secret=False, placed=1, until=2)
        )
    if change:
        await asyncio.to_thread(cluster.sql, change)
    await kit.database.close()
    assert await asyncio.to_thread(content, kit.database.url, cluster) != before
    assert await asyncio.to_thread(migrated.copied, kit.database.url, cluster)
    assert await asyncio.to_thread(content, kit.database.url, cluster) == before
