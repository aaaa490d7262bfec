"""Make, verify or restore a whole backup in a process of its own, which kills itself in between: `… make|verify|restore SETTINGS WHAT COUNT`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from server.data.backup import sealed_box
from server.data.backup.backup_place import find, open_place
from server.data.backup.backup_signature import signing_keys
from server.data.backup.backup_verification import verify
from server.data.backup.full_backup import BackupMaker
from server.data.store.full_restore import FullRestore, FullyRestored
from server.data.store.store_runner import Parts, open_parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys


async def main(act: str, given: str, what: str, count: int) -> None:
    """Do it, and die at that count."""
    values = json.loads(given)
    key = values.pop("key")
    settings = Settings.model_validate(values)
    place = open_place(settings.backup)

    def progress(now: str, at: int) -> None:
        if (now, at) == (what, count):
            os.kill(os.getpid(), signal.SIGKILL)

    async def audit(_parts: Parts, _done: FullyRestored) -> None:
        progress("audit", 0)

    if act == "make":
        parts = open_parts(settings, secret_keys.load(settings.data))
        await BackupMaker(settings, parts.database, parts.objects, place, progress=progress).make("ada", "a test")
    elif act == "verify":
        parts = open_parts(settings, secret_keys.load(settings.data))
        check = signing_keys(settings).check
        await verify(place, find(place, ""), parts.database, settings.data, check=check, progress=progress)
    else:
        await FullRestore(settings, place, find(place, ""), sealed_box.read_key(Path(key)), progress).run(audit)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
