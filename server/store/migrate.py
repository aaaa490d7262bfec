"""Bring the schema up to date, and say where it differs. Rule: one transaction for all steps; two that migrate at once wait for each other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from server.process.lean import without

with without("pygments"):  # Mako would colour templates of migrations with it, of which none is ever shown here
    from alembic import command
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

from server.store.database import Database
from server.store.errors import SchemaDiffers
from server.store.schema import metadata

FOLDER = Path(__file__).parent / "migrations"
MIGRATE_LOCK = 0x5E7E0D19  # advisory lock of PostgreSQL


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


NEWER = "the database is at revision {}, which this program does not know: it is newer"


def known(revision: str) -> bool:
    """Whether this program has this revision."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


class Problem(NamedTuple):
    """What a revision is to this program, and what to do."""

    said: str
    remedy: str


def problem(revision: str) -> Problem | None:
    """Why a database of this revision cannot be used as it is; None: it can."""
    if not revision:
        return Problem("the database is empty", "serendip db migrate, or start the server")
    if not known(revision):
        return Problem(NEWER.format(revision), "run that program, or restore a backup of before the upgrade")
    if revision != head():
        return Problem("the database is not at this program's revision", "serendip db migrate")
    return None


def head() -> str:
    """The newest revision that this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


async def revision(database: Database) -> str:
    """The revision of the database, empty for an empty one."""

    def current(connection: Connection) -> str:
        return MigrationContext.configure(connection).get_current_revision() or ""

    async with database.read() as connection:
        return await connection.run_sync(current)


async def migrate(database: Database, target: str = "head") -> tuple[str, str]:
    """(revision before, revision after). Raises StoreAway; a migration of a newer program raises SchemaDiffers."""
    async with database.write() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATE_LOCK})

        def upgrade(sync: Connection) -> tuple[str, str]:
            before = MigrationContext.configure(sync).get_current_revision() or ""
            if before and not known(before):
                raise SchemaDiffers(NEWER.format(before))
            if database.sqlite:
                database.path.chmod(0o600)  # the WAL follows
            command.upgrade(_config(sync), target)
            return before, MigrationContext.configure(sync).get_current_revision() or ""

        return await connection.run_sync(upgrade)


async def migrate_apart(url: str, data: Path) -> tuple[str, str]:
    """As `migrate`, in a thread with a loop and a connection of its own: alembic reads files, which would hold the caller's loop."""

    async def alone() -> tuple[str, str]:
        database = Database(url, data=data)
        try:
            return await migrate(database)
        finally:
            await database.close()

    return await asyncio.to_thread(asyncio.run, alone())


async def differences(database: Database) -> list[str]:
    """What the database holds beside or without the declared schema; partitions are part of their table. Empty: equal."""

    def compare(connection: Connection) -> list[Any]:
        parts: set[str] = set()
        if connection.dialect.name == "postgresql":
            parts = {row[0] for row in connection.execute(text("SELECT relname FROM pg_class WHERE relispartition"))}

        def include(name: str | None, kind: str, parents: Any) -> bool:
            return not (kind == "table" and name in parts) and parents.get("table_name") not in parts

        found: list[Any] = compare_metadata(
            MigrationContext.configure(connection, opts={"include_name": include, "compare_type": True}), metadata
        )
        return found

    async with database.read() as connection:
        return [_say(difference) for difference in await connection.run_sync(compare)]


def _say(difference: Any) -> str:
    """One difference in a line: its kind and the name of what differs."""
    if isinstance(difference, list):
        return "; ".join(_say(part) for part in difference)
    kind, *rest = difference
    names = [getattr(part, "name", part) for part in rest if part is not None]
    return f"{kind} {' '.join(str(name) for name in names if isinstance(name, str))}".strip()
