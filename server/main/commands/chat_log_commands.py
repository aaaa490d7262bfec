"""Implement `serendip log`: show, count and remove saved chat logs; set the level of the server's own log.

**Invariant:** each look at a saved log is written to the audit log first.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from server.data.chat_logs import log_removal
from server.data.chat_logs.chat_log_rendering import as_json as plain
from server.data.chat_logs.chat_log_rendering import as_text
from server.data.chat_logs.log_removal import last
from server.data.privacy import audit_log
from server.data.records.transcript import Transcript
from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import said as spoken
from server.main.commands.command_base import ConfigFile, DataFolder, Operator, Why, clean, say, stop
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings

app = typer.Typer(no_args_is_help=True)
Address = Annotated[str, typer.Argument(metavar="URL", help="the log's address, or the last part of it")]


@app.command()
@store_command(operator=True, as_json=True)
def show(run: StoreCommand, url: Address, why: Why) -> None:
    """Print a saved log as text."""

    async def handler(parts: Parts, _: Settings) -> Transcript | None:
        async with _act(parts, run, url, "log show", why) as act:
            ident = await parts.logs.find(last(url))
            if ident is not None:
                await act.about(await audit_log.log_subjects(parts.database, parts.pseudonyms, ident))
            said = await parts.logs.show(last(url)) if ident is not None else None
            act.outcome = "shown" if said is not None else "none"
        return said

    said = run.perform(handler)
    if said is None:
        stop("there is no such log")
    if not run.prints_json(plain(said)):
        say("\n".join(clean(line) for line in as_text(said, spoken()[ENGLISH]).splitlines()))


@app.command()
@store_command(operator=True, dry_run=True)
def remove(run: StoreCommand, url: Address, why: Why) -> None:
    """Delete a saved log; one under a legal hold is hidden, and deleted when the hold ends."""

    say(
        run.perform(
            lambda parts, _: log_removal.remove(parts.database, parts.logs, run.operator, url, why, dry=run.dry_run)
        )
    )


def _act(
    parts: Parts, run: StoreCommand, url: str, action: str, why: str
) -> AbstractAsyncContextManager[audit_log.AuditedAction]:
    """Begin an audited action, by the address that was given."""
    subject = audit_log.log_address_subject(parts.pseudonyms, last(url))
    return audit_log.act(
        parts.database, operator=run.operator, action=action, why=why, subject=subject, dry=run.dry_run
    )


@app.command()
@store_command(as_json=True)
def count(run: StoreCommand) -> None:
    """Print how many logs are saved, hidden, and waiting for deletion."""
    found = run.perform(lambda parts, _: parts.logs.count())
    if not run.prints_json(found):
        say(", ".join(f"{number} {name}" for name, number in found.items()))


@app.command()
def level(
    group: Annotated[
        str, typer.Argument(metavar="NAME", help="events of this name before the dot: store, cluster; or all")
    ],
    level: Annotated[
        str, typer.Argument(metavar="LEVEL", help="debug, info, warning, error; default: as the settings say")
    ],
    operator: Operator = "",
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Set the level of events of the running server's own log, in all processes and hosts, until they end."""
    from server.main.commands.live_commands import set_level

    set_level(config, data, group, level, operator)
