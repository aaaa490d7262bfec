"""Back up and restore the database: `VACUUM INTO` for SQLite while the server runs, pg_dump and pg_restore for PostgreSQL.

**Invariant:** a backup contains no encryption keys and no files of the object store, and is deleted after `retention.backup_days`. A restored
database is marked (`non_restorable_state.RESTORING`), and no server starts from it until `server.data.store.restore` has removed the mark.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.backup.non_restorable_state import RESTORING
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.schema.record_schema import audit, log
from server.ops.security.secret_keys import sync_folder

SLOWEST = 6 * 3600  # seconds that pg_dump or pg_restore may take
BATCH = 1000  # logs compared with the list at a time
ONE_TRANSACTION = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--output={os.devnull}")
# pg_restore's --clean would keep the partitions that it does not know.
EMPTY = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
AFRESH = tuple(f"--command={command}" for command in EMPTY)


TOO_OLD = "PostgreSQL's programs are too old: those of August 2025 or later (15.14, 16.10, 17.6) run no commands out of a dump"
ACTION = "backup"  # in the audit log: so the database knows its own last backup, whichever host wrote it
MARK = "CREATE TABLE IF NOT EXISTS {} (since INTEGER)"
PG_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('public') ORDER BY 1"
)
SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"


class BackupFailed(RuntimeError):
    """The backup or the restore did not happen; the database is unchanged."""


async def backup(database: Database, file: Path) -> int:
    """Write a backup (0600, whole or not at all), and return its size in bytes. Raises BackupFailed, StoreAway."""
    spare = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        if database.sqlite:
            async with database.autocommit() as connection:
                await connection.execute(text("VACUUM INTO :file"), {"file": str(spare)})
        else:
            await _run("pg_dump", database.engine.url, "--format=custom", f"--file={spare}")
        await asyncio.to_thread(_settle, spare, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            spare.unlink()
    return (await asyncio.to_thread(file.stat)).st_size


async def dump_counted(database: Database, file: Path) -> dict[str, int]:
    """Write a copy of the database into a new file (0600), and return its rows by table, as of the same moment. Raises BackupFailed, StoreAway."""
    await asyncio.to_thread(file.touch, 0o600)
    if database.sqlite:
        async with database.autocommit() as connection:
            await connection.execute(text("VACUUM INTO :file"), {"file": str(file)})
        return await asyncio.to_thread(sqlite_rows, file)
    async with patient(database) as own, own.snapshot() as connection:
        snapshot = (await connection.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
        rows = await rows_by_table(connection)
        await _run("pg_dump", database.engine.url, "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
    return rows


@asynccontextmanager
async def patient(database: Database) -> AsyncIterator[Database]:
    """Open the same database with a connection whose statements may take SLOWEST: a large table is counted in minutes."""
    own = Database(database.url, data=database.data, pool=1, longest=SLOWEST)
    try:
        yield own
    finally:
        await own.close()


async def rows_by_table(connection: AsyncConnection) -> dict[str, int]:
    """Return the rows of each table of PostgreSQL; a partition is a table of its own. Raises StoreAway."""
    tables = (await connection.execute(PG_TABLES)).scalars().all()
    rows = {}
    for table in tables:
        counted = await connection.exec_driver_sql(f'SELECT count(*) FROM public."{table}"')  # noqa: S608 - the catalogue's own names
        rows[str(table)] = int(counted.scalar_one())
    return rows


def sqlite_rows(file: Path) -> dict[str, int]:
    """Return the rows of each table of an SQLite file. Blocks. Raises BackupFailed if it is damaged."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFailed(f"{file}: is damaged")
            tables = [name for (name,) in copy.execute(SQLITE_TABLES)]
            return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608 - the file's own names
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{file}: is no SQLite database ({type(error).__name__})") from None


