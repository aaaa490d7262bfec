"""Implement `serendip privacy incident`: publish a breach of personal data, and close it when the authority was notified.

**Invariant:** each change is in the audit log and in the disclosure ledger.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from server.data.store.store_runner import Parts
from server.main.commands.command_base import (
    instant,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders import order_kinds
from server.trust.rights.incidents import Incidents

app = typer.Typer(no_args_is_help=True, help="Incidents with personal data, published at /privacy/incidents.")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def new(
    run: StoreCommand,
    words: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="a text file, which is published: what happened, what follows from it",
        ),
    ],
    authority: Annotated[str, typer.Option(help="the authority to notify")],
    categories: Annotated[str, typer.Option(metavar="A,F", help="of the data concerned")],
    aware: Annotated[str, typer.Option(metavar="TIME", help="UTC, when you learnt of it; default: now")] = "",
    people: Annotated[int, typer.Option(min=0, help="about how many; 0: unknown")] = 0,
) -> None:
    """Publish an incident. The 72 hours to notify the authority run, and the page leads to it."""
    text, at = words.read_text(errors="replace"), instant(aware) if aware else run.at

    async def handler(parts: Parts, _: Settings) -> str:
        some = order_kinds.categories(categories)
        return await Incidents(parts.database, run.clock).new(run.operator, at, authority, some, people, text)

    run.tell(f"incident {shown(run.perform(handler))}: notify {authority} by {when(at + 72 * 3600)} UTC")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def close(
    run: StoreCommand,
    number: str,
    notified: Annotated[str, typer.Option(metavar="TIME", help="UTC, when the authority was notified")] = "",
    why_not: Annotated[str, typer.Option("--why-not", help="why it need not be; published")] = "",
) -> None:
    """Close an incident. Its page stays."""

    async def handler(parts: Parts, _: Settings) -> None:
        at = instant(notified) if notified else None
        await Incidents(parts.database, run.clock).close(run.operator, number, at, why_not)

    run.perform(handler)
    run.tell("the incident is closed")


@app.command("list")
@store_command(as_json=True, now=True, keyless=True)
def listed(run: StoreCommand) -> None:
    """List the incidents, the newest first. Status 1 if a notification is late."""
    found = run.perform(lambda parts, _: Incidents(parts.database).listed())
    if not run.prints_json([asdict(one) for one in found]):
        titles = ("number", "aware", "authority", "due", "notified", "closed")
        table(
            titles,
            (
                (shown(o.number), when(o.aware), o.authority, when(o.due), when(o.notified), when(o.closed))
                for o in found
            ),
        )
    if any(one.closed is None and one.due < run.at for one in found):
        stop("a notification is late")
