"""Protect rows, such as deletion requests, from being rolled back when the database is restored: keep an encrypted, current copy of them in the
object store (`non_restorable_state.py` lists them).

**Invariant:** a copy is at most COPY_WITHIN_S seconds old, and is never replaced by older rows. If the database was restored without the copies,
`keep` raises SetBack until `serendip privacy replay` has applied them.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import LargeBinary, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.backup.non_restorable_state import COPIED, Part, Row, Rows, rows, stamp
from server.data.database.database import Database
from server.data.errors import ObjectsAway
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.object_store import Objects
from server.data.schema.record_schema import audit

COPY_WITHIN_S = 60.0  # from a change to its copy at most, while the server runs
SPREAD = 64  # pieces of a table whose keys are random
NUMBERED = 256  # rows of a table whose keys are numbers, in a piece: 3 MB at most, which objects.LARGEST lets through
PREFIX = "upkeep"
INDEX = "upkeep/index"
AUDIT_S = 364 * 86_400  # the purge deletes older lines of the audit log, so that their absence means nothing


class SetBack(RuntimeError):
    """The database lacks rows that the copies have: it was restored by other means than `serendip db restore`."""

    def __init__(self) -> None:
        super().__init__(
            "the database is older than the copies of its non-restorable state: stop the server, then serendip privacy replay"
        )


class SealedCopies:
    """Writes and reads the copies. `clock`: Unix seconds.

    The object `upkeep/index` names, for each part, its stamp and its pieces. A piece is `upkeep/PART/DIGEST`: rows as JSON, encrypted under the
    permanent key (`Pseudonyms`, domain `kept`) with the piece's name. A change writes the changed pieces, then the index, then deletes pieces that
    the index no longer names; a kill between any two steps leaves the last complete copy. The database counts as restored if it lacks the newest
    audit line of the index.
    """

    def __init__(
        self, database: Database, objects: Objects, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._objects = objects
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def keep(self) -> bool:
        """Write the changed parts; return whether any had changed. Raises SetBack, Busy while another process does it, StoreAway, ObjectsAway."""
        async with self._database.only_copier():
            try:
                index = await self._index()
            except KeyGone:  # the operator accepted the loss of the keys: the old copies are unreadable
                index = None
            async with self._database.read() as connection:
                if not await self._continues(connection, index):
                    raise SetBack
                stamps = {part.name: await stamp(connection, part) for part in COPIED}
                old = index or {"stamps": {}, "pieces": {}}
                changed = [part for part in COPIED if stamps[part.name] != old["stamps"].get(part.name)]
                if not changed or (index is None and not any(map(any, stamps.values()))):
                    return False
                found = {part.name: await _read_rows(connection, part, old["pieces"]) for part in changed}
                newest = (
                    await connection.execute(select(audit.c.id, audit.c.time).order_by(audit.c.id.desc()).limit(1))
                ).first()
            pieces = dict(old["pieces"])
            for part in changed:
                first = str(stamps[part.name][0] // NUMBERED) if part.appended else ""
                stay = {
                    share: name
                    for share, name in pieces.get(part.name, {}).items()
                    if part.appended and int(share) >= int(first)
                }
                pieces[part.name] = stay | await self._put(part, found[part.name])
            index = {
                "at": int(self._clock()),
                "newest": list(newest) if newest else None,
                "stamps": stamps,
                "pieces": pieces,
            }
            await self._write(INDEX, orjson.dumps(index))
            named = {INDEX, *(name for names in pieces.values() for name in names.values())}
            for name in [name async for name in self._objects.names(PREFIX) if name not in named]:
                await self._objects.delete(name)
        return True

    async def load(self) -> tuple[int, Rows] | None:
        """Return (Unix time of the copies, their rows), or None without copies. Raises KeyGone, and ObjectsAway also if a piece is missing."""
        index = await self._index()
        if index is None:
            return None
        found: Rows = {}
        for part in COPIED:
            found[part.name] = []
            for name in index["pieces"].get(part.name, {}).values():
                body = await self._read(name)
                if body is None:
                    raise ObjectsAway(f"{name} is missing")
                found[part.name] += [_read(part, row) for row in body]
        return index["at"], found

    async def match_database(self) -> bool:
        """Return whether the copies are of this database, or of an earlier state of it; True without copies. Raises as `keep`, and KeyGone."""
        index = await self._index()
        async with self._database.read() as connection:
            return await self._continues(connection, index)

    async def opens(self, name: str, body: bytes) -> bool:
        """Return whether the keys of this service sealed an object under this name; an entry of the erasure list may be empty."""
        if not body:
            return not name.startswith(PREFIX)
        try:
            await asyncio.to_thread(self._pseudonyms.open_copy, name, body)
        except (KeyGone, ValueError):  # ValueError: too short to be sealed
            return False
        return True

    async def refusal(self, body: bytes) -> str:
        """Return why an index that opens may not replace the present one, empty if it may. Raises ObjectsAway."""
        index = orjson.loads(self._pseudonyms.open_copy(INDEX, body))
        try:
            present = await self._index()
        except KeyGone:
            present = None
        if present is not None and _order(present) > _order(index):
            return "they are older than those of the backup"
        there = {name async for name in self._objects.names(PREFIX)}
        lacking = {name for names in index["pieces"].values() for name in names.values()} - there
        return f"{len(lacking)} of their pieces are missing" if lacking else ""

    async def _continues(self, connection: AsyncConnection, index: dict[str, Any] | None) -> bool:
        if index is None or index["newest"] is None:
            return True
        number, at = index["newest"]
        known = select(audit.c.id).where(audit.c.id == number, audit.c.time == at)
        return at < self._clock() - AUDIT_S or (await connection.execute(known)).first() is not None

    async def _put(self, part: Part, found: list[Row]) -> dict[str, str]:
        """Write the pieces of a part that are not in the object store, and return the names of all its pieces, by share."""
        there = {name async for name in self._objects.names(f"{PREFIX}/{part.name}")}
        names = {}
        for number, share in (await asyncio.to_thread(_shares, part, found)).items():
            name, body = await asyncio.to_thread(self._named, part, share)
            if name not in there:
                await self._write(name, body)
            names[str(number)] = name
        return names

    def _named(self, part: Part, share: list[Row]) -> tuple[str, bytes]:
        """Return a piece and its name, which is a digest of it. Runs in a thread: a part has thousands of rows."""
        body = orjson.dumps([_plain(row) for row in share])
        digest = self._pseudonyms.secret_hash(b"upkeep", body)
        name = f"upkeep/{part.name}/{digest.hex()}"
        return name, body

    async def _index(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self._read(INDEX)
        return found

    async def _write(self, name: str, body: bytes) -> None:
        await self._objects.put(name, await asyncio.to_thread(self._pseudonyms.seal_copy, name, body))

    async def _read(self, name: str) -> Any:
        """Return the content of an object, None if it does not exist. Raises KeyGone if it was sealed with another key."""
        body = await self._objects.get(name)
        return None if body is None else orjson.loads(self._pseudonyms.open_copy(name, body))


def _order(index: dict[str, Any]) -> tuple[int, int]:
    """Return what grows with each index: its second, and the newest line of the audit log."""
    return index["at"], (index["newest"] or [0])[0]


async def _read_rows(connection: AsyncConnection, part: Part, old: dict[str, dict[str, str]]) -> list[Row]:
    """Return the rows of a part that may have changed; of an append-only part, those of the first share and from the last share on."""
    if not part.appended:
        return await rows(connection, part, *(() if part.within is None else (part.within,)))
    ident, known = part.key, old.get(part.name, {})
    first = (await stamp(connection, part))[0] // NUMBERED
    last = max(map(int, known), default=0)
    return await rows(connection, part, or_(ident < (first + 1) * NUMBERED, ident >= last * NUMBERED))


def _shares(part: Part, found: list[Row]) -> dict[int, list[Row]]:
    """Group rows by the piece that they belong to."""
    key = part.key.name
    shares: dict[int, list[Row]] = defaultdict(list)
    for row in found:
        value = row[key]
        shares[value // NUMBERED if isinstance(value, int) else ord(value[-1:]) % SPREAD].append(row)
    return shares


def _plain(row: Row) -> Row:
    """Return a row for JSON, with bytes as base64."""
    return {
        str(name): base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in row.items()  # not SQLAlchemy's own kind of text
    }


def _read(part: Part, row: Row) -> Row:
    """Return the row of `_plain`, by the table's columns; a column that this program does not know is dropped."""
    return {
        name: base64.b64decode(value)
        if value is not None and isinstance(part.table.c[name].type, LargeBinary)
        else value
        for name, value in row.items()
        if name in part.table.c
    }
