"""Implement `serendip backup`: whole backups of database, texts, keys and settings, in a folder or a bucket.

**Invariant:** nothing is restored over a place that is not empty, and nothing before the whole archive was checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.data.backup import archive_format, sealed_box
from server.data.backup.backup_place import Place, Stored, find, open_place
from server.data.backup.backup_signature import Check, accept_any, signing_keys
from server.data.backup.backup_verification import open_box, verify
from server.data.backup.full_backup import BackupMaker, Made, with_secrets
from server.data.backup.ledger_mirror import LedgerMirror
from server.data.backup.ledger_signature import REFUSED, Distrusted, Read, verify_ledger
from server.data.backup.rollback_protection import SealedCopies
from server.data.database.database import Database
from server.data.database.database_url import database_url
from server.data.errors import Busy
from server.data.privacy import audit_log
from server.data.store.full_restore import SETTINGS, FullRestore, FullyRestored
from server.data.store.store_runner import Parts
from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    Operator,
    Why,
    enter,
    print_json,
    say,
    stop,
    table,
    when,
    who,
)
from server.main.commands.database_commands import restored
from server.main.commands.store_command_runner import StoreCommand, end_with_a_line, store_command
from server.ops.config.setting_sources import variable
from server.ops.config.settings import Settings

At = Annotated[str, typer.Option("--at", metavar="PLACE", help="s3://bucket/prefix or a folder; default: backup.url")]
Name = Annotated[str, typer.Argument(metavar="[NAME]", help="a backup as `list` names it; default: the newest")]
PrivateKey = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="the private key, which `serendip backup key` made")
]
Unsigned = Annotated[
    bool,
    typer.Option("--unsigned", help="take a backup that no key of yours signed, from a place where nobody else writes"),
]
WAIT_S = 120.0  # for a server that copies the ledger, or makes a backup itself
EVERY_S = 2.0  # seconds between two lines of progress

app = typer.Typer(no_args_is_help=True)


class Progress:
    """Lines of progress on standard error, EVERY_S apart; on a terminal they replace each other."""

    def __init__(self) -> None:
        self._next = time.monotonic() + EVERY_S
        self._shown = False

    def __call__(self, what: str, count: int) -> None:
        """Say how far it is, if it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_S
        self._shown = sys.stderr.isatty()
        typer.echo(f"\r{what}: {count:,}   " if self._shown else f"{what}: {count:,}", err=True, nl=not self._shown)

    def end(self) -> None:
        """End the line."""
        if self._shown:
            typer.echo("", err=True)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where the private key goes: on another machine")],
    show: Annotated[bool, typer.Option("--show", help="FILE is there already: print what belongs to it")] = False,
) -> None:
    """Make the key of backups: the private key into FILE; print the two settings of the server that belong to it, of which the second is secret."""
    try:
        private = sealed_box.read_key(file) if show else _new_key(file)
    except OSError as error:
        stop(f"{file}: {error.strerror}")
    except sealed_box.WrongKey as error:
        stop(str(error))
    say(f"{variable('backup.public_key')}={sealed_box.public_text(private)}")
    say(f"{variable('backup.signing_key')}={sealed_box.to_text(sealed_box.signing_key(private))}")


def _new_key(file: Path) -> X25519PrivateKey:
    body, private = sealed_box.new_key()
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(body)
        opened.flush()
        os.fsync(opened.fileno())
    return private


