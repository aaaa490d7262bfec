"""Run a command that needs the store: open the store, call the command's handler, close it.

**Invariant:** every known failure ends the program with one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from server.data.backup.rollback_protection import SealedCopies, SetBack
from server.data.database.store_reachability import REMEDIES, cause_of
from server.data.errors import Busy, ObjectsAway, StoreAway
from server.data.keys.epoch_keys import KeyGone
from server.data.objects.object_store import REMEDIES as REMEDIES_OF_OBJECTS
from server.data.store.store_runner import Parts, open_parts
from server.main.commands.command_base import enter, stop
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.process.unix_user_switch import name_of
from server.ops.security import secret_keys

Result = TypeVar("Result")


async def _copied(parts: Parts) -> None:
    """Write changes into the copies that a restore reads, since a server may not be running. A failure here does not fail the command."""
    try:
        await SealedCopies(parts.database, parts.objects, parts.pseudonyms).keep()
    except Busy:
        pass  # the server does it
    except (SetBack, StoreAway, ObjectsAway) as error:
        typer.echo(
            f"serendip: warning: the copies of the non-restorable state (upkeep/) are out of date: {error}", err=True
        )


def perform(config: Path | None, data: Path | None, handler: Callable[[Parts, Settings], Awaitable[Result]]) -> Result:
    """Open the store by the settings, call the handler, and close. Every known failure ends the program with one line."""
    settings: Settings = enter(config, {"data": data})
    log.configure(settings.log)

    async def alone() -> Result:
        parts = open_parts(settings, secret_keys.load(settings.data))
        try:
            if settings.cluster.nats:
                with contextlib.suppress(StoreAway):  # a handler that needs the database will find out
                    await parts.fingerprints.epochs()  # learn which keys only other hosts have
            result = await handler(parts, settings)
            if parts.database.wrote:
                await _copied(parts)
            return result
        finally:
            await parts.database.close()

    try:
        return asyncio.run(alone())
    except StoreAway as error:
        stop(f"the database cannot be used: {cause_of(error)} ({error}). {REMEDIES[cause_of(error)]}")
    except ObjectsAway as error:
        stop(f"the object store cannot be used: {error}. {REMEDIES_OF_OBJECTS[error.cause]}")
    except Busy as error:
        stop(str(error))
    except OSError as error:
        stop(
            f"{error.filename or settings.data}: {error.strerror or error} (as {name_of(os.geteuid())}, who owns {settings.data})"
        )
    except (KeyGone, ValueError, RuntimeError, secret_keys.SecretError) as error:
        stop(str(error) or type(error).__name__)
