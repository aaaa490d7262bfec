"""Make a whole backup: database, objects, statement and settings in one archive, with the service's keys sealed to the operator's public key.

The database is dumped first; objects follow as the store has them then. An object that is newer than the dump is named by no row, and a restore
leaves it out. A backup holds only the epoch keys that rows in it may need.
**Invariant:** memory is bounded whatever the service holds: AHEAD objects and the parts on their way. A failure leaves no archive.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import orjson
from pydantic import BaseModel, SecretStr

from server.data.backup import archive_format as archive
from server.data.backup import database_backup, sealed_box
from server.data.backup.backup_place import Place, Stored, find, name_at, past
from server.data.backup.backup_signature import signing_keys
from server.data.backup.backup_verification import drop_abandoned, remove_abandoned
from server.data.backup.database_backup import BackupFailed
from server.data.backup.ledger_signature import signed_at
from server.data.backup.rollback_protection import INDEX
from server.data.database import schema_migration
from server.data.database.database import Database
from server.data.keys.epoch_keys import due
from server.data.objects.object_store import Objects
from server.data.privacy import audit_log
from server.ops.config.setting_sources import leaves
from server.ops.config.settings import Settings
from server.ops.process.first_done import until_done
from server.ops.security import secret_keys
from server.ops.version import VERSION

AHEAD: Final = 8  # objects that are read ahead
DUMP: Final = ".backup-*"  # in the data folder, while one is made
COPIED_FIRST: Final = ("child", "evidence", "logs", "snaps")
COPIED_LAST: Final = ("erasures", "upkeep")  # as they are at the end
SERVICE: Final = "service"  # in the place: a fingerprint of the service whose backups are there
FOREIGN: Final = (
    "{} has the backups of another service, or of this one before its keys were lost. A new service would replace them and the list of its"
    " deletions: choose another place, or restore from this one; to give them up, delete the object `service` there"
)
PASSES: Final = 20  # over the copies of the state, if they change each time
Progress = Callable[[str, int], None]  # what, how many so far


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup."""

    name: str
    size: int
    manifest: archive.Manifest


