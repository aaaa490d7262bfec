"""Implement `serendip statistics`: print the published statistics of use, and forget those of a month."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from server.data.statistics import chat_counts, published_statistics
from server.data.statistics.statistics_page import tables
from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import said
from server.main.commands.command_base import Yes, check_month, say, table
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings

app = typer.Typer(no_args_is_help=True)
Month = Annotated[str, typer.Argument(metavar="[MONTH]", help="as 2026-11; default: all")]


@app.command()
@store_command(as_json=True)
def show(run: StoreCommand, month: Month = "") -> None:
    """Print the published means of a day, of completed months; no number below 10."""
    if month:
        check_month(month)

    async def handler(parts: Parts, _: Settings) -> list[dict[str, Any]]:
        found = await published_statistics.months(parts.database, int(time.time()))
        return [one for one in found if month in ("", one["month"])]

    found = run.perform(handler)
    if run.prints_json(found):
        return
    for one in found:
        say(one["month"])
        for shown in tables(one, said()[ENGLISH]):
            say(shown.title)
            table((shown.head, "chats a day"), shown.rows)
    say(f"{len(found)} months")


@app.command()
@store_command(as_json=True)
def forget(run: StoreCommand, month: Month = "", yes: Yes = False) -> None:
    """Delete the counts of a month, or all. No count is about a person."""
    if month:
        check_month(month)

    async def handler(parts: Parts, _: Settings) -> int:
        async with parts.database.write() as connection:
            return await (chat_counts.forget if yes else chat_counts.number_of)(connection, month)

    counts = run.perform(handler)
    if not run.prints_json({"counts": counts, "deleted": yes}):
        say(f"{counts} counts deleted" if yes else f"{counts} counts; --yes deletes them")
