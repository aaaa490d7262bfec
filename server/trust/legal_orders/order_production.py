"""Produce the records that a legal order names: approval, count, intent in the ledger, package, outcome.

The command line writes the package into a folder, and the console sends it to the officer (`server.trust.legal_orders.order_package`).

**Invariant:** a second operator approved it, and the ledger's intent is on disk before an address or a text is opened. One production runs at a
time. Called again after a kill, `produce` and `download` finish or repeat what was interrupted.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Phase
from server.data.privacy.registry_model import Category
from server.data.retention.legal_holds import Selector
from server.data.schema.disclosure_schema import disclosure
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import LawOrders, Order, OrderRefused
from server.trust.legal_orders.order_package import (
    ABSENT,
    SENDING,
    AgeFailed,
    PackageContent,
    PackageDownload,
    PackageFolder,
    PackagePlace,
)
from server.trust.legal_orders.order_records import FoundRecords, OrderRecords
from server.trust.moderators.approvals import Approvals, State
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action, Operator


@dataclass(frozen=True, slots=True)
class ProducedPackage:
    """Outcome of `produce`. `counts`: records by part; `state`: of the approval, `done`, or `counted`."""

    state: str
    categories: tuple[Category, ...]
    counts: dict[str, int]


class NothingToOpen(OrderRefused):
    """The kind of the order opens none of the categories that it names."""


class OrderProduction:
    """Produces orders. All methods raise StoreAway."""

    def __init__(self, orders: LawOrders, records: OrderRecords, accounts: Accounts, approvals: Approvals) -> None:
        self._orders = orders
        self._records = records
        self._accounts = accounts
        self._approvals = approvals

    async def count(self, text: str, operator: str, wanted: Sequence[Category] = ()) -> ProducedPackage:
        """Count the records that an order names, and open none. Raises OrderRefused, BeyondBounds, TooMany."""
        order, selector, chosen = await self._begun(text, wanted)
        why, subject = f"order {shown(order.number)}", self._orders.subject_of(selector)
        async with audit_log.act(
            self._orders.database, operator=operator, action="order produce", why=why, subject=subject, dry=True
        ) as act:
            found = await self._records.find(selector, order.since, order.until)
            counts = found.counts(chosen)
            act.outcome = f"would give {_told(counts)}"
        return ProducedPackage("counted", chosen, counts)

    async def produce(self, text: str, operator: str, out: Path, wanted: Sequence[Category] = ()) -> ProducedPackage:
        """Write the package to `out`, a new folder, or ask for the approval.

        Raises OrderRefused, BeyondBounds, TooMany, Busy while another officer produces an order, OSError, ObjectsAway.
        """
        async with self._orders.database.only_production():
            return await self._produce(text, operator, PackageFolder(out), wanted)

    async def download(
        self, text: str, operator: str, send: Callable[[bytes], Awaitable[None]], wanted: Sequence[Category] = ()
    ) -> ProducedPackage:
        """Send the package as a ZIP file, or ask for the approval. The order is closed once all of it was sent. Raises as `produce`."""
        async with self._orders.database.only_production():
            return await self._produce(text, operator, PackageDownload(operator, send), wanted)

    async def confirm(self, text: str, operator: str) -> None:
        """Confirm another officer's request to produce an order. Raises OrderRefused, Refused."""
        order, _, _ = await self._orders.read(text)
        self._orders.check_running(order)
        person = await self._officer(operator)
        waiting = [one for one in await self._approvals.waiting(person) if one.subject == order.number.encode()]
        asked = next((one for one in waiting if one.action is Action.PRODUCE and one.state is State.ASKED), None)
        if asked is None:
            raise OrderRefused("no officer asks for this: serendip privacy order produce")
        await self._approvals.confirm(asked.id, person)

    async def approval(self, order: Order, operator: Operator) -> State:
        """Return the state of this officer's request to produce an order."""
        return await self._approvals.find(Action.PRODUCE, order.number.encode(), operator)

    async def _begun(self, text: str, wanted: Sequence[Category]) -> tuple[Order, Selector, tuple[Category, ...]]:
        """Return an order that may be produced, whom it names, and the categories to open. Raises OrderRefused, BeyondBounds."""
        order, selector, _ = await self._orders.read(text)
        chosen = order_kinds.opened(order.kind, order.asked, wanted)
        self._orders.check_running(order)
        if not chosen:
            raise NothingToOpen(f"{order_kinds.KINDS[order.kind].words} opens nothing: refuse it, or place a hold")
        return order, selector, chosen

    async def _produce(
        self, text: str, operator: str, place: PackagePlace, wanted: Sequence[Category]
    ) -> ProducedPackage:
        """Give the package under the lock: no other officer closes this attempt's lines of the ledger as interrupted."""
        order, selector, chosen = await self._begun(text, wanted)
        subject, why = self._orders.subject_of(selector), f"order {shown(order.number)}"
        if await place.is_complete(order):
            return await self._finish(order, operator, chosen, {})
        if (state := await self._approved(order, operator, why)) is not None:
            return ProducedPackage(state, chosen, {})
        if order.age_key and await asyncio.to_thread(shutil.which, "age") is None:
            raise AgeFailed(ABSENT)
        async with audit_log.act(
            self._orders.database, operator=operator, action="order produce", why=why, subject=subject
        ) as act:
            found = await self._records.find(selector, order.since, order.until)
            counts = found.counts(chosen)
            await self._give(order, chosen, found, counts, place)
            act.outcome = f"gave {order_kinds.names_of(chosen)}: {_told(counts)}"
        return await self._finish(order, operator, chosen, counts)

    async def _approved(self, order: Order, operator: str, why: str) -> str | None:
        """Return None if production may begin, else the state of the approval, after requesting it if need be. Raises OrderRefused."""
        person, subject = await self._officer(operator), order.number.encode()
        found = await self._approvals.newest(Action.PRODUCE, subject, person)
        if found is not None and found.state.may:
            return None
        if found is None or found.state not in (State.ASKED, State.WAITING):
            # Where a life is in danger, production does not wait for a second operator if no other account exists.
            hurried = order.kind == "emergency" and not await self._accounts.others(Action.PRODUCE, operator)
            await self._approvals.ask(person, Action.PRODUCE, subject, why, emergency=hurried)
            if hurried:
                return None
            found = await self._approvals.newest(Action.PRODUCE, subject, person)
        return found.state.value if found is not None else State.ASKED.value

    async def _give(
        self, order: Order, chosen: Sequence[Category], found: FoundRecords, counts: dict[str, int], place: PackagePlace
    ) -> None:
        """Give the package, after the intent. An attempt that was interrupted before its folder appeared is closed as failed; a package that was
        being sent may have left, and counts as given.
        """
        ledger, keys = self._orders.ledger, self._orders.pseudonyms
        interrupted = await self._intents(order)
        if interrupted and order.why.startswith(SENDING):
            await ledger.done(interrupted)
        elif interrupted:
            await ledger.failed(interrupted)
        await self._orders.note(order, place.note)
        one = self._orders.disclosure(order, chosen, sum(counts.values()))
        intents = await ledger.intent(one, [keys.disclosure_subject(value) for value in found.values])
        try:
            parts = await self._records.opened(found, chosen)
            await place.give(
                PackageContent(order, chosen, counts, parts, intents), lambda note: self._orders.note(order, note)
            )
        except Exception:
            if not await place.may_be_given():
                await ledger.failed(intents)
            raise

    async def _finish(
        self, order: Order, operator: str, chosen: tuple[Category, ...], counts: dict[str, int]
    ) -> ProducedPackage:
        """Write the outcome of a package that is there."""
        if intents := await self._intents(order):
            await self._orders.ledger.done(intents)
        await self._orders.close_produced(order, operator)
        return ProducedPackage("done", chosen, counts)

    async def _officer(self, operator: str) -> Operator:
        """Return an operator who may produce orders (`Accounts.at_a_shell`). Raises OrderRefused."""
        person = await self._accounts.at_a_shell(operator, Action.PRODUCE)
        if person is None:
            raise OrderRefused(f"{operator} is no officer: say --operator with the name of an officer's account")
        return person

    async def _intents(self, order: Order) -> list[int]:
        """Return the intents of an order that have no outcome."""
        outcome = disclosure.alias()
        wanted = (
            select(disclosure.c.number)
            .outerjoin(outcome, outcome.c.intent == disclosure.c.number)
            .where(
                disclosure.c.law_order == order.number,
                disclosure.c.phase == Phase.INTENT.value,
                outcome.c.number.is_(None),
            )
        )
        async with self._orders.database.read() as connection:
            return [int(one) for one in (await connection.execute(wanted)).scalars()]


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
