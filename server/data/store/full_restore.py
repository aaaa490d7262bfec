"""Restore a whole backup into an empty place: keys, database, objects; then repeat the deletions since, and delete what has expired.

The archive is read twice: first it is checked to its end, and nothing is written before.
**Invariant:** no server starts from this place before all of it is done (`folder_lock.RESTORING`), and only the same backup can continue.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import inspect, select

from server.data.backup import archive_format as archive
from server.data.backup import database_backup
from server.data.backup.backup_place import Place, Stored
from server.data.backup.backup_signature import Check, accept_any, signing_keys
from server.data.backup.backup_verification import Opened, Progress, Unpacked, compare, open_box, unpack
from server.data.backup.database_backup import BackupFailed
from server.data.backup.full_backup import COPIED_FIRST, COPIED_LAST, with_secrets
from server.data.backup.ledger_signature import REFUSED, Distrusted, Read, describe, read_ledger
from server.data.backup.non_restorable_state import RESTORING
from server.data.backup.rollback_protection import INDEX, SealedCopies
from server.data.database import folder_lock, key_fingerprints, restore_lock, schema_migration
from server.data.database.database import Database
from server.data.database.database_url import database_url
from server.data.objects.object_store import Objects
from server.data.retention.purge import Purge, Purged
from server.data.schema.moderation_schema import evidence
from server.data.schema.record_schema import log
from server.data.store import restore as restoring
from server.data.store.restore import Restored
from server.data.store.store_runner import Parts, open_parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys

SETTINGS: Final = "restored.toml"  # in the data folder: the settings of the backup, to be compared
PUTS: Final = 8  # objects that are written at the same time
NO_KEYS: Final = (
    "give --key FILE, the private key of the backup; or copy `secret` and `keys/` into the data folder first"
)


@dataclass(slots=True)
class FullyRestored:
    """Result. `left_out`: objects that no row names; `missing`: rows whose object is not in the backup; `ledger`: what was found beside it."""

    manifest: archive.Manifest
    restored: Restored = field(default_factory=Restored)
    purged: Purged = field(default_factory=lambda: Purged(dry=False))
    objects: int = 0
    left_out: int = 0
    missing: int = 0
    ledger: Read = field(default_factory=Read)


class _Ledger:
    """The ledger in a file, since it may be larger than memory: it is read once, and checked before anything is written."""

    def __init__(self, file: Path) -> None:
        self.read = Read()
        self._file = file
        self._sizes: list[tuple[str, int]] = []

    def load(self, place: Place, check: Check, known: int, *, damaged: bool) -> None:
        """Read it. Blocks. Raises Distrusted unless it may be `damaged`, ObjectsAway."""
        with open(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:

            def take(name: str, body: bytes) -> None:
                self._sizes.append((name, len(body)))
                file.write(body)

            self.read = read_ledger(place, check, known, take, damaged=damaged)
        if self.read.wrong and not damaged:
            raise Distrusted(REFUSED.format("; ".join(self.read.wrong)))

    async def entries(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield the entries, the index of the copies last."""
        if self._sizes:
            with await asyncio.to_thread(self._file.open, "rb") as file:
                for name, size in self._sizes:
                    yield name, await asyncio.to_thread(file.read, size)