async def load_scratch(url: URL, file: Path) -> None:
    """Load a dump of PostgreSQL into an empty database. Raises BackupFailed."""
    await _run("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(file))


async def last_backup(database: Database) -> int:
    """Return the Unix time of the last backup of this database, 0 if it has none. Raises StoreAway."""
    wanted = select(func.max(audit.c.time)).where(audit.c.action == ACTION)
    async with database.read() as connection:
        return (await connection.execute(wanted)).scalar() or 0


async def restore(database: Database, file: Path) -> None:
    """Replace the database by a backup, marked as unfinished, in one transaction or not at all. Raises BackupFailed.

    Every host must be stopped (`restore_lock.alone`, `folder_lock.alone`).
    """
    if not await asyncio.to_thread(file.is_file):
        raise BackupFailed(f"{file}: there is no such backup")
    if database.sqlite:
        await database.close()
        await asyncio.to_thread(_replace_sqlite, file, database.path)
        return
    await database.close()
    # The file has no name: a restore that is killed leaves no rows in the data folder.
    with tempfile.TemporaryFile(dir=database.data, buffering=0) as script:
        # The whole file is read before the database is dropped: a truncated copy is found here. psql would run commands of a forged file
        # (`\!`); between the two lines with this key, which no file can know, it runs none.
        key = f"--restrict-key={secrets.token_hex(16)}"
        await _run("pg_restore", None, "--no-owner", "--exit-on-error", key, "--file=-", str(file), into=script)
        script.seek(0)
        mark = MARK.format(f"public.{RESTORING}")  # a dump leaves no search path behind
        await _run("psql", database.engine.url, *ONE_TRANSACTION, *AFRESH, "--file=-", f"--command={mark}", read=script)


async def replay_erasures(database: Database, objects: Objects, logs: SavedLogs) -> tuple[int, int]:
    """Delete again the logs on the erasure list. Idempotent. Returns (entries of the list, logs that the backup had brought back)."""
    listed = {name.rpartition("/")[2] async for name in objects.names("erasures")}
    again = 0
    last = b""
    while listed:
        some = select(log.c.id).where(log.c.id > last).order_by(log.c.id).limit(BATCH)
        async with database.read() as connection:
            idents = (await connection.execute(some)).scalars().all()
        for ident in idents:
            if logs.pseudonyms.erasure(ident).hex() not in listed:
                continue
            async with database.write() as connection:
                await database.guard(connection)
                await logs.take_away(connection, ident)
            again += 1
        if len(idents) < BATCH:
            break
        last = idents[-1]
    await logs.sweep()
    return len(listed), again


def _settle(spare: Path, file: Path) -> None:
    """Write the finished copy to the disk, rename it to its final name, and write that name too."""
    spare.chmod(0o600)
    descriptor = os.open(spare, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    spare.rename(file)
    sync_folder(file.parent)


def _replace_sqlite(file: Path, target: Path) -> None:
    """Check the copy, then swap it in, and remove the WAL of the old file."""
    spare = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(file, spare)
        with contextlib.closing(sqlite3.connect(spare)) as copy:
            verdict = copy.execute("PRAGMA integrity_check").fetchone()
            copy.execute("PRAGMA journal_mode=DELETE")
            if verdict != ("ok",):
                raise BackupFailed(f"{file}: is damaged")
            copy.execute(MARK.format(RESTORING))
        spare.chmod(0o600)
        for tail in ("-wal", "-shm"):
            target.with_name(target.name + tail).unlink(missing_ok=True)
        spare.replace(target)
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{file}: is no SQLite database ({type(error).__name__})") from None
    finally:
        spare.unlink(missing_ok=True)


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL's packages. Raises BackupFailed with the command that installs it."""
    found = shutil.which(name)
    if found:
        return found
    others = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    if not others:
        raise BackupFailed(f"{name} is missing: apt-get install postgresql-client")
    return str(others[-1])


def _where(url: URL) -> list[str]:
    """Return the options by which PostgreSQL's programs find the database."""
    return [
        f"--host={url.host or '127.0.0.1'}",
        f"--port={url.port or 5432}",
        f"--username={url.username or ''}",
        f"--dbname={url.database or ''}",
    ]


async def _run(
    name: str, url: URL | None, *arguments: str, read: IO[bytes] | None = None, into: IO[bytes] | None = None
) -> None:
    """Run a program of PostgreSQL; without a `url`, it gets no database. The password is passed by environment, never on the command line.

    `read`, `into`: its standard input and output.
    """
    environment = dict(os.environ)
    if url is not None and url.password:
        environment["PGPASSWORD"] = str(url.password)
    where = _where(url) if url is not None else []
    process = await asyncio.create_subprocess_exec(
        program(name),
        *where,
        *arguments,
        env=environment,
        stdin=read or asyncio.subprocess.DEVNULL,
        stdout=into,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SLOWEST):
            _, problems = await process.communicate()
    except BaseException as error:  # also if this is cancelled: the program would go on
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise BackupFailed(f"{name} took longer than {SLOWEST} s") from None
        raise
    if process.returncode:
        said = problems.decode(errors="replace").strip()
        if "restrict-key" in said or r"invalid command \restrict" in said:  # of pg_restore, and of psql
            raise BackupFailed(f"{name}: {TOO_OLD}")
        raise BackupFailed(f"{name}: {said.splitlines()[-1:]}")
