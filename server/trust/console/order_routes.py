"""Serve `/orders` and `/holds`, where officers enter, read, hold and refuse orders of authorities, and place and release holds.

An order is produced on the command line (`serendip privacy order produce`): the package is a folder there, encrypted for the authority.

**Invariant:** the audit log has a line before each look and each act; each act needs a fresh passkey.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from aiohttp import web

from server.data.chat_logs.log_removal import last
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.privacy import audit_log
from server.data.retention import audited_holds, legal_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import BadHold, Selector
from server.data.store.store_runner import Parts
from server.http.words.worded_errors import Worded
from server.ops.security import reference_numbers
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import LONGEST, RUNNING, LawOrders, NewOrder, OrderRefused
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

DAY = 86_400


class OrderRoutes:
    """Handlers of orders."""

    def __init__(self, pages: Pages, orders: LawOrders, logs: SavedLogs) -> None:
        self._pages = pages
        self._orders = orders
        self._logs = logs

    async def listed(self, request: web.Request, operator: Operator, problem: Worded | None = None) -> web.Response:
        """`GET /orders`"""
        async with audit_log.act(
            self._orders.database, operator=operator.name, action="order list", why="the orders"
        ) as act:
            found = await self._orders.listed(every=False)
            act.outcome = f"{len(found)} listed"
        t, now = self._pages.spoken(request), self._orders.now
        rows = [
            {
                "number": one.number, "shown": reference_numbers.shown(one.number), "kind": order_kinds.KINDS[one.kind].words,
                "authority": one.authority, "country": one.country, "due": t.moment(one.due), "late": one.due < now,
                "opens": order_kinds.names_of(one.open_to), "hold": one.hold,
                "secret": t.day(one.gag_until) if one.gag_until is not None and one.gag_until > now else "",
            }
            for one in found
        ]  # fmt: skip
        return self._pages.answer(
            "orders.html",
            request,
            operator,
            status=409 if problem else 200,
            problem=problem,
            orders=rows,
            kinds={name: one.words for name, one in order_kinds.KINDS.items()},
            most=LONGEST,
        )

    async def enter(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/new`: `kind`, `authority`, `country`, `categories`, `paper`, `due`, `gag_until`, `address` or `log`, `age_key`."""
        form = sent(request)
        try:
            one = NewOrder(
                form.get("kind"), form.get("authority"), form.get("country").strip(),
                order_kinds.categories(form.get("categories")),
                await self._selector(form.get("address").strip(), form.get("log").strip()),
                form.get("paper").replace("\r\n", "\n"), self._orders.now, _day(form.get("due")),
                _day(form.get("gag_until")), age_key=form.get("age_key").strip(),
            )  # fmt: skip
            await self._orders.new(one, operator.name)
        except (OrderRefused, order_kinds.BeyondBounds):
            return await self.listed(request, operator, Refused("refused.order.new"))
        except (BadHold, Refused) as problem:
            return await self.listed(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/orders"})

    async def _selector(self, address: str, log: str) -> Selector:
        """Return what an order names. Raises BadHold, Refused."""
        if bool(address) == bool(log):
            raise Refused("refused.hold.which")
        if address:
            return Selector("address", address).checked()
        ident = await self._logs.find(last(log))
        if ident is None:
            raise BadHold("refused.hold.log")
        return Selector("log", ident.hex())

    async def show(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /orders/show`: `number`, `why`."""
        form = sent(request)
        try:
            one, selector, paper = await self._orders.show(form.get("number"), operator.name, _why(form.get("why")))
        except (OrderRefused, Refused) as problem:
            return await self.listed(request, operator, _worded(problem))
        return self._pages.answer(
            "order.html", request, operator, number=one.number, shown=reference_numbers.shown(one.number),
            kind=order_kinds.KINDS[one.kind].words, authority=one.authority, country=one.country,
            about=f"{selector.kind} {selector.value}", paper=paper, hold=one.hold,
            opens=order_kinds.names_of(one.open_to), open=one.state in RUNNING, days=legal_holds.PRESETS["order"],
        )  # fmt: skip

    async def hold(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/hold`: `number`, `days`."""
        form = sent(request)
        try:
            await self._orders.hold(form.get("number"), operator.name, _days(form.get("days")))
        except (OrderRefused, BadHold) as problem:
            return await self.listed(request, operator, _worded(problem))
        return web.Response(status=303, headers={"Location": "/orders"})

    async def refuse(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/refuse`: `number`, `why`."""
        form = sent(request)
        try:
            await self._orders.refuse(form.get("number"), operator.name, _why(form.get("why")))
        except (OrderRefused, Refused) as problem:
            return await self.listed(request, operator, _worded(problem))
        return web.Response(status=303, headers={"Location": "/orders"})


class HoldRoutes:
    """Handlers of legal holds. `clock`: Unix seconds."""

    def __init__(self, pages: Pages, parts: Parts, clock: Callable[[], float]) -> None:
        self._pages = pages
        self._parts = parts
        self._clock = clock

    async def listed(self, request: web.Request, operator: Operator, problem: Worded | None = None) -> web.Response:
        """`GET /holds`"""
        now, t = self._clock(), self._pages.spoken(request)
        found = await legal_holds.list_holds(self._parts.database)
        active = [
            (one, t.day(one.placed), t.day(one.until)) for one in found if one.released is None and one.until > now
        ]
        return self._pages.answer(
            "holds.html", request, operator, status=409 if problem else 200, problem=problem, holds=active,
            days=legal_holds.PRESETS["order"],
        )  # fmt: skip

    async def place(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /holds/place`: `address` or `log`, `authority`, `why`, `days`, `secret`."""
        form, parts = sent(request), self._parts
        try:
            address, log = form.get("address").strip(), form.get("log").strip()
            if bool(address) == bool(log):
                raise Refused("refused.hold.which")
            chosen = Selector("address", address).checked() if address else None
            one = NewHold(
                chosen, log, form.get("authority").strip(), _why(form.get("why")), _days(form.get("days")),
                form.flag("secret"),
            )  # fmt: skip
            await audited_holds.place(parts.database, parts.logs, one, operator.name, int(self._clock()))
        except (BadHold, Refused) as problem:
            return await self.listed(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/holds"})

    async def release(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /holds/release`: `number`, `why`."""
        form, number = sent(request), sent(request).get("number")
        try:
            why = _why(form.get("why"))
            if not (number.isascii() and number.isdigit() and len(number) <= 9):
                raise Refused("refused.hold.none")
            now = int(self._clock())
            done = await audited_holds.release(self._parts.database, int(number), operator.name, why, now)
            if not done:
                raise Refused("refused.hold.none")
        except Refused as problem:
            return await self.listed(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/holds"})


def _day(text: str) -> int | None:
    """Return the Unix seconds of a day's end, UTC, or None for an empty text. Raises OrderRefused."""
    if not text:
        return None
    try:
        at = datetime.datetime.combine(datetime.date.fromisoformat(text), datetime.time.max, datetime.UTC)
    except ValueError:
        raise OrderRefused("this is no day") from None
    return int(at.timestamp())


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise BadHold("refused.number")
    return int(text)


def _why(text: str) -> str:
    """Return the reason for the audit log. Raises Refused for an empty one."""
    if not text.strip():
        raise Refused("refused.why")
    return text.strip()


def _worded(problem: Exception) -> Worded:
    return problem if isinstance(problem, Worded) else Refused("refused.order")


def add_orders(gate: Gate, pages: Pages, parts: Parts, clock: Callable[[], float] = time.time) -> None:
    """Add the routes."""
    orders = OrderRoutes(pages, LawOrders(parts.database, parts.pseudonyms, clock), parts.logs)
    holds = HoldRoutes(pages, parts, clock)
    pages.offer("/orders", "console.orders", Action.HOLD)
    pages.offer("/holds", "console.holds", Action.HOLD)
    gate.add("GET", "/orders", Action.HOLD, orders.listed, fresh=False)
    gate.add("POST", "/orders/new", Action.HOLD, orders.enter)
    gate.add("POST", "/orders/show", Action.HOLD, orders.show)
    gate.add("POST", "/orders/hold", Action.HOLD, orders.hold)
    gate.add("POST", "/orders/refuse", Action.HOLD, orders.refuse)
    gate.add("GET", "/holds", Action.HOLD, holds.listed, fresh=False)
    gate.add("POST", "/holds/place", Action.HOLD, holds.place)
    gate.add("POST", "/holds/release", Action.HOLD, holds.release)
