"""Read a whole backup to its end, and restore it into an empty place of its own, to compare its counts and hashes.

**Invariant:** nothing of the service is changed: the place is a temporary folder, or a database that is made for it and dropped, or named and empty.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.backup import archive_format as archive
from server.data.backup import database_backup, sealed_box
from server.data.backup.backup_place import Place, Stored, name_at
from server.data.backup.backup_signature import Check
from server.data.backup.database_backup import BackupFailed
from server.data.database.database import Database

SCRATCH: Final = "serendip_verify_"
NUMBER_BITS: Final = 31
LOCK: Final = text(
    "SELECT pg_try_advisory_lock(1585319206, :number)"
)  # of a scratch database, by the number in its name
UNLOCK: Final = text("SELECT pg_advisory_unlock(1585319206, :number)")
Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Unpacked:
    """A checked backup, but for its objects. `sealed`: None if it has no keys; `statement`: files by name."""

    manifest: archive.Manifest = field(default_factory=archive.Manifest)
    database: Path = Path()
    sealed: bytes | None = None
    settings: str = ""
    statement: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """Content of the sealed box: key files, epochs without a key because none of their rows is in the backup, secrets of settings."""

    keys: dict[str, bytes]
    epochs_left: list[int]
    secrets: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification. `rows`: of all tables, as counted in the restored database."""

    manifest: archive.Manifest
    rows: int
    keys: int  # key files that the private key opened; 0 without it
    seconds: float


def unpack(place: Place, one: Stored, folder: Path, progress: Progress, check: Check) -> Unpacked:
    """Read an archive to its end, check it, and extract all but the objects into a folder. Blocks.

    `check`: of its signatures. Raises Foreign, Damaged, ObjectsAway, OSError.
    """
    found = Unpacked(database=folder / "database")
    manifests: list[archive.Manifest] = []
    objects = 0
    with place.open(one) as file:
        for member in archive.members(file, manifests.append, check):
            if member.name == archive.DATABASE:
                found.database.touch(0o600)
                with found.database.open("wb") as into:
                    for chunk in member.chunks():
                        into.write(chunk)
                progress("database", member.size)
            elif member.name == archive.SEALED:
                found.sealed = member.body()
            elif member.name == archive.SETTINGS:
                found.settings = member.body().decode()
            elif member.name.startswith(archive.STATEMENT):
                found.statement[member.name.removeprefix(archive.STATEMENT)] = member.body()
            else:
                objects += 1
                progress("objects", objects)
    found.manifest = manifests[0]
    if found.manifest.created != one.at:
        raise archive.Damaged(f"it was made at {name_at(found.manifest.created)}, and has the name of another time")
    if not found.database.exists():
        raise archive.Damaged("there is no database in it")
    return found


def open_box(box: bytes, key: X25519PrivateKey) -> Opened:
    """Return the content of a backup's sealed box. Raises WrongKey."""
    values = orjson.loads(sealed_box.unseal(key, box))
    keys = {name: base64.b64decode(body) for name, body in values["keys"].items()}
    return Opened(keys, values["epochs_left"], values["secrets"])


async def verify(
    place: Place, one: Stored, database: Database, scratch: Path, *, check: Check,
    key: X25519PrivateKey | None = None, into: str = "", progress: Progress,
) -> Verified:  # fmt: skip
    """Restore a backup into an empty place and compare. `database`: the service's, beside which one is made; `into`: an empty one instead.

    `scratch`: a folder with room for the database; `check`: of the signatures.
    Raises Foreign, Damaged, BackupFailed, WrongKey, StoreAway, ObjectsAway, OSError.
    """
    begun = time.monotonic()
    if not into:  # with it, the service's own database may be lost
        await drop_abandoned(database)
    folder = await asyncio.to_thread(_new_folder, scratch)
    try:
        found = await asyncio.to_thread(unpack, place, one, folder, progress, check)
        opened = open_box(found.sealed, key) if key is not None and found.sealed is not None else None
        if key is not None and opened is None:
            raise BackupFailed(f"{one.name}: holds no keys: backup.public_key was not set when it was made")
        if found.manifest.database == "sqlite":
            rows = await asyncio.to_thread(database_backup.sqlite_rows, found.database)
        else:
            rows = await _restored_rows(database, found.database, into, progress)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    compare(found.manifest, rows)
    return Verified(found.manifest, sum(rows.values()), len(opened.keys) if opened else 0, time.monotonic() - begun)


