"""Implement `serendip privacy close`, which ends a service, and `serendip privacy handover`, which records that its data is sold or merged.

**Invariant:** a closure needs stopped hosts and answered people; a handover's line in the ledger is on disk before anything is handed over.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from server.data.database import folder_lock, restore_lock
from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import Category, What
from server.data.retention.service_closure import Closure, ServiceClosure
from server.data.store.store_runner import Parts
from server.main.commands.command_base import Why, clean, say, stop, table, when
from server.main.commands.store_command_runner import StoreCommand, store_command
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.trust.legal_orders import order_kinds
from server.trust.rights.deletion_receipt import Receipts

handover_app = typer.Typer(
    no_args_is_help=True, help="Handover of the data to another operator, as lines of the ledger."
)


@store_command(operator=True, as_json=True, dry_run=True)
def close(
    run: StoreCommand,
    why: Why,
    yes: Annotated[
        bool, typer.Option("--yes", help="every host is stopped, and what must stay was handed over or is held")
    ] = False,
) -> None:
    """Close the service: remove all that no legal hold keeps, destroy the keys last, and print the proof. There is no way back.

    Refused while a request, an order, an incident or a notice waits. Call it again when the last hold has ended: it removes the rest.
    """
    if not (yes or run.dry_run):
        stop("this removes all data of the service: see it with --dry-run, then say --yes", status=2)

    async def handler(parts: Parts, settings: Settings) -> dict[str, Any]:
        closing = ServiceClosure(parts.database, parts.logs, parts.objects, settings.retention)
        if run.dry_run:
            return await _seen(parts, settings, closing, run.operator, why)
        with folder_lock.alone(settings.data):
            async with restore_lock.alone(parts.database):
                if waits := await closing.obligations():
                    stop(*waits, "answer them first; nothing was removed")
                return await _closed(parts, settings, closing, run.operator, why)

    proof = run.perform(handler)
    if not run.prints_json(proof):
        _show(proof, dry=run.dry_run)
    if proof["waits"] or proof["problems"]:
        stop(*proof["waits"], *proof["problems"])


async def _seen(parts: Parts, settings: Settings, closing: ServiceClosure, operator: str, why: str) -> dict[str, Any]:
    async with audit_log.act(parts.database, operator=operator, action="close", why=why, dry=True) as act:
        found = _proof(await closing.outlook(), [], _public(settings))
        found["waits"] = await closing.obligations()
        act.outcome = f"{len(found['waits'])} things wait, {len(found['holds'])} holds are in force"
    return found


async def _closed(parts: Parts, settings: Settings, closing: ServiceClosure, operator: str, why: str) -> dict[str, Any]:
    public = _public(settings)
    async with audit_log.act(parts.database, operator=operator, action="close", why=why) as act:
        done = await closing.run()
        epochs = await closing.destroy_epoch_keys()
        act.outcome = f"removed {sum(done.removed.values())} rows, {len(done.holds)} holds stay, {len(epochs)} epoch keys destroyed"
    keys = [f"keys/{epoch}.key" for epoch in epochs]
    if done.whole and not done.problems:
        keys += await asyncio.to_thread(secret_keys.destroy, settings.data)
        parts.database.leave_uncopied()
    return _proof(done, keys, public)


def _public(settings: Settings) -> str:
    """Return the key by which receipts of deletions can be checked."""
    return Receipts(secret_keys.load(settings.data).lasting[secret_keys.Purpose.RECEIPT]).public


def _proof(done: Closure, keys: list[str], public: str) -> dict[str, Any]:
    return {"at": when(int(time.time())), "waits": [], **asdict(done), "keys_destroyed": keys, "receipt_key": public}


def _show(proof: dict[str, Any], *, dry: bool) -> None:
    """Print the proof, or what is there."""
    if not dry:
        table(("table", "rows removed"), proof["removed"].items())
    table(("table", "rows that are there" if dry else "rows that stay"), proof["left"].items())
    table(("objects", "there" if dry else "stay"), proof["objects"].items())
    for folder, number in proof["unnamed"].items():
        say(f"{number} objects of {folder}/ that no row named are removed")
    for name in proof["foreign"]:
        say(f"not of this service, and left alone: {clean(name)}")
    for one in proof["holds"]:
        say(f"hold {one['number']} of {one['authority']} keeps its data and the keys until {when(one['until'])}")
    if dry:
        return
    say(f"keys destroyed: {', '.join(proof['keys_destroyed']) or 'none'}")
    if proof["problems"]:
        say("not all is removed: mend what is said below, and call this again; until then keys stay")
    elif proof["whole"]:
        say(f"receipts of deletions can be checked with: serendip privacy receipt --key {proof['receipt_key']} FILE")
        say("delete the backups of the database and the keys on other hosts now")
    else:
        say("call this again when the last hold has ended")


@handover_app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def begin(
    run: StoreCommand,
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="the operator who gets the data, as the statement names them")
    ],
    categories: Annotated[str, typer.Option(metavar="A,F", help="of the statement's table: A, B, F, G, H, L, LOG")],
    why: Why,
) -> None:
    """Write the line of the ledger before the data leaves, and print its number. Announce it first: `privacy announce --transfer`."""

    async def handler(parts: Parts, _: Settings) -> int:
        some: tuple[Category, ...] = order_kinds.categories(categories)
        if not some or not to.strip():
            raise ValueError("a handover has a recipient and categories")
        async with audit_log.act(parts.database, operator=run.operator, action="handover begin", why=why) as act:
            (line,) = await DisclosureLedger(parts.database, run.clock).intent(
                Disclosure(What.TRANSFER, to.strip(), "transfer of the service", some)
            )
            act.outcome = f"line {line}"
        return line

    line = run.perform(handler)
    run.tell(f"line {line}: hand the data over now, then serendip privacy handover end {line}")


@handover_app.command()
@store_command(operator=True, as_json=True, dry_run=True, now=True)
def end(
    run: StoreCommand,
    line: Annotated[int, typer.Argument(metavar="LINE", help="as `handover begin` printed it")],
    failed: Annotated[bool, typer.Option("--failed", help="nothing was handed over")] = False,
    records: Annotated[int, typer.Option(min=0, help="how many records were handed over")] = 0,
) -> None:
    """Write the outcome of a handover into the ledger."""

    async def handler(parts: Parts, _: Settings) -> None:
        ledger = DisclosureLedger(parts.database, run.clock)
        outcome = "failed" if failed else "done"
        if await ledger.what_of(line) is not What.TRANSFER:
            raise ValueError(f"line {line} is no handover")
        async with audit_log.act(
            parts.database, operator=run.operator, action="handover end", why=f"line {line}"
        ) as act:
            await (ledger.failed([line]) if failed else ledger.done([line], records))
            act.outcome = outcome

    run.perform(handler)
    run.tell(f"line {line}: {'nothing was handed over' if failed else 'handed over'}")
