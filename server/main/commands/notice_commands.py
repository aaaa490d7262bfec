"""Implement `serendip safety notices` (list and decide notices of illegal content from the public) and `serendip safety report` (published monthly
figures).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from server.data.store.store_runner import Parts
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import said
from server.main.commands.command_base import (
    Since,
    Until,
    Why,
    Yes,
    check_month,
    clean,
    instant,
    say,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.trust.decisions.public_notice_work import OUTCOMES, PublicNoticeWork
from server.trust.moderation_protocol import CHILD_KINDS, KINDS
from server.trust.publication import monthly_figures
from server.trust.publication.figure_tables import tables

app = typer.Typer(no_args_is_help=True)
Ident = Annotated[str, typer.Argument(metavar="NOTICE", help="its first digits, as `list` has them")]
EVER = 1_200  # months


def _desk(parts: Parts, clock: Callable[[], float] = time.time) -> PublicNoticeWork:
    return PublicNoticeWork(parts.database, parts.pseudonyms, clock)


@app.command("list")
@store_command(as_json=True)
def waiting(run: StoreCommand) -> None:
    """List the notices that wait: those about children first, then the oldest."""
    found = run.perform(lambda parts, _: _desk(parts).waiting())
    if run.prints_json(found):
        return
    table(("notice", "came", "about"), ((one.id[:12], when(one.at), one.kind) for one in found))
    say(f"{len(found)} waiting")


@app.command()
@store_command(operator=True, as_json=True)
def show(run: StoreCommand, notice: Ident, why: Why) -> None:
    """Print a notice: what it is about, its text, and how its writer can be reached."""
    found = run.perform(lambda parts, _: _desk(parts).show(notice, run.operator, why))
    if run.prints_json(found):
        return
    say(f"notice {found.id}: {found.kind}, came {when(found.at)}, {found.state}")
    for title, words in (
        ("where or when", found.about),
        ("contact", found.contact),
        ("words", found.words),
        ("our answer", found.answer),
    ):
        if words:
            say(f"{title}: {clean(words)}")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def answer(
    run: StoreCommand,
    notice: Ident,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help=", ".join(OUTCOMES))],
    why: Why,
    words: Annotated[str, typer.Option("--words", help="what its writer reads at the receipt")] = "",
) -> None:
    """Decide a notice: something was done (acted), nothing is to be done (none), it was passed on to an authority (passed)."""
    run.perform(lambda parts, _: _desk(parts, run.clock).answer(notice, run.operator, why, outcome, words))
    run.tell(f"answered: {outcome}")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def clear(
    run: StoreCommand,
    why: Why,
    since: Since,
    until: Until = "",
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"{', '.join(KINDS)}; default: all but those about children; may be repeated"),
    ] = None,
    yes: Yes = False,
) -> None:
    """Decide all notices of a period at once, unread, with "nothing to do". For a flood; notices about children only if that kind is named."""
    kinds = kind or [one for one in KINDS if one not in CHILD_KINDS]
    if strange := set(kinds) - set(KINDS):
        stop(f"{clean(', '.join(sorted(strange)))}: not of {', '.join(KINDS)}", status=2)
    first, last = instant(since), instant(until) if until else run.at + 1
    dry = run.dry_run or not yes
    done = run.perform(lambda parts, _: _desk(parts, run.clock).clear(run.operator, why, kinds, first, last, dry=dry))
    run.tell(f"{done} notices would be decided: say --yes" if dry else f"{done} notices decided", count=done)


@store_command(as_json=True)
def report(
    run: StoreCommand,
    first: Annotated[str, typer.Option("--from", metavar="MONTH", help="as 2026-11; default: all")] = "0000-00",
    last: Annotated[
        str, typer.Option("--to", metavar="MONTH", help="as 2026-11; default: the newest that is over")
    ] = "9999-99",
) -> None:
    """Print the published figures of moderation: completed months, numbers below 10 hidden, no sum over months."""
    check_month(first)
    check_month(last)

    async def handler(parts: Parts, _: Settings) -> list[dict[str, Any]]:
        return [one for one in await monthly_figures.months(parts.database, EVER) if first <= one["month"] <= last]

    found = run.perform(handler)
    if run.prints_json(found):
        return
    for published in found:
        say(published["month"])
        for one in tables(published, said()[ENGLISH]):
            table((one.title, one.total), one.lines) if one.lines else say(f"\n  {one.title}: {one.total}\n")
    say(f"{len(found)} months")