class FullRestore:
    """One restore of one backup."""

    def __init__(
        self, settings: Settings, place: Place, one: Stored, key: X25519PrivateKey | None, progress: Progress,
        *, keep_objects: bool = False, unsigned: bool = False, damaged_ledger: bool = False,
    ) -> None:  # fmt: skip
        """`keep_objects`: the object store is the living one and stays as it is; its copies say what was deleted since. `unsigned`: accept
        a backup and a ledger without a valid signature; `damaged_ledger`: use what is whole of a ledger that cannot be trusted.
        """
        self._settings = settings
        self._place = place
        self._one = one
        self._key = key
        self._progress = progress
        self._keep_objects = keep_objects
        self._unsigned = unsigned
        self._damaged_ledger = damaged_ledger or unsigned

    async def run(self, audit: Callable[[Parts, FullyRestored], Awaitable[None]]) -> FullyRestored:
        """Restore. `audit` writes the line of the audit log.

        Raises Busy, BackupFailed, Foreign, Damaged, Distrusted, WrongKey, SecretError, StoreAway, ObjectsAway.
        """
        data = self._settings.data
        secret_keys.folder(data)
        database = Database(database_url(self._settings.store, data), data=data)
        try:
            with folder_lock.alone(data), _scratch(data) as folder:
                async with restore_lock.alone(database):
                    await self._check_place(database)
                    check = accept_any if self._unsigned else signing_keys(self._settings, self._key).check
                    found = await asyncio.to_thread(unpack, self._place, self._one, folder, self._progress, check)
                    opened = self._open(found)
                    ledger = _Ledger(folder / "ledger")
                    if not self._keep_objects:
                        known, damaged = found.manifest.ledger, self._damaged_ledger
                        await asyncio.to_thread(ledger.load, self._place, check, known, damaged=damaged)
                    await asyncio.to_thread(folder_lock.begin_restore, data, self._one.name)
                    await asyncio.to_thread(self._write_files, found, opened)
                    done = await self._restore(found, opened, ledger, folder, audit)
                    await asyncio.to_thread(folder_lock.end_restore, data)
        finally:
            await database.close()
        return done

    async def _check_place(self, database: Database) -> None:
        """Refuse a place that is not empty, unless a restore of this backup into it was interrupted."""
        data = self._settings.data
        begun = folder_lock.restore_begun(data)
        if begun == self._one.name:
            return
        if begun:
            raise BackupFailed(f"a restore of {begun} into {data} was interrupted: call it again with that one")
        full = []
        if await _has_tables(database):
            full.append("the database has tables")
        if self._key is not None and ((data / secret_keys.SECRET).exists() or secret_keys.is_lost(data)):
            full.append(f"{data} has keys")
        objects = Objects(self._settings.objects, data)
        if not self._keep_objects:
            full += [f"the object store has {name}" for name in [await _first(objects)] if name]
        if full:
            raise BackupFailed(
                f"the place is not empty: {'; '.join(full)}. Restore into an empty one; a database alone is put back by `serendip db restore`"
            )

    def _open(self, found: Unpacked) -> Opened | None:
        """Return keys and secrets of the backup; None if the operator's own copy of the keys is used."""
        kind = "postgresql" if self._settings.store.url.get_secret_value().startswith("postgres") else "sqlite"
        if found.manifest.database != kind:
            raise BackupFailed(
                f"it is a backup of {found.manifest.database}, and store.url names another kind of database"
            )
        if self._key is None:
            if not (self._settings.data / secret_keys.SECRET).exists():
                raise BackupFailed(NO_KEYS)
            return None
        if found.sealed is None:
            raise BackupFailed(f"{self._one.name} holds no keys: {NO_KEYS}")
        return open_box(found.sealed, self._key)

    def _write_files(self, found: Unpacked, opened: Opened | None) -> None:
        """Write keys, statement and settings. Blocks."""
        data = self._settings.data
        if opened is not None:
            secret_keys.install(data, opened.keys)
        (data / "statement").mkdir(mode=0o700, exist_ok=True)
        for name, body in found.statement.items():
            (data / "statement" / Path(name).name).write_bytes(body)
        text = with_secrets(found.settings, opened.secrets if opened else {})
        with open(os.open(data / SETTINGS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    async def _restore(
        self, found: Unpacked, opened: Opened | None, ledger: _Ledger, folder: Path,
        audit: Callable[[Parts, FullyRestored], Awaitable[None]],
    ) -> FullyRestored:  # fmt: skip
        parts = await asyncio.to_thread(lambda: open_parts(self._settings, secret_keys.load(self._settings.data)))
        done = FullyRestored(found.manifest, ledger=ledger.read)
        try:
            await database_backup.restore(parts.database, found.database)
            await self._compare(parts, found)
            await schema_migration.migrate(parts.database)
            if not self._keep_objects:
                with contextlib.closing(await asyncio.to_thread(_names_db, folder)) as named:
                    await _collect_names(parts, named)
                    await self._objects(parts, named, done)
                await _put_ledger(parts, ledger)
            done.restored = await restoring.replay(parts)
            if opened is not None:
                await key_fingerprints.forget(parts.database, opened.epochs_left)
            done.purged = await Purge(
                parts.database, parts.logs, parts.objects, self._settings.retention, progress=self._progress
            ).run()
            await audit(parts, done)
        finally:
            await parts.database.close()
        return done

    async def _compare(self, parts: Parts, found: Unpacked) -> None:
        """Compare the rows that are in the database now with the manifest."""
        if parts.database.sqlite:
            compare(found.manifest, await asyncio.to_thread(database_backup.sqlite_rows, found.database))
            return
        async with database_backup.patient(parts.database) as own, own.read() as connection:
            rows = await database_backup.rows_by_table(connection)
        rows.pop(RESTORING, None)
        compare(found.manifest, rows)

    async def _objects(self, parts: Parts, named: sqlite3.Connection, done: FullyRestored) -> None:
        """Write the objects that rows name, and all that serve a restore."""
        loop = asyncio.get_running_loop()
        limit = asyncio.Semaphore(PUTS)

        async def put(name: str, body: bytes) -> None:
            try:
                await parts.objects.put(name, body)
            finally:
                limit.release()

        waiting: set[asyncio.Task[None]] = set()
        bodies = self._bodies(done.manifest)
        while (one := await asyncio.to_thread(next, bodies, None)) is not None:
            name, body = one
            served = name.startswith(tuple(f"{folder}/" for folder in COPIED_LAST))
            if not served and not await asyncio.to_thread(_take, named, name):
                done.left_out += 1
                continue
            await limit.acquire()
            waiting.add(loop.create_task(put(name, body)))
            done.objects += 1
            self._progress("objects written", done.objects)
            for task in [task for task in waiting if task.done()]:
                waiting.remove(task)
                await task
        await asyncio.gather(*waiting)
        done.missing = await asyncio.to_thread(lambda: int(named.execute("SELECT count(*) FROM named").fetchone()[0]))

    def _bodies(self, checked: archive.Manifest) -> Iterator[tuple[str, bytes]]:
        """Yield the objects of the archive. Blocks. Raises Damaged at its end if it is not the one that was checked."""

        def compare_manifest(manifest: archive.Manifest) -> None:
            if manifest != checked:
                raise archive.Damaged("it was replaced while it was read")

        with self._place.open(self._one) as file:
            for member in archive.members(file, compare_manifest, accept_any):
                if member.name.startswith(archive.OBJECTS):
                    yield member.name.removeprefix(archive.OBJECTS), member.body()


async def _put_ledger(parts: Parts, ledger: _Ledger) -> None:
    """Add the deletions since the backup, and replace its copies of the state by those of the last minutes before the loss; nothing else."""
    copies = SealedCopies(parts.database, parts.objects, parts.pseudonyms)
    unreadable = []
    async for name, body in ledger.entries():
        if not await copies.opens(name, body):  # of another program, in a ledger that is taken as it is
            unreadable.append(name)
        elif name == INDEX and (why := await copies.refusal(body)):
            ledger.read.skipped.append(f"the copies of the state: {why}")
        else:
            await parts.objects.put(name, body)
    ledger.read.skipped += describe("not sealed with the keys of this service", unreadable)


@contextlib.contextmanager
def _scratch(data: Path) -> Iterator[Path]:
    """Make a folder to unpack the backup into, and remove that of a killed restore. Call it with the folder's lock."""
    for left in data.glob(".restore-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=data))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _has_tables(database: Database) -> bool:
    if database.sqlite:  # not opened: its file is going to be replaced
        return await asyncio.to_thread(lambda: database.path.exists() and database.path.stat().st_size > 0)
    async with database.read() as connection:
        return bool(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def _first(objects: Objects) -> str:
    """Return the name of any object, empty without one."""
    for folder in (*COPIED_FIRST, *COPIED_LAST):
        async for name in objects.names(folder):
            return name
    return ""


def _names_db(folder: Path) -> sqlite3.Connection:
    """Make a table of names on disk: there may be millions."""
    made = sqlite3.connect(folder / "named.db", check_same_thread=False, isolation_level=None)
    made.execute("PRAGMA journal_mode=OFF")
    made.execute("CREATE TABLE named (name TEXT PRIMARY KEY) WITHOUT ROWID")
    return made


async def _collect_names(parts: Parts, named: sqlite3.Connection) -> None:
    """Note the objects that rows name."""
    for column in (log.c.object, evidence.c.object):
        async with parts.database.read() as connection:
            async for some in (await connection.stream(select(column))).partitions(1000):
                rows = [(row[0],) for row in some if row[0]]
                await asyncio.to_thread(named.executemany, "INSERT OR IGNORE INTO named VALUES (?)", rows)


def _take(named: sqlite3.Connection, name: str) -> bool:
    """Return whether a row names this object, and note that it is there."""
    return named.execute("DELETE FROM named WHERE name = ?", (name,)).rowcount > 0