@app.command()
@store_command(operator=True, as_json=True)
def create(run: StoreCommand, at: At = "") -> None:
    """Write one archive of everything, while the server runs; delete the backups beyond `backup.keep` and past their days."""
    progress = Progress()

    async def handler(parts: Parts, settings: Settings) -> Made:
        place = await asyncio.to_thread(open_place, settings.backup, at)
        maker = BackupMaker(settings, parts.database, parts.objects, place, progress=progress)
        made = await maker.make(run.operator, "backup", within=WAIT_S)
        with contextlib.suppress(Busy):  # a server does it
            await SealedCopies(parts.database, parts.objects, parts.pseudonyms).keep()
        try:
            async with parts.database.only_backup(WAIT_S):
                mirror = LedgerMirror(parts.objects, place, signing_keys(settings), settings.retention.backup_days)
                wrong = (await mirror.copy()).wrong
            if wrong:
                typer.echo(f"another program changed the ledger, which is mended: {'; '.join(wrong)}", err=True)
        except Busy as busy:
            typer.echo(f"{made.name} was made. The ledger beside it is not up to date yet: {busy}", err=True)
        return made

    made = run.perform(handler)
    progress.end()
    said = f"{made.name}: {made.size} bytes, {sum(made.manifest.rows.values())} rows, {made.manifest.objects} objects"
    if not run.prints_json(
        {"name": made.name, "bytes": made.size, "objects": made.manifest.objects, "keys": made.manifest.keys}
    ):
        say(said)
        if not made.manifest.keys:
            say("It holds no keys: backup.public_key is not set. Keep a copy of `secret` and `keys/` apart from it.")


