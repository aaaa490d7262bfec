"""Implement `serendip console`: invite, list and close accounts of the moderators' console, and set their roles.

**Invariant:** each change is written to the audit log before it is made.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from server.data.database import schema_migration as migrations
from server.data.store.store_runner import Parts
from server.main.commands.command_base import clean, say, table, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.trust.console.console_server import known_origin
from server.trust.moderators.moderator_accounts import Accounts

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="a pseudonym: a-z 0-9 . _ -")]


def accounts(parts: Parts) -> Accounts:
    """Return the accounts of a store."""
    return Accounts(parts.database, parts.pseudonyms)


@app.command()
@store_command(operator=True)
def invite(
    run: StoreCommand,
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", help="moderator, child, lead, officer, clerk or admin; any number, none where it is there"
        ),
    ] = None,
) -> None:
    """Print a link for making the passkey of this account: valid once, within a day. Using it replaces an older passkey.

    Before the first start (after `serendip init`) this also makes the tables of the database.
    """

    async def handler(parts: Parts, settings: Settings) -> str:
        if settings.store.migrate and not await migrations.revision(parts.database):
            await migrations.migrate(parts.database)
        path = await accounts(parts).invite(name, role or [], run.operator)
        return await asyncio.to_thread(known_origin, settings.console, settings.data) + path

    say(run.perform(handler))


@app.command(name="list")
@store_command(as_json=True)
def listed(run: StoreCommand) -> None:
    """List the accounts."""
    found = run.perform(lambda parts, _: accounts(parts).listed())
    rows = [(one.name, ", ".join(one.roles), one.passkeys, when(one.made), when(one.invited)) for one in found]
    titles = ("name", "roles", "passkeys", "made", "invited until")
    if not run.prints_json([dict(zip(titles, row, strict=True)) for row in rows]):
        table(titles, rows)


@app.command()
@store_command(operator=True)
def roles(
    run: StoreCommand,
    name: Name,
    role: Annotated[list[str], typer.Argument(metavar="ROLE", help="moderator, child, lead, officer, clerk or admin")],
) -> None:
    """Give an account exactly these roles, at once."""
    run.perform(lambda parts, _: accounts(parts).change(name, role, run.operator))
    say(clean(f"{name}: {', '.join(role)}"))


@app.command()
@store_command(operator=True)
def close(run: StoreCommand, name: Name) -> None:
    """Remove an account, its passkey and its sessions, at once."""
    run.perform(lambda parts, _: accounts(parts).close(name, run.operator))
    say(clean(f"{name}: closed"))