def _new_folder(scratch: Path) -> Path:
    """Make a folder to unpack a backup into."""
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)  # on a machine that has the private key alone
    remove_abandoned(scratch)
    return Path(tempfile.mkdtemp(prefix=".verify-", dir=scratch))


def remove_abandoned(scratch: Path) -> None:
    """Remove the folders of verifications that were killed a day ago: a whole database is in them. Blocks."""
    for left in scratch.glob(".verify-*"):
        with contextlib.suppress(FileNotFoundError):  # a verification ends just now
            if left.stat().st_mtime < time.time() - 86_400:
                shutil.rmtree(left, ignore_errors=True)


def compare(manifest: archive.Manifest, rows: dict[str, int]) -> None:
    """Raise Damaged if a table has other rows than the manifest says."""
    for table in sorted({*rows, *manifest.rows}):
        wanted, there = manifest.rows.get(table), rows.get(table)
        if wanted != there:
            raise archive.Damaged(f"table {table}: {there} rows were restored, and the manifest says {wanted}")


async def _restored_rows(database: Database, dump: Path, into: str, progress: Progress) -> dict[str, int]:
    """Load a dump of PostgreSQL into an empty database, and count."""
    if database.sqlite and not into:
        raise BackupFailed("it is a backup of PostgreSQL: name an empty database with --into postgresql://…")
    async with _named(database, into) if into else _scratch(database) as url:
        made = Database(url, data=database.data, pool=1, longest=database_backup.SLOWEST)
        try:
            async with made.read() as connection:
                if await database_backup.rows_by_table(connection):
                    raise BackupFailed("the database of --into is not empty")
            progress("restore", 0)
            try:
                await database_backup.load_scratch(made.engine.url, dump)
                async with made.read() as connection:
                    return await database_backup.rows_by_table(connection)
            finally:
                if into:  # it stays, without a row of any user
                    async with made.autocommit() as connection:
                        for command in database_backup.EMPTY:
                            await connection.exec_driver_sql(command)
        finally:
            await made.close()


@asynccontextmanager
async def _named(_database: Database, into: str) -> AsyncIterator[str]:
    scheme, _, rest = into.partition("://")
    if not scheme.startswith("postgres"):
        raise BackupFailed("--into postgresql://… is wanted")
    yield f"postgresql+asyncpg://{rest}"


@asynccontextmanager
async def _scratch(database: Database) -> AsyncIterator[str]:
    """Make an empty database beside the service's own, and drop it. A lock of this session says that its owner lives (`drop_abandoned`)."""
    number = secrets.randbits(NUMBER_BITS)
    async with database_backup.patient(database) as own, own.autocommit() as connection:
        name = f"{await _prefix(connection)}{number}"
        await connection.execute(LOCK, {"number": number})
        try:
            await connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        except DBAPIError as error:
            raise BackupFailed(
                f"the database user may make no database to restore into ({type(error).__name__}): name an empty one with --into URL"
            ) from None
        try:
            yield make_url(database.url).set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            await connection.execute(UNLOCK, {"number": number})


async def _prefix(connection: AsyncConnection) -> str:
    """Return how the names of this database's scratch databases begin: a server may have those of several services."""
    oid = await connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return f"{SCRATCH}{oid.scalar_one()}_"


async def drop_abandoned(database: Database) -> None:
    """Drop the scratch databases of verifications that were killed. Raises StoreAway."""
    if database.sqlite:
        return
    async with database_backup.patient(database) as own, own.autocommit() as connection:
        prefix = await _prefix(connection)
        names = await connection.execute(
            text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)"), {"prefix": prefix}
        )
        for name in names.scalars().all():
            number = {"number": int(name.removeprefix(prefix))}
            if (await connection.execute(LOCK, number)).scalar():
                try:
                    await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
                finally:
                    await connection.execute(UNLOCK, number)