@app.command("list")
def list_(at: At = "", config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """List the backups of a place."""
    settings: Settings = enter(config, {"data": data})

    async def work() -> list[Stored]:
        return await asyncio.to_thread(lambda: open_place(settings.backup, at).stored())

    found = end_with_a_line(settings, work())
    if as_json:
        print_json([{"name": one.name, "bytes": one.size, "at": one.at} for one in found])
        return
    table(("name", "made (UTC)", "MB"), [(one.name, when(one.at), f"{one.size / 1e6:.1f}") for one in found])


@app.command("verify")
def verify_(
    name: Name = "",
    at: At = "",
    key: PrivateKey = None,
    into: Annotated[
        str,
        typer.Option(
            "--into",
            metavar="URL",
            help="an empty PostgreSQL database, its password in PGPASSWORD; default: one that is made and dropped",
        ),
    ] = "",
    unsigned: Unsigned = False,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty place of its own, compare counts and hashes, remove it, and check the ledger. The service stays as it is."""
    settings: Settings = enter(config, {"data": data}, make=True)
    progress = Progress()

    async def work() -> tuple[Stored, Any, Read]:
        place, one = await asyncio.to_thread(_found, settings, at, name)
        database = Database(database_url(settings.store, settings.data), data=settings.data)
        try:
            private = _private(key)
            check = _check(settings, private, unsigned)
            done = await verify(
                place, one, database, settings.data, check=check, key=private, into=into, progress=progress
            )
            ledger = await asyncio.to_thread(verify_ledger, place, check, done.manifest.ledger)
            if ledger.wrong and not unsigned:
                raise Distrusted(f"{one.name} is whole. {REFUSED.format('; '.join(ledger.wrong))}")
        finally:
            await database.close()
        return one, done, ledger

    one, done, ledger = end_with_a_line(settings, work())
    progress.end()
    manifest = done.manifest
    keys = f"{done.keys} keys opened" if done.keys else ("keys sealed, not opened" if manifest.keys else "no keys")
    values = {
        "name": one.name,
        "rows": done.rows,
        "objects": manifest.objects,
        "keys": done.keys,
        "seconds": round(done.seconds, 1),
        "ledger": ledger.entries,
        "ledger_at": ledger.at,
    }
    if as_json:
        print_json({**values, "whole": True})
        return
    say(
        f"{one.name}: whole. {done.rows} rows restored and counted, {manifest.objects} objects, {keys}; {done.seconds:.0f} s"
    )
    for line in _told_of_ledger(ledger):
        say(line)


@app.command()
def settings(
    name: Name = "",
    at: At = "",
    key: PrivateKey = None,
    unsigned: Unsigned = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Print the settings of a backup as TOML, with --key the secrets too: for the host on which you restore it."""
    chosen: Settings = enter(config, {"data": data}, make=True)

    def read() -> str:
        place, one = _found(chosen, at, name)
        private = _private(key)
        check = _check(chosen, private, unsigned)
        sealed, text = None, ""
        with place.open(one) as file:
            for member in archive_format.members(file, lambda _: None, check):  # to its end, where its signatures are
                if member.name == archive_format.SEALED:
                    sealed = member.body()
                elif member.name == archive_format.SETTINGS:
                    text = member.body().decode()
        if private is not None and sealed is not None:
            text = with_secrets(text, open_box(sealed, private).secrets)
        return text

    async def work() -> str:
        return await asyncio.to_thread(read)

    say(end_with_a_line(chosen, work()).rstrip("\n"))


@app.command()
def restore(
    why: Why,
    name: Name = "",
    at: At = "",
    key: PrivateKey = None,
    keep_objects: Annotated[
        bool, typer.Option("--keep-objects", help="the object store was not lost: use it as it is, with its deletions")
    ] = False,
    unsigned: Unsigned = False,
    damaged_ledger: Annotated[
        bool,
        typer.Option(
            "--damaged-ledger", help="the ledger cannot be trusted: use what is whole of it, and say what is not"
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="every host of the service is stopped")] = False,
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty place: keys, database, texts. What was deleted or has expired since is deleted again."""
    if not yes:
        stop("stop every host of the service, and say --yes")
    chosen: Settings = enter(config, {"data": data}, make=True)
    progress = Progress()

    async def audit(parts: Parts, done: FullyRestored) -> None:
        await audit_log.write_entry(
            parts.database, now=int(time.time()), operator=who(operator), action="restore", why=why,
            outcome="; ".join(_told(done)),
        )  # fmt: skip

    async def work() -> tuple[Stored, FullyRestored]:
        place, one = await asyncio.to_thread(_found, chosen, at, name)
        restore = FullRestore(
            chosen, place, one, _private(key), progress, keep_objects=keep_objects, unsigned=unsigned,
            damaged_ledger=damaged_ledger,
        )  # fmt: skip
        return one, await restore.run(audit)

    one, done = end_with_a_line(chosen, work())
    progress.end()
    if as_json:
        print_json({"name": one.name, "objects": done.objects, "ledger": done.ledger.entries > 0, "said": _told(done)})
        return
    for line in (
        f"restored {one.name}",
        *_told(done),
        f"its settings are in {chosen.data / SETTINGS}: compare, then remove the file",
    ):
        say(line)


def _told(done: FullyRestored) -> list[str]:
    """Return lines that say what a restore did, for the operator and the audit log."""
    expired = sum(done.purged.deleted.values())
    return [
        f"{sum(done.manifest.rows.values())} rows and {done.objects} objects of {when(done.manifest.created)} UTC;"
        f" {done.left_out} objects that no row names were left out, {done.missing} rows have no object",
        *_told_of_ledger(done.ledger),
        *restored(done.restored),
        f"{expired} rows and objects had expired since, and were deleted",
    ]


def _told_of_ledger(ledger: Read) -> list[str]:
    """Return lines that say what was found beside a backup."""
    if not ledger.entries:
        first = (
            "no ledger was beside the backup: deletions since it was made are known only if the object store was kept"
        )
    elif ledger.at:
        first = (
            f"the ledger beside the backup was signed at {when(ledger.at)} UTC, and knows of {ledger.entries} deletions and copies of the state."
            " If the service ran much longer than that, an earlier one was put back"
        )
    else:
        first = f"the ledger beside the backup was used: {ledger.entries} deletions and copies of the state. It has no signature"
    return [
        first,
        *(f"the ledger cannot be trusted: {why}" for why in ledger.wrong),
        *(f"passed over in the ledger: {what}" for what in ledger.skipped),
    ]


def _found(settings: Settings, at: str, name: str) -> tuple[Place, Stored]:
    place = open_place(settings.backup, at)
    return place, find(place, name)


def _check(settings: Settings, private: X25519PrivateKey | None, unsigned: bool) -> Check:
    return accept_any if unsigned else signing_keys(settings, private).check


def _private(file: Path | None) -> X25519PrivateKey | None:
    return None if file is None else sealed_box.read_key(file)
