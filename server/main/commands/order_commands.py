"""Implement `serendip privacy order`: enter, hold, produce, refuse and list the orders of courts and authorities.

**Invariant:** each look and change is written to the audit log first, by the modules of `server.trust.legal_orders`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from server.data.chat_logs.log_removal import last
from server.data.database import folder_lock, restore_lock
from server.data.objects.sealed_objects import Sealed
from server.data.privacy import audit_log
from server.data.privacy.registry_model import Category
from server.data.retention.audited_holds import chosen_selector
from server.data.retention.legal_holds import PRESETS, BadHold, Selector
from server.data.store.store_runner import Parts
from server.main.commands.command_base import (
    TYPED_NOTE,
    Now,
    Why,
    clean,
    day_end,
    instant,
    moment,
    say,
    stop,
    table,
    when,
)
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import LawOrders, NewOrder, Order
from server.trust.legal_orders.order_package import clear_interrupted
from server.trust.legal_orders.order_production import OrderProduction, ProducedPackage
from server.trust.legal_orders.order_records import OrderRecords
from server.trust.moderators.approvals import HOUR, Approvals
from server.trust.moderators.moderator_accounts import Accounts

app = typer.Typer(no_args_is_help=True, help="Orders of courts and authorities for data.")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="of the order")]
Some = Annotated[
    str, typer.Option("--categories", metavar="A,F", help="of the statement's table: A, B, F, G, H, L, LOG")
]


def of(parts: Parts, now: str = "") -> LawOrders:
    """Return the orders of a store. `now`: another time than the present one, for rehearsals."""
    at = moment(now)
    return LawOrders(parts.database, parts.pseudonyms, (lambda: float(at)) if now else time.time)


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def new(
    run: StoreCommand,
    kind: Annotated[
        str, typer.Option(help="; ".join(f"{name}: {one.words}" for name, one in order_kinds.KINDS.items()))
    ],
    authority: Annotated[str, typer.Option(help=f"the court or office: {TYPED_NOTE}")],
    country: Annotated[str, typer.Option(help="two letters")],
    categories: Some,
    paper: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="a text file: the order, or its content in short; kept encrypted",
        ),
    ],
    received: Annotated[str, typer.Option(metavar="TIME", help="UTC; default: now")] = "",
    due: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="UTC; a day alone: its end; of a European order and an emergency the law says it"
        ),
    ] = "",
    gag_until: Annotated[
        str, typer.Option(metavar="TIME", help="until when the person must not learn of it; a day alone: its end")
    ] = "",
    identity: Annotated[
        str, typer.Option(metavar="VALUE", help="a cookie's value, or a stored keyed value as hex")
    ] = "",
    address: Annotated[str, typer.Option(metavar="IP")] = "",
    log: Annotated[str, typer.Option(metavar="URL", help="a saved log's address")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="of the records that it names")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="the last of them; a day alone: its end")] = "",
    age_key: Annotated[
        str, typer.Option(metavar="age1…", help="the authority's public key: what is given is encrypted")
    ] = "",
    now: Now = "",
) -> None:
    """Enter an order. Nothing is looked up. What it names beyond the bound of its kind is never opened: the order is narrowed, or refused."""
    if sum(map(bool, (identity, address, log))) != 1:
        stop("say one of --identity, --address, --log", status=2)
    text = paper.read_bytes()[: 4 * 8_000 + 1].decode("utf-8", "replace")

    async def handler(parts: Parts, settings: Settings) -> str:
        chosen = chosen_selector(settings.data, identity, address) or await _of_log(parts, log)
        asked = order_kinds.categories(categories)
        one = NewOrder(
            kind, authority, country, asked, chosen, text, instant(received) if received else moment(now),
            _end(due), _end(gag_until), instant(since) if since else None, _end(until), age_key,
        )  # fmt: skip
        one.checked()
        opened = order_kinds.opened(kind, asked)
        narrowed = order_kinds.names_of(set(asked) - set(opened))
        said = f"may open {order_kinds.names_of(opened) or 'nothing'}" + (f"; not {narrowed}" if narrowed else "")
        if run.dry_run:
            return f"would be entered: it {said}"
        return f"order {shown(await of(parts, now).new(one, run.operator))}: it {said}"

    run.tell(clean(run.perform(handler)))


def _end(text: str) -> int | None:
    return day_end(text) if text else None


async def _of_log(parts: Parts, url: str) -> Selector:
    """Return the selector of a saved log by its address. Raises BadHold."""
    ident = await parts.logs.find(last(url))
    if ident is None:
        raise BadHold("refused.hold.log")
    return Selector("log", ident.hex())


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def hold(
    run: StoreCommand,
    number: Number,
    days: Annotated[int, typer.Option(min=1, help="until its end")] = PRESETS["order"],
    now: Now = "",
) -> None:
    """Preserve what an order names, stored and future. It is secret while the order is. Again: move its end, while the order is not answered."""

    async def handler(parts: Parts, _: Settings) -> int:
        return await of(parts, now).hold(number, run.operator, days)

    run.tell(f"hold {run.perform(handler)} is placed, for {days} days from now")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def produce(
    run: StoreCommand,
    number: Number,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="a new folder for the package")],
    categories: Some = "",
) -> None:
    """Write the records that an order names, once a second operator has approved it. Call it again after an interruption."""
    run.refuse_another_day()

    async def handler(parts: Parts, settings: Settings) -> ProducedPackage:
        making = _production(parts, settings, run.now)
        wanted: tuple[Category, ...] = order_kinds.categories(categories)
        if run.dry_run:
            return await making.count(number, run.operator, wanted)
        return await making.produce(number, run.operator, out.absolute(), wanted)

    found = run.perform(handler)
    names = [one.name for one in found.categories]
    if not run.prints_json({"state": found.state, "categories": names, "counts": found.counts}) and (
        found.state in ("done", "counted")
    ):
        table(("part", "records"), found.counts.items())
        say(f"{order_kinds.names_of(found.categories)}: {out}" if found.state == "done" else "nothing was opened")
    if found.state == "asked":
        stop(
            "another officer confirms it in the console, at /approvals, or by `privacy order confirm` where no host runs; then call this again",
            status=3,
        )
    if found.state == "waiting":
        stop("no other officer has an account: call this again after console.wait_hours", status=3)


def _production(parts: Parts, settings: Settings, now: str) -> OrderProduction:
    orders, chosen = of(parts, now), settings.console
    accounts = Accounts(parts.database, parts.pseudonyms, orders.clock)
    approvals = Approvals(
        parts.database, accounts, pairs=chosen.pairs, wait=chosen.wait_hours * HOUR, clock=orders.clock
    )
    sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
    records = OrderRecords(parts.database, parts.logs, sealed, parts.pseudonyms)
    return OrderProduction(orders, records, accounts, approvals)


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def confirm(run: StoreCommand, number: Number) -> None:
    """Confirm another officer's request to produce an order, where no host runs and so no console: after `serendip privacy close`.

    Both officers are named in the audit log; a shell takes no passkey.
    """
    run.refuse_another_day()

    async def handler(parts: Parts, settings: Settings) -> None:
        with folder_lock.alone(
            settings.data, "a host runs: the other officer confirms it in its console, at /approvals"
        ):
            async with restore_lock.alone(parts.database):
                await _production(parts, settings, run.now).confirm(number, run.operator)

    run.perform(handler)
    run.tell("confirmed: the officer who asked may produce it within 24 hours")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True)
def refuse(run: StoreCommand, number: Number, why: Why, now: Now = "") -> None:
    """Refuse an order. Nothing is looked up; the ledger has the line."""
    clear = None if run.dry_run else clear_interrupted
    run.perform(lambda parts, _: of(parts, now).refuse(number, run.operator, why, clear))
    run.tell("the order is refused")


@app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def gag(
    run: StoreCommand,
    number: Number,
    until: Annotated[
        str, typer.Option(metavar="TIME", help="UTC; a day alone: its end; a past time ends the secrecy now")
    ],
    why: Why,
) -> None:
    """Move the end of an order's secrecy, as a court did. Afterwards the person reads of it in "What we hold"."""
    end = day_end(until)
    run.perform(lambda parts, _: of(parts, run.now).gag(number, run.operator, end, why))
    run.tell(f"secret until {when(end)}")


