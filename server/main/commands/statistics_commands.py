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
from server.main.commands.command_base import (
    AsJson,
    ConfigFile,
    DataFolder,
    Yes,
    clean,
    print_json,
    say,
    stop,
    table,
)
from server.main.commands.store_command_runner import perform
from server.ops.config.settings import Settings

app = typer.Typer(no_args_is_help=True)
Month = Annotated[str, typer.Argument(metavar="[MONTH]", help="as 2026-11; default: all")]


@app.command()
def show(month: Month = "", config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Print what is published: means of a day, closed months, nothing under 10."""
    _check(month)

    async def handler(parts: Parts, _: Settings) -> list[dict[str, Any]]:
        found = await published_statistics.months(parts.database, int(time.time()))
        return [one for one in found if month in ("", one["month"])]

    found = perform(config, data, handler)
    if as_json:
        print_json(found)
        return
    for one in found:
        say(one["month"])
        for shown in tables(one, said()[ENGLISH]):
            say(shown.title)
            table((shown.head, "chats a day"), shown.rows)
    say(f"{len(found)} months")


@app.command()
def forget(
    month: Month = "", config: ConfigFile = None, data: DataFolder = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete the counts of a month, or all. No count is about a person."""
    _check(month)

    async def handler(parts: Parts, _: Settings) -> int:
        async with parts.database.write() as connection:
            return await (chat_counts.forget if yes else chat_counts.number_of)(connection, month)

    counts = perform(config, data, handler)
    if as_json:
        print_json({"counts": counts, "deleted": yes})
    else:
        say(f"{counts} counts deleted" if yes else f"{counts} counts; --yes deletes them")


def _check(month: str) -> None:
    if month and (len(month) != 7 or month[4] != "-" or not (month[:4] + month[5:]).isdigit()):
        stop(f"{clean(month)}: a month is written as 2026-11", status=2)
