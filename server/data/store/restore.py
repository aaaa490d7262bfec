"""A restore, whole. Rule: a backup, then what must not be as old as it, then the deletions since; no server starts in between.

What must not be as old (`upkeep.PARTS`) is taken from the database that is about to go. Where that is lost, damaged, was set back
by other means, or holds an unfinished restore, it comes from the sealed copies, which are complete since they are written first
wherever there is something to write them from.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from server.data.backup import database_backup, non_restorable_state
from server.data.backup.non_restorable_state import Rows
from server.data.backup.sealed_copies import Copies, SetBack
from server.data.database import schema_migration
from server.data.database.store_reachability import cause_of
from server.data.errors import StoreAway
from server.data.retention.requested_deletion import Removal
from server.data.store.service import Parts

LOST = ("malformed", "schema", "io")  # causes for which a database is given up; others are to be mended first
SWEPT = 1000  # objects that one sweep removes at most


@dataclass(slots=True)
class Restored:
    """What a restore did. `copied`: when the copies were written from which the upkeep came, 0: from the database; `kept`: rows by table."""

    kept: dict[str, int] = field(default_factory=dict)
    copied: int = 0
    nothing: bool = False  # the database was lost, and there were no copies: all is as old as the backup
    entries: int = 0
    again: int = 0
    people: int = 0  # values of people whose rows had come back


async def restore(parts: Parts, file: Path) -> Restored:
    """Put a backup in the place of the database and bring it up to today. Raises BackupFailed, StoreAway, ObjectsAway, KeyGone, Busy."""
    done = Restored()
    kept = await _kept(parts, done)
    await database_backup.restore(parts.database, file)
    await schema_migration.migrate(parts.database)
    done.kept = await non_restorable_state.put_back(parts.database, kept)
    await _deleted(parts, done)
    return done


async def replay(parts: Parts) -> Restored:
    """After a restore by other means: the same, of what the copies have where the database is older. Raises as `restore`."""
    done = Restored()
    copies = _copies(parts)
    if await non_restorable_state.is_unfinished(parts.database) or not await copies.match_database():
        done.kept = await non_restorable_state.put_back(parts.database, await _loaded(copies, done))
    await _deleted(parts, done)
    return done


async def _deleted(parts: Parts, done: Restored) -> None:
    """The deletions since."""
    done.people = await Removal(parts.database, parts.logs, parts.objects).replay()
    done.entries, done.again = await database_backup.replay_erasures(parts.database, parts.objects, parts.logs)


async def _kept(parts: Parts, done: Restored) -> Rows:
    """Today's rows."""
    copies = _copies(parts)
    try:
        if await _usable(parts):
            while (
                await parts.logs.sweep(SWEPT) == SWEPT
            ):  # what waits for the erasure list stands in what is about to go
                pass
            await copies.keep()
            return await non_restorable_state.current_rows(parts.database, parts.pseudonyms, int(time.time()))
    except SetBack:
        pass
    except StoreAway as error:
        if cause_of(error) not in LOST:
            raise
    return await _loaded(copies, done)


async def _loaded(copies: Copies, done: Restored) -> Rows:
    found = await copies.load()
    if found is None:
        done.nothing = True
        return {}
    done.copied, kept = found
    return kept


async def _usable(parts: Parts) -> bool:
    """Whether there is a database whose rows are today's; one of an earlier program is brought up to date."""
    database = parts.database
    if database.sqlite and not database.path.exists():
        return False
    found = await schema_migration.revision(database)
    if not found or await non_restorable_state.is_unfinished(database):
        return False
    if found in schema_migration.REVISIONS:
        await schema_migration.migrate(database)
    return True


def _copies(parts: Parts) -> Copies:
    return Copies(parts.database, parts.objects, parts.pseudonyms)
