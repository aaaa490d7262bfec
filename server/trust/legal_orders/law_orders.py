"""Keep legal orders: enter, hold, refuse and list them, and move the end of their secrecy.

**Invariant:** the audit log has a line before each look and each change. A closed order never opens again.

    open ─▷ held ─▷ produced       a hold may be placed first; `server.trust.legal_orders.order_production` moves an order to `produced`
      └──────┴────▷ refused
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy import case as when
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import Category, What
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.schema.law_order_schema import law_order
from server.ops.security.reference_numbers import number as draw
from server.ops.security.reference_numbers import read as read_number
from server.ops.security.reference_numbers import shown
from server.trust.legal_orders import order_kinds
from server.trust.moderators import emergency_reviews
from server.trust.moderators.roles import Action

DAY: Final = 86_400
PAPER: Final = b"order.paper"
OPEN, HELD, PRODUCED, REFUSED = "open", "held", "produced", "refused"
RUNNING: Final = (OPEN, HELD)
STATES: Final = (*RUNNING, PRODUCED, REFUSED)
LONGEST: Final = 8_000  # characters of an order's text
LONGEST_KEY: Final = 120  # characters of a public key
TOLD: Final = 7 * DAY  # how long an ended secrecy is counted


class OrderRefused(ValueError):
    """An action on an order that is not possible."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it came. Times are Unix seconds; `paper`: its text, or what it says in short; `age_key`: the authority's public key, or empty."""

    kind: str
    authority: str
    country: str
    asked: tuple[Category, ...]
    selector: Selector
    paper: str
    received: int
    due: int | None = None
    gag_until: int | None = None
    since: int | None = None
    until: int | None = None
    age_key: str = ""

    def checked(self) -> None:
        """Raise OrderRefused if something is missing."""
        if self.kind not in order_kinds.KINDS:
            raise OrderRefused(f"no kind {self.kind}: say one of {', '.join(order_kinds.KINDS)}")
        if (
            not self.authority.strip()
            or len(self.country) != 2
            or not (self.country.isascii() and self.country.isalpha())
        ):
            raise OrderRefused("an order has an authority and a country of two letters")
        if len(self.paper) > LONGEST or not self.paper.strip():
            raise OrderRefused(f"an order has a text of at most {LONGEST} characters")
        if self.due is None and order_kinds.KINDS[self.kind].due is None:
            raise OrderRefused(f"{order_kinds.KINDS[self.kind].words} is due when it says: --due")
        if self.age_key and not (self.age_key.isascii() and self.age_key.isalnum() and self.age_key.startswith("age1")):
            raise OrderRefused("a key of age begins with age1")
        if len(self.age_key) > LONGEST_KEY:
            raise OrderRefused(f"a key of age has at most {LONGEST_KEY} characters here")


@dataclass(frozen=True, slots=True)
class Order:
    """A stored order, without the person and the text. `open_to`: the categories that it may open."""

    number: str
    kind: str
    authority: str
    country: str
    received: int
    due: int
    gag_until: int | None
    asked: tuple[Category, ...]
    since: int | None
    until: int | None
    age_key: str
    hold: int | None
    state: str
    decided: int | None
    why: str

    @property
    def open_to(self) -> tuple[Category, ...]:
        """The categories that the order names and its kind may open."""
        return order_kinds.opened(self.kind, self.asked)


