"""Run a command that needs the store: add the options that all of these share, open the store, call the command's handler, close it.

**Invariant:** every known failure ends the program with one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import typer

from server.data.backup.rollback_protection import SealedCopies, SetBack
from server.data.database.store_reachability import REMEDIES, cause_of
from server.data.errors import Busy, ObjectsAway, StoreAway
from server.data.objects.object_store import REMEDIES as REMEDIES_OF_OBJECTS
from server.data.store.store_runner import Parts, open_parts
from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    DryRun,
    Now,
    Operator,
    Stopped,
    enter,
    moment,
    print_json,
    say,
    stop,
    who,
)
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.process.unix_user_switch import name_of
from server.ops.security import secret_keys

Own = ParamSpec("Own")
Result = TypeVar("Result")
Handler = Callable[[Parts, Settings], Awaitable[Result]]
# Options of every command that needs the store, and those that some have, in the order of the help.
_ALWAYS: Final = {"config": (ConfigFile, None), "data": (DataFolder, None)}
_CHOSEN: Final = {
    "operator": (Operator, ""),
    "as_json": (AsJson, False),
    "dry_run": (DryRun, False),
    "now": (Now, ""),
}
DRY: Final = "dry run, nothing was changed: "


@dataclass(frozen=True, slots=True)
class StoreCommand:
    """Values of the shared options in one call of a command. `operator`: a name, the login if none was given."""

    config: Path | None
    data: Path | None
    operator: str = ""
    as_json: bool = False
    dry_run: bool = False
    now: str = ""
    keyless: bool = False

    @property
    def at(self) -> int:
        """Unix seconds: as `--now` says, else of the present."""
        return moment(self.now)

    @property
    def clock(self) -> Callable[[], float]:
        """The same as a clock."""
        at = self.at
        return (lambda: float(at)) if self.now else time.time

    def perform(self, handler: Handler[Result]) -> Result:
        """Call the handler with the open store (`perform`). With `--dry-run` nothing is written but the audit log."""
        return perform(
            self.config, self.data, handler, rehearse=self.dry_run, keyless=self.keyless, dated=bool(self.now)
        )

    def refuse_another_day(self) -> None:
        """Exit if an act that hands data out is to be dated: no option ends the wait for a second officer, or what the person reads of it."""
        if self.now and not self.dry_run:
            stop("data is handed out today: --now goes with --dry-run alone", status=2)

    def tell(self, said: str, **values: Any) -> None:
        """Print what was done as a line, or with `--json` as a document of it and its values."""
        if not self.prints_json({"said": said, "dry_run": self.dry_run, **values}):
            say(f"{DRY}{said}" if self.dry_run else said)

    def prints_json(self, value: Any) -> bool:
        """Print the value as JSON if `--json` was given. False if it was not: the caller prints text."""
        if self.as_json:
            print_json(value)
        return self.as_json


def store_command(
    *, operator: bool = False, as_json: bool = False, dry_run: bool = False, now: bool = False, keyless: bool = False
) -> Callable[[Callable[Concatenate[StoreCommand, Own], None]], Callable[..., None]]:
    """Make a function a command that needs the store: typer sees its own options and the shared ones; its first parameter gets the latter.

    `--config` and `--data` are always among them; the arguments choose the others. `keyless`: it opens nothing sealed, and so
    works on the records of a closed service too.
    """
    chosen = {"operator": operator, "as_json": as_json, "dry_run": dry_run, "now": now}
    shared = _ALWAYS | {name: option for name, option in _CHOSEN.items() if chosen[name]}

    def register(command: Callable[Concatenate[StoreCommand, Own], None]) -> Callable[..., None]:
        def called(**values: Any) -> None:
            options = {name: values.pop(name) for name in shared}
            if operator:
                options["operator"] = who(options["operator"])
            command(StoreCommand(**options, keyless=keyless), **values)  # type: ignore[call-arg]

        own = [*inspect.signature(command, eval_str=True).parameters.values()][1:]
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in shared.items()
        ]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [*(one.replace(kind=Parameter.KEYWORD_ONLY) for one in own), *added]
        )
        return called

    return register


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


def perform(
    config: Path | None,
    data: Path | None,
    handler: Handler[Result],
    *,
    rehearse: bool = False,
    keyless: bool = False,
    dated: bool = False,
) -> Result:
    """Open the store by the settings, call the handler, and close. Every known failure ends the program with one line.

    `rehearse`: what is written is rolled back, but for the audit log; no object is changed, and no mail leaves. `keyless`: the handler
    opens nothing sealed; if the service was closed, it has keys that open nothing. `dated`: the handler acts as of another day.
    """
    settings: Settings = enter(config, {"data": data})
    log.configure(settings.log)

    async def alone() -> Result:
        closed = keyless and secret_keys.is_closed(settings.data)
        parts = open_parts(settings, secret_keys.throwaway() if closed else secret_keys.load(settings.data))
        parts.database.is_dated = dated
        chosen = settings
        if rehearse:
            parts.database.rehearse()
            parts.objects.rehearse()
            chosen = settings.model_copy(update={"mail": settings.mail.model_copy(update={"host": ""})})
        try:
            if settings.cluster.nats:
                with contextlib.suppress(StoreAway):  # a handler that needs the database will find out
                    await parts.fingerprints.epochs()  # learn which keys only other hosts have
            result = await handler(parts, chosen)
            if parts.database.wrote and not rehearse and not closed:
                await _copied(parts)
            return result
        finally:
            await parts.database.close()

    return end_with_a_line(settings, alone())


def end_with_a_line(settings: Settings, work: Coroutine[Any, Any, Result]) -> Result:
    """Run the work of a command on the store; every known failure ends the program with one line."""
    try:
        return asyncio.run(work)
    except Stopped:  # a RuntimeError, whose reasons the handler printed
        raise
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
    except (LookupError, ValueError, RuntimeError, secret_keys.SecretError) as error:  # KeyGone, NoBackup, BackupFailed
        stop(str(error) or type(error).__name__)
