"""Migrate the database schema to the current revision, and report differences from the declared tables.

**Invariant:** all revisions run in one transaction, and concurrent migrations wait for each other.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, inspect, text

from server.data.database.database import Database
from server.data.errors import SchemaDiffers

VERSIONS = Path(__file__).parent / "migrations" / "versions"
# Known revisions, oldest first; each is the beginning of a file's name.
REVISIONS: Final = tuple(sorted(path.name.partition("_")[0] for path in VERSIONS.glob("a*_*.py")))
HEAD: Final = REVISIONS[-1]
MIGRATE_LOCK = 0x5E7E0D19  # advisory lock of PostgreSQL
NEWER = "the database is at revision {}, which this program does not know: it is newer"


class Problem(NamedTuple):
    """A problem with a revision, and its remedy."""

    said: str
    remedy: str


def problem(revision: str) -> Problem | None:
    """Return why a database of this revision cannot be used as it is, or None."""
    if not revision:
        return Problem("the database is empty", "serendip db migrate, or start the server")
    if revision not in REVISIONS:
        return Problem(NEWER.format(revision), "run that program, or restore a backup of before the upgrade")
    if revision != HEAD:
        return Problem("the database is not at this program's revision", "serendip db migrate")
    return None


def _present(connection: Connection) -> str:
    """Return the revision of the database, or an empty string if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


async def revision(database: Database) -> str:
    """Return the revision of the database, or an empty string if it is empty. Raises StoreAway."""
    async with database.read() as connection:
        return await connection.run_sync(_present)


async def migrate(database: Database, target: str = HEAD) -> tuple[str, str]:
    """Migrate, and return (revision before, revision after). Raises StoreAway, and SchemaDiffers if the database is newer than this program."""
    async with database.write() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATE_LOCK})

        def upgrade(sync: Connection) -> tuple[str, str]:
            before = _present(sync)
            if before and before not in REVISIONS:
                raise SchemaDiffers(NEWER.format(before))
            if database.sqlite:
                database.path.chmod(0o600)  # the WAL follows
            if before == target:
                return before, before
            from server.data.database import alembic_runner

            alembic_runner.take(sync, target)
            return before, _present(sync)

        return await connection.run_sync(upgrade)


async def migrate_apart(url: str, data: Path) -> tuple[str, str]:
    """Migrate in a thread with a loop and a connection of its own: importing and running the steps would block the caller's loop."""

    async def alone() -> tuple[str, str]:
        database = Database(url, data=data)
        try:
            return await migrate(database)
        finally:
            await database.close()

    return await asyncio.to_thread(asyncio.run, alone())


async def differences(database: Database) -> list[str]:
    """Return the differences between the database and the declared schema, without partitions; empty if equal. Raises StoreAway."""
    from server.data.database import alembic_runner

    async with database.read() as connection:
        return await connection.run_sync(alembic_runner.compare)
