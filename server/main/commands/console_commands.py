"""Implement `serendip console`: invite, list and close accounts of the moderators' console, and set their roles.

**Invariant:** each change is written to the audit log before it is made.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from server.data.database import schema_migration as migrations
from server.data.store.store_runner import Parts
from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    Operator,
    clean,
    print_json,
    say,
    table,
    when,
    who,
)
from server.main.commands.store_command_runner import perform
from server.ops.config.settings import Settings
from server.trust.console.console_server import known_origin
from server.trust.moderators.moderator_accounts import Account, Accounts

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="a pseudonym: a-z 0-9 . _ -")]


def accounts(parts: Parts) -> Accounts:
    """Return the accounts of a store."""
    return Accounts(parts.database, parts.pseudonyms)


@app.command()
def invite(
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="moderator, child, lead, officer or admin; any number, none where it is there"),
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    operator: Operator = "",
) -> None:
    """Print a link for making the passkey of this account: valid once, within a day. Using it replaces an older passkey.

    Before the first start (after `serendip init`) this also makes the tables of the database.
    """

    async def handler(parts: Parts, settings: Settings) -> str:
        if settings.store.migrate and not await migrations.revision(parts.database):
            await migrations.migrate(parts.database)
        path = await accounts(parts).invite(name, role or [], who(operator))
        return await asyncio.to_thread(known_origin, settings.console, settings.data) + path

    say(perform(config, data, handler))


@app.command(name="list")
def listed(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """List the accounts."""

    async def handler(parts: Parts, _: Settings) -> list[Account]:
        return list(await accounts(parts).listed())

    found = perform(config, data, handler)
    rows = [(one.name, ", ".join(one.roles), one.passkeys, when(one.made), when(one.invited)) for one in found]
    titles = ("name", "roles", "passkeys", "made", "invited until")
    if as_json:
        print_json([dict(zip(titles, row, strict=True)) for row in rows])
        return
    table(titles, rows)


@app.command()
def roles(
    name: Name,
    role: Annotated[list[str], typer.Argument(metavar="ROLE", help="moderator, child, lead, officer or admin")],
    config: ConfigFile = None,
    data: DataFolder = None,
    operator: Operator = "",
) -> None:
    """Give an account exactly these roles, at once."""

    async def handler(parts: Parts, _: Settings) -> None:
        await accounts(parts).change(name, role, who(operator))

    perform(config, data, handler)
    say(clean(f"{name}: {', '.join(role)}"))


@app.command()
def close(name: Name, config: ConfigFile = None, data: DataFolder = None, operator: Operator = "") -> None:
    """Remove an account, its passkey and its sessions, at once."""

    async def handler(parts: Parts, _: Settings) -> None:
        await accounts(parts).close(name, who(operator))

    perform(config, data, handler)
    say(clean(f"{name}: closed"))
