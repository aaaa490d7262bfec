"""Restore a database backup completely: load the backup, write back the tables that must stay current (`non_restorable_state`), then repeat the
deletions since the backup.

**Invariant:** no server starts from the database between these steps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from server.data.backup import database_backup, non_restorable_state
from server.data.backup.non_restorable_state import Rows
from server.data.backup.rollback_protection import SealedCopies, SetBack
from server.data.database import schema_migration
from server.data.database.store_reachability import cause_of
from server.data.errors import StoreAway
from server.data.retention.requested_deletion import RequestedDeletions
from server.data.store.store_runner import Parts

LOST = (
    "malformed",
    "schema",
    "io",
)  # causes for which a database counts as lost; the operator must repair others first
SWEPT = 1000  # objects that one sweep removes at most


@dataclass(slots=True)
class Restored:
    """The result of a restore.

    `copied`: Unix time of the copies that the state was read from, 0 if it was read from the database; `kept`: rows by table.
    """

    kept: dict[str, int] = field(default_factory=dict)
    copied: int = 0
    nothing: bool = False  # the database was lost, and no copies existed: everything is as old as the backup
    entries: int = 0
    again: int = 0
    people: int = 0  # values of people whose rows the backup had brought back


async def restore(parts: Parts, file: Path) -> Restored:
    """Replace the database by a backup, and bring it up to today. Raises BackupFailed, StoreAway, ObjectsAway, KeyGone, Busy.

    The current tables are read from the present database. If that is lost, damaged, was set back by other means, or holds an unfinished restore,
    they are read from the sealed copies, which are complete: they are written first whenever the database is usable.
    """
    done = Restored()
    kept = await _kept(parts, done)
    await database_backup.restore(parts.database, file)
    await schema_migration.migrate(parts.database)
    done.kept = await non_restorable_state.put_back(parts.database, kept)
    await _deleted(parts, done)
    return done


async def replay(parts: Parts) -> Restored:
    """Finish a restore by other means: put the copies back if the database is older, and repeat deletions. Raises as `restore`."""
    done = Restored()
    copies = _copies(parts)
    if await non_restorable_state.is_unfinished(parts.database) or not await copies.match_database():
        done.kept = await non_restorable_state.put_back(parts.database, await _loaded(copies, done))
    await _deleted(parts, done)
    return done


async def _deleted(parts: Parts, done: Restored) -> None:
    """Repeat the deletions since the backup."""
    done.people = await RequestedDeletions(parts.database, parts.logs, parts.objects).replay()
    done.entries, done.again = await database_backup.replay_erasures(parts.database, parts.objects, parts.logs)


async def _kept(parts: Parts, done: Restored) -> Rows:
    """Return today's non-restorable rows."""
    copies = _copies(parts)
    try:
        if await _usable(parts):
            while (
                await parts.logs.sweep(SWEPT) == SWEPT
            ):  # pending erasures are in the database that is about to be replaced
                pass
            await copies.keep()
            return await non_restorable_state.current_rows(parts.database, parts.pseudonyms, int(time.time()))
    except SetBack:
        pass
    except StoreAway as error:
        if cause_of(error) not in LOST:
            raise
    return await _loaded(copies, done)


async def _loaded(copies: SealedCopies, done: Restored) -> Rows:
    found = await copies.load()
    if found is None:
        done.nothing = True
        return {}
    done.copied, kept = found
    return kept


async def _usable(parts: Parts) -> bool:
    """Return whether the present database has today's rows; migrates a database of an earlier program."""
    database = parts.database
    if database.sqlite and not database.path.exists():
        return False
    found = await schema_migration.revision(database)
    if not found or await non_restorable_state.is_unfinished(database):
        return False
    if found in schema_migration.REVISIONS:
        await schema_migration.migrate(database)
    return True


def _copies(parts: Parts) -> SealedCopies:
    return SealedCopies(parts.database, parts.objects, parts.pseudonyms)