class LawOrders:
    """The orders of one store. `clock`: Unix seconds. All methods raise StoreAway."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.pseudonyms = pseudonyms
        self.ledger = DisclosureLedger(database, clock)
        self.clock = clock

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock())

    async def new(self, one: NewOrder, operator: str) -> str:
        """Enter an order, and return its number. Nothing is looked up. Raises OrderRefused, BadHold."""
        one.checked()
        selector, number = one.selector.checked(), draw()
        due = order_kinds.KINDS[one.kind].due
        row = {
            "number": number, "kind": one.kind, "authority": one.authority.strip()[:120], "country": one.country.upper(),
            "received": one.received, "due": one.due if one.due is not None else one.received + (due or 0),
            "gag_until": one.gag_until, "asked": ",".join(category.name for category in one.asked),
            "since": one.since, "until": one.until, "age_key": one.age_key, "hold": None, "state": OPEN, "decided": None,
            "selector": self.pseudonyms.seal_selector(f"{selector.kind} {selector.value}"),
            "paper": self.pseudonyms.seal_text(PAPER, one.paper), "why": "", "ends": None,
        }  # fmt: skip
        async with audit_log.act(
            self.database, operator=operator, action="order new", why=f"{one.kind} of {one.authority}",
            subject=self.subject_of(selector),
        ) as act:  # fmt: skip
            async with self.database.write() as connection:
                await connection.execute(insert(law_order).values(row))
            act.outcome = f"order {shown(number)}"
        return number

    async def hold(self, text: str, operator: str, days: int) -> int:
        """Preserve what the order names, and return the hold's number. It is secret while the order is. Raises OrderRefused, BadHold.

        A hold that is in force gets the new end, if that is a later one; in place of one that has ended there is a new one. Hold and order change in
        one transaction: an order has one hold, also if two officers place it at once or the process is killed.
        """
        order, selector, _ = await self.read(text)
        self.check_running(order)
        why = self._reason(order)
        async with audit_log.act(
            self.database, operator=operator, action="order hold", why=why, subject=self.subject_of(selector)
        ) as act:
            async with self.database.write() as connection:
                await self.database.guard(connection)
                now, until = self.now, self.now + days * DAY
                wanted = select(law_order.c.gag_until, law_order.c.hold).where(law_order.c.number == order.number)
                gag, hold = (await connection.execute(wanted)).one()
                before = hold
                if hold is not None and (end := await legal_holds.end_of(connection, hold, why, now)) is not None:
                    if end >= until:
                        raise OrderRefused(f"hold {hold} is placed already, and ends no sooner")
                    await legal_holds.move_end(connection, hold, now, until)
                else:
                    hold = await legal_holds.place_within(
                        connection, self.pseudonyms, selector, authority=order.authority, reason=why, now=now,
                        until=until, secret=(gag or 0) > now,
                    )  # fmt: skip
                values: dict[str, Any] = {"hold": hold, "state": HELD}
                if order.kind == "preservation":  # nothing leaves, so the order is answered
                    values |= {"state": PRODUCED, "decided": now, "ends": self._ends()}
                free = (
                    law_order.c.number == order.number,
                    law_order.c.state.in_(RUNNING),
                    law_order.c.hold.is_not_distinct_from(before),
                )
                if not (await connection.execute(update(law_order).where(*free).values(values))).rowcount:
                    raise OrderRefused("another operator closed this order or placed its hold")  # this hold is undone
            act.outcome = f"hold {hold}"
        return int(hold)

    async def refuse(self, text: str, operator: str, why: str, clear: Callable[[Order], None] | None = None) -> None:
        """Refuse an order. The ledger has the line; nothing was looked up. Raises OrderRefused, Busy while an order is produced.

        `clear`: removes what an interrupted production left on a disk; raises OrderRefused if its package is complete.
        """
        async with self.database.only_production():  # else this order could be given and refused
            order, selector, _ = await self.read(text)
            self.check_running(order)
            if clear is not None:
                await asyncio.to_thread(clear, order)
            async with audit_log.act(
                self.database, operator=operator, action="order refuse", why=why, subject=self.subject_of(selector)
            ) as act:
                async with self.database.write(durable=True) as connection:
                    await self.ledger.refused_within(connection, self.disclosure(order, order.asked))
                    values = {"state": REFUSED, "decided": self.now, "why": why[:500], "ends": self._ends()}
                    await self._change(connection, order, values)
                act.outcome = f"order {shown(order.number)} refused"

    async def gag(self, text: str, operator: str, until: int, why: str) -> None:
        """Move the end of an order's secrecy, as a court did; a past time ends it now. Raises OrderRefused.

        Its hold is secret as long as the order, and the ledger keeps whom the order concerned for its time from the new end on. Another officer may
        place the hold, or answer the order, at the same moment.
        """
        order, selector, _ = await self.read(text)
        async with audit_log.act(
            self.database, operator=operator, action="order gag", why=why, subject=self.subject_of(selector)
        ) as act:
            decided = law_order.c.decided
            ends = when((decided.is_(None), law_order.c.ends), (decided > until, decided), else_=until)
            async with self.database.write() as connection:
                await self.database.guard(connection)
                moved = update(law_order).where(law_order.c.number == order.number).values(gag_until=until, ends=ends)
                hold = await connection.scalar(moved.returning(law_order.c.hold))
                await self.ledger.move_secrecy(connection, order.number, until)
                if hold is not None:
                    await legal_holds.set_secret(connection, hold, self._reason(order), secret=until > self.now)
            act.outcome = f"order {shown(order.number)}: secret until {until}"

    async def show(self, text: str, operator: str, why: str) -> tuple[Order, Selector, str]:
        """Return an order with the person whom it names and its text, after a line of the audit log. Raises OrderRefused."""
        order, selector, paper = await self.read(text)
        async with audit_log.act(
            self.database, operator=operator, action="order show", why=why, subject=self.subject_of(selector)
        ) as act:
            act.outcome = f"order {shown(order.number)}"
        return order, selector, paper

    async def listed(self, every: bool) -> Sequence[Order]:
        """Return the running orders, or all, soonest due first; without persons and texts."""
        wanted = select(law_order).order_by(law_order.c.due, law_order.c.number)
        async with self.database.read() as connection:
            rows = (await connection.execute(wanted if every else wanted.where(law_order.c.state.in_(RUNNING)))).all()
        return [_order(row) for row in rows]

    async def counts(self) -> tuple[dict[str, int], int | None, int, int | None]:
        """Return the number of orders by state, when the first running one is due, and, of answered ones, how many secrecies ended in the last week
        and when the next one ends.
        """
        running = when((law_order.c.state.in_(RUNNING), law_order.c.due))
        wanted = select(law_order.c.state, func.count(), func.min(running)).group_by(law_order.c.state)
        now, secret = self.now, law_order.c.gag_until
        secrecies = select(
            func.count().filter(secret > now - TOLD, secret <= now), func.min(secret).filter(secret > now)
        ).where(law_order.c.state == PRODUCED)
        async with self.database.read() as connection:
            rows = (await connection.execute(wanted)).all()
            ended, next_end = (await connection.execute(secrecies)).one()
        due = [row[2] for row in rows if row[2] is not None]
        return {row[0]: row[1] for row in rows}, min(due, default=None), int(ended), next_end

    async def read(self, text: str) -> tuple[Order, Selector, str]:
        """Return an order, the person whom it names, and its text; for the methods that write the audit log. Raises OrderRefused."""
        number = read_number(text)
        async with self.database.read() as connection:
            row = (await connection.execute(select(law_order).where(law_order.c.number == number))).first()
        if row is None:
            raise OrderRefused("no order has this number")
        kind, _, value = self.pseudonyms.open_selector(row.selector).partition(" ")
        return _order(row), Selector(kind, value), self.pseudonyms.open_text(PAPER, row.paper)

    async def note(self, order: Order, words: str) -> None:
        """Write how far the answer of a running order is, in place of its reason. Raises OrderRefused if another operator closed it meanwhile."""
        async with self.database.write() as connection:
            await self._change(connection, order, {"why": words[:500]})

    async def close_produced(self, order: Order, operator: str) -> None:
        """Write that the package of an order was given; that of an emergency is to be reviewed. Raises OrderRefused."""
        values = {
            "state": PRODUCED, "decided": self.now, "why": f"produced by {operator}"[:500], "ends": self._ends(),
        }  # fmt: skip
        async with self.database.write() as connection:
            await self._change(connection, order, values)
            if order.kind == "emergency":
                await emergency_reviews.begin(connection, Action.PRODUCE, order.number.encode(), operator, self.now)

    def _ends(self) -> ColumnElement[int]:
        """Return the end of an order that is answered now: that of its secrecy, as the row has it when it is written, or now."""
        return when((law_order.c.gag_until > self.now, law_order.c.gag_until), else_=self.now)

    @staticmethod
    async def _change(connection: AsyncConnection, order: Order, values: dict[str, Any]) -> None:
        running = update(law_order).where(law_order.c.number == order.number, law_order.c.state.in_(RUNNING))
        if not (await connection.execute(running.values(values))).rowcount:
            raise OrderRefused("this order is closed")

    @staticmethod
    def _reason(order: Order) -> str:
        """Return the reason of an order's hold."""
        return f"order {shown(order.number)}"

    @staticmethod
    def check_running(order: Order) -> None:
        """Raise OrderRefused for a closed order."""
        if order.state not in RUNNING:
            raise OrderRefused(f"this order is {order.state}")

    @staticmethod
    def disclosure(order: Order, categories: Sequence[Category], count: int = 0) -> Disclosure:
        """Return the disclosure that an order asks for, as the ledger has it. `count`: records."""
        return Disclosure(
            What.PRODUCED, order.authority, order.kind, tuple(categories), count, law_order=order.number,
            reveal_after=order.gag_until or 0,
        )  # fmt: skip

    def subject_of(self, selector: Selector) -> bytes:
        """Return the value of the audit log for the person, the address or the saved log that an order names."""
        if selector.kind == "address":
            return self.pseudonyms.audit_subject(self.pseudonyms.kept_address_mac(selector.value))
        if selector.kind == "log" or len(selector.value) == 34:
            return self.pseudonyms.audit_subject(bytes.fromhex(selector.value))
        return self.pseudonyms.audit_subject(self.pseudonyms.kept_identity(int(selector.value)))


def _order(row: Any) -> Order:
    return Order(
        row.number, row.kind, row.authority, row.country, row.received, row.due, row.gag_until,
        order_kinds.categories(row.asked), row.since, row.until, row.age_key, row.hold, row.state, row.decided, row.why,
    )  # fmt: skip
