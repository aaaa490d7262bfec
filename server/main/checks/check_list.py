"""List all checks of a deployment, each with its place: every start, `serendip check`, or `serendip doctor` alone.

**Invariant:** a later place runs the checks of the earlier ones too, and no check is written twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final, NamedTuple

from server.data.backup.backup_place import open_place
from server.data.backup.database_backup import last_backup
from server.data.database.database import Database
from server.data.errors import ObjectsAway, StoreAway
from server.data.objects.lost_objects import sample
from server.data.objects.object_store import REMEDIES, Objects
from server.data.store.store_runner import Parts
from server.main.checks.alert_path_checks import alert_path
from server.main.checks.check_finding import Finding, error, ok, warning
from server.main.checks.external_service_checks import outside
from server.main.checks.local_checks import local
from server.main.checks.machine_checks import machine
from server.main.checks.running_server_checks import running_server
from server.ops.config.settings import Settings
from server.ops.security.secret_keys import Keys

BACKUP_MOST_H: Final = 36
LOST_MOST: Final = 0.5  # of the objects; as in the alert SerendipObjectsLost


class Place(IntEnum):
    """Places of checks, the earliest first."""

    START = 0  # each start, and all below: needs no other server
    CHECK = 1  # `serendip check`: the services that this server uses
    DOCTOR = 2  # `serendip doctor`: the machine, the running server, the operator's own means


class Surroundings(NamedTuple):
    """Inputs of the checks. `keys`: None if there is no data folder yet; `parts`: None if nothing is stored; `send`: send a test alert."""

    settings: Settings
    keys: Keys | None
    parts: Parts | None
    send: bool


class Check(NamedTuple):
    """A group of checks."""

    place: Place
    run: Callable[[Surroundings], Awaitable[list[Finding]]]


async def _local(around: Surroundings) -> list[Finding]:
    return await asyncio.to_thread(local, around.settings)


async def _outside(around: Surroundings) -> list[Finding]:
    return [] if around.keys is None else await outside(around.settings, around.keys, around.parts)


async def _machine(around: Surroundings) -> list[Finding]:
    return await asyncio.to_thread(machine, around.settings)


async def _backup(around: Surroundings) -> list[Finding]:
    """Check the age of the last backup, and the place of whole backups."""
    if around.parts is None:
        return []
    options = around.settings.backup
    found = []
    if options.url:
        try:
            count = len(await asyncio.to_thread(lambda: open_place(options).stored()))
            found.append(ok("backup place", f"{options.url}: {count} whole backups"))
        except ObjectsAway as away:
            found.append(error("backup place", f"{options.url} cannot be read: {away}", REMEDIES[away.cause]))
        if not options.public_key:
            remedy = "serendip backup key FILE on another machine, and set backup.public_key"
            found.append(warning("backup keys", "whole backups hold no keys: keep a copy of them apart", remedy))
        elif not options.signing_key.get_secret_value():
            remedy = "serendip backup key FILE --show where the private key is, and set backup.signing_key"
            found.append(warning("backup keys", "your private key cannot tell who made a backup", remedy))
    try:
        at = await last_backup(around.parts.database)
    except StoreAway:
        return found  # the check `database` says why
    hours = (time.time() - at) / 3600
    said = f"the last one was made {hours:.0f} h ago"
    if not at:
        remedy = "set backup.url, or serendip backup create by a timer"
        return [*found, warning("backup", "none was made of this database", remedy)]
    if hours > BACKUP_MOST_H:
        remedy = "run serendip backup create, and look for store.backup_failed in the log, or at the timer"
        return [*found, warning("backup", said, remedy)]
    return [*found, ok("backup", said)]


async def _objects(around: Surroundings) -> list[Finding]:
    return [] if around.parts is None else await objects_lost(around.parts.database, around.parts.objects)


async def objects_lost(database: Database, objects: Objects) -> list[Finding]:
    """Check that the object store has the objects that rows name."""
    try:
        found = await sample(database, objects)
    except (StoreAway, ObjectsAway):
        return []  # the checks `database` and `objects` say why
    said = f"{found.lost} of {found.rows} objects that rows name are not in the object store"
    if not found.lost:
        return [ok("objects lost", said)]
    level = error if found.share > LOST_MOST else warning
    return [level("objects lost", said, "serendip help SerendipObjectsLost")]


async def _alerts(around: Surroundings) -> list[Finding]:
    return await alert_path(around.settings, send=around.send)


async def _running(around: Surroundings) -> list[Finding]:
    return await running_server(around.settings)


CHECKS: Final = (
    Check(Place.START, _local),
    Check(Place.CHECK, _outside),
    Check(Place.DOCTOR, _machine),
    Check(Place.DOCTOR, _backup),
    Check(Place.DOCTOR, _objects),
    Check(Place.DOCTOR, _alerts),
    Check(Place.DOCTOR, _running),
)


async def findings(upto: Place, around: Surroundings) -> list[Finding]:
    """Run the checks of a place and of those before it, one after another."""
    found: list[Finding] = []
    for check in CHECKS:
        if check.place <= upto:
            found += await check.run(around)
    return found