class BackupMaker:
    """Makes whole backups of one service into a place. `clock`: Unix seconds."""

    def __init__(
        self, settings: Settings, database: Database, objects: Objects, place: Place, *,
        clock: Callable[[], float] = time.time, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._database = database
        self._objects = objects
        self._place = place
        self._clock = clock
        self._progress = progress or (lambda _what, _count: None)

    async def make(self, operator: str, why: str, *, within: float = 0.0) -> Made:
        """Make a backup, and delete those that are too many or too old. `within`: seconds to wait for another process that makes one.

        Raises Busy, BackupFailed, StoreAway, ObjectsAway, OSError.
        """
        async with self._database.only_backup(within):
            await asyncio.to_thread(claim, self._place, self._settings.data)
            await asyncio.to_thread(self._sweep)
            await drop_abandoned(self._database)
            made = await self._make()
            gone = await asyncio.to_thread(self.delete_old)
            outcome = f"{made.name}: {made.size} bytes, {made.manifest.objects} objects; deleted {len(gone)} old ones"
            await audit_log.write_entry(
                self._database, now=int(self._clock()), operator=operator, action=database_backup.ACTION, why=why,
                outcome=outcome,
            )  # fmt: skip
        return made

    def delete_old(self) -> list[Stored]:
        """Delete the backups beyond the number that stays, and those past their days; return them. Blocks."""
        there, options = past(self._place, self._clock()), self._settings
        oldest = self._clock() - options.retention.backup_days * 86_400
        spare = len(there) - options.backup.keep
        gone = [one for place, one in enumerate(there) if place < spare or one.at < oldest]
        for one in gone:
            self._place.delete(one.name)
        return gone

    async def _make(self) -> Made:
        data, now = self._settings.data, self._clock()
        manifest = archive.Manifest(version=VERSION, created=int(now))
        manifest.ledger = await asyncio.to_thread(signed_at, self._place, signing_keys(self._settings).check)
        dump = data / DUMP.replace("*", secrets.token_hex(4))
        try:
            self._progress("database", 0)
            manifest.revision = await schema_migration.revision(self._database)
            manifest.database = "sqlite" if self._database.sqlite else "postgresql"
            manifest.rows = await database_backup.dump_counted(self._database, dump)
            self._progress("database", sum(manifest.rows.values()))
            with tempfile.TemporaryFile(dir=data) as names:
                await self._list(names)
                await _in_thread(self._write, name_at(now), manifest, dump, names, asyncio.get_running_loop())
        finally:
            await asyncio.to_thread(dump.unlink, missing_ok=True)
        made = await asyncio.to_thread(find, self._place, name_at(now))
        return Made(made.name, made.size, manifest)

    async def _list(self, names: IO[bytes]) -> None:
        """Write the names of all objects but the last into a file, a line each."""
        for folder in COPIED_FIRST:
            async for name in self._objects.names(folder):
                names.write(f"{name}\n".encode())
        names.seek(0)

    def _write(
        self, name: str, manifest: archive.Manifest, dump: Path, names: IO[bytes], loop: asyncio.AbstractEventLoop,
        stop: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Write the archive. Runs in a thread."""
        self._place.write(name, _until(stop, self._chunks(manifest, dump, names, loop)))

    def _chunks(
        self, manifest: archive.Manifest, dump: Path, names: IO[bytes], loop: asyncio.AbstractEventLoop
    ) -> Iterator[bytes]:
        writer = archive.Writer(signing_keys(self._settings).sign)
        if self._settings.backup.public_key:
            manifest.keys = True
            yield from writer.body(archive.SEALED, self._sealed())
        yield from writer.body(archive.SETTINGS, settings_text(self._settings).encode())
        for file in sorted(path for path in (self._settings.data / "statement").glob("*.json") if path.is_file()):
            yield from writer.body(f"{archive.STATEMENT}{file.name}", file.read_bytes())
        yield from writer.file(archive.DATABASE, dump)
        for count, (name, body) in enumerate(chain(self._bodies(names, loop), self._last(loop)), start=1):
            yield from writer.body(f"{archive.OBJECTS}{name}", body)
            self._progress("objects", count)
        yield from writer.end(manifest)

    def _bodies(self, names: IO[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[tuple[str, bytes]]:
        """Yield the objects, read a few ahead; one that is gone since it was listed is passed over."""
        waiting: deque[tuple[str, Future[bytes | None]]] = deque()
        lines = iter(names)
        try:
            while True:
                while len(waiting) < AHEAD and (line := next(lines, None)) is not None:
                    name = line.decode().rstrip("\n")
                    waiting.append((name, asyncio.run_coroutine_threadsafe(self._objects.get(name), loop)))
                if not waiting:
                    return
                name, future = waiting.popleft()
                if (body := future.result()) is not None:
                    yield name, body
        finally:
            for _, future in waiting:
                future.cancel()

    def _last(self, loop: asyncio.AbstractEventLoop) -> Iterator[tuple[str, bytes]]:
        """Yield the deletions and the copies of the state."""
        found = last_objects(self._objects, set())

        async def following() -> tuple[str, bytes] | None:
            return await anext(found, None)

        while (one := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            yield one

    def _sealed(self) -> bytes:
        """Return keys and secrets, sealed."""
        settings, now = self._settings, self._clock()
        rows_live = settings.retention.days + 1  # days after which no row of this backup is of an epoch
        found = secret_keys.export(settings.data)
        epochs = {name: int(stem) for name in found if (stem := Path(name).stem).isdigit()}
        left = {name: epoch for name, epoch in epochs.items() if due(epoch, now, rows_live)}
        keys = {name: base64.b64encode(body).decode() for name, body in found.items() if name not in left}
        body = {"keys": keys, "epochs_left": sorted(left.values()), "secrets": secrets_of(settings)}
        return sealed_box.seal(settings.backup.public_key, orjson.dumps(body))

    def _sweep(self) -> None:
        """Remove what a killed maker or verification left in the data folder. Blocks."""
        for left in self._settings.data.glob(DUMP):
            left.unlink(missing_ok=True)
        remove_abandoned(self._settings.data)


async def last_objects(objects: Objects, known: set[str]) -> AsyncIterator[tuple[str, bytes]]:
    """Yield the deletions and the copies of the state that are not `known`, and the index of the copies after all pieces that it names.

    The copies may change meanwhile: it looks again until the index stayed the same. At the end `known` has the names that are there. Raises
    BackupFailed, ObjectsAway.
    """
    given = set(known)
    for _ in range(PASSES):
        index = await objects.get(INDEX)
        there = {name for folder in COPIED_LAST async for name in objects.names(folder)}
        for name in sorted(there - given - {INDEX}):
            if (body := await objects.get(name)) is not None:
                given.add(name)
                yield name, body
        if await objects.get(INDEX) == index:  # pieces that an index names are deleted after the next index is written
            known.clear()
            known.update(there)
            if index is not None:
                yield INDEX, index
            return
    raise BackupFailed("the copies of the state changed each time they were read")


def claim(place: Place, data: Path) -> None:
    """Note whose backups are in a place. Blocks. Raises BackupFailed if they are another service's, SecretError, ObjectsAway."""
    keys = secret_keys.load(data)
    mine = secret_keys.Secret(keys.lasting[secret_keys.Purpose.KEPT], 0).fingerprint().hex().encode()
    there = place.get(SERVICE)
    if there is None:
        place.put(SERVICE, mine)
    elif there != mine:
        raise BackupFailed(FOREIGN.format(place.url))


def secrets_of(settings: Settings) -> dict[str, Any]:
    """Return the secrets by the names of their settings. A setting that has some within, such as `recipients`, is there as a whole."""
    found: dict[str, Any] = {}
    for name, (value, _) in leaves(settings):
        if isinstance(value, SecretStr):
            if value.get_secret_value():
                found[name] = value.get_secret_value()
        elif isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value):
            found[name] = [_revealed(one) for one in value]
    return found


def _revealed(model: BaseModel) -> dict[str, Any]:
    """Return the values of a part of the settings, also those that are not published."""
    hidden = {name: getattr(model, name) for name, field in type(model).model_fields.items() if field.exclude}
    plain = {name: one.get_secret_value() if isinstance(one, SecretStr) else one for name, one in hidden.items()}
    return {**model.model_dump(mode="json"), **plain}


def with_secrets(text: str, values: Mapping[str, Any]) -> str:
    """Return settings as TOML together with `secrets_of`, in place of the lines of the same names."""
    lines = [line for line in text.splitlines() if line.partition(" = ")[0] not in values]
    return "".join(f"{line}\n" for line in [*lines, *(f"{name} = {_toml(value)}" for name, value in values.items())])


def settings_text(settings: Settings) -> str:
    """Return the settings that differ from their defaults as TOML, without secrets."""
    defaults = dict(leaves(Settings()))
    plain = settings.model_dump(mode="json")
    lines = []
    for name, (value, _) in leaves(settings):
        if name != "data" and not isinstance(value, SecretStr) and value != defaults[name][0]:
            written: Any = plain
            for step in name.split("."):
                written = written[step]
            lines.append(f"{name} = {_toml(written)}")
    return "".join(f"{line}\n" for line in lines)


def _toml(value: Any) -> str:
    """Return a plain value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return orjson.dumps(value).decode().replace("\x7f", "\\u007F")


def _until(stop: Callable[[], bool], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of an archive until it shall stop. Raises BackupFailed then."""
    for chunk in chunks:
        if stop():
            raise BackupFailed("it was interrupted")
        yield chunk


async def _in_thread(work: Callable[..., None], *words: Any) -> None:
    """Run work in a thread, whose last argument says whether it shall stop: when this is cancelled, the thread ends first."""
    stopped = False
    running = asyncio.ensure_future(asyncio.to_thread(work, *words, lambda: stopped))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped = True
        await until_done(running)  # the thread waits for this loop
        raise
