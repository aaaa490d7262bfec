"""Commands over the store: its parts are opened, something is done, they are closed. Rule: every known failure ends the program with one line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from server import log
from server.commands.shared import enter, stop
from server.config.settings import Settings
from server.process.owner import name_of
from server.security import keys
from server.store.epochs import KeyGone
from server.store.errors import Busy, ObjectsAway, StoreAway
from server.store.reach import cause_of
from server.store.service import Parts, open_parts

# What an operator can do about each cause.
WHAT_TO_DO = {
    "full": "Make room on its disk",
    "io": "Its disk fails, or a limit of this process is in the way: look at dmesg and at ulimit -a",
    "locked": "Another program holds it: try again when that has ended",
    "malformed": "It is damaged: put a backup in its place, serendip db restore FILE",
    "refused": "Is the server of store.url running, and can it be reached from here?",
    "timeout": "It does not answer in time: is it overloaded, or is a firewall in between?",
    "schema": "It is not as this program wants it: serendip db migrate",
    "denied": "This user may not use it: look at the rights of the file, or at the user and password in store.url",
    "keys": "Its keys are not those of the data folder",
    "objects": "The object store does not answer",
    "other": "Look at the log of the database",
}

Result = TypeVar("Result")


def perform(config: Path | None, data: Path | None, handler: Callable[[Parts, Settings], Awaitable[Result]]) -> Result:
    """Open the store by the settings, do something, close. Every known failure ends the program with one line."""
    settings: Settings = enter(config, {"data": data})
    log.configure(settings.log)

    async def alone() -> Result:
        parts = open_parts(settings, keys.load(settings.data))
        try:
            return await handler(parts, settings)
        finally:
            await parts.database.close()

    try:
        return asyncio.run(alone())
    except StoreAway as error:
        stop(f"the database cannot be used: {cause_of(error)} ({error}). {WHAT_TO_DO[cause_of(error)]}")
    except ObjectsAway as error:
        stop(f"the object store cannot be used: {error}")
    except Busy as error:
        stop(str(error))
    except OSError as error:
        stop(
            f"{error.filename or settings.data}: {error.strerror or error} (as {name_of(os.geteuid())}, who owns {settings.data})"
        )
    except (KeyGone, ValueError, RuntimeError, keys.SecretError) as error:
        stop(str(error) or type(error).__name__)