@app.command("list")
@store_command(operator=True, as_json=True, keyless=True)
def listed(
    run: StoreCommand, every: Annotated[bool, typer.Option("--all", help="those that are closed, too")] = False
) -> None:
    """List the running orders, the earliest due date first."""

    async def handler(parts: Parts, _: Settings) -> list[Order]:
        async with audit_log.act(parts.database, operator=run.operator, action="order list", why="the orders") as act:
            found = list(await of(parts).listed(every))
            act.outcome = f"{len(found)} listed"
        return found

    found = run.perform(handler)
    if run.prints_json([as_data(one) for one in found]):
        return
    titles = ("number", "kind", "authority", "country", "may open", "state", "due", "secret until")
    rows = (
        (
            shown(o.number),
            o.kind,
            o.authority,
            o.country,
            order_kinds.names_of(o.open_to),
            o.state,
            when(o.due),
            when(o.gag_until),
        )
        for o in found
    )
    table(titles, rows)
    say(f"{len(found)} orders")


@app.command()
@store_command(operator=True, as_json=True)
def show(run: StoreCommand, number: Number, why: Why) -> None:
    """Print an order with its text, and whom it is about."""

    async def handler(parts: Parts, _: Settings) -> dict[str, Any]:
        order, selector, paper = await of(parts).show(number, run.operator, why)
        return {**as_data(order), "about": f"{selector.kind} {selector.value}", "paper": paper}

    found = run.perform(handler)
    if run.prints_json(found):
        return
    for name, value in found.items():
        if value not in ("", None, []):
            say(clean(f"{name}: {value}"))


def as_data(order: Order) -> dict[str, Any]:
    """Return an order for JSON."""
    return {
        "number": shown(order.number), "kind": order.kind, "authority": order.authority, "country": order.country,
        "names": [one.name for one in order.asked], "may_open": [one.name for one in order.open_to], "state": order.state,
        **{name: when(getattr(order, name)) for name in ("received", "due", "gag_until", "since", "until", "decided")},
        "hold": order.hold, "age_key": order.age_key, "why": order.why,
    }  # fmt: skip
