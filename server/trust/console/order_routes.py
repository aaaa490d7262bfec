"""Serve `/orders` and `/holds`, where officers enter, read, preserve, count, produce and refuse orders of authorities, and place and release holds.

A package is a download of the officer's browser; the command line (`serendip privacy order produce`) writes the same files into a folder.

**Invariant:** the audit log has a line before each look and each act; each act needs a fresh passkey. An order is closed as produced only after its
package was sent whole.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from server.data.chat_logs.log_removal import last
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.errors import ObjectsAway, StoreAway
from server.data.objects.sealed_objects import Sealed
from server.data.privacy import audit_log
from server.data.privacy.registry_model import Category
from server.data.retention import audited_holds, legal_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import BadHold, Selector
from server.data.statement.term_translations import SAID
from server.data.store.store_runner import Parts
from server.http.request.forms import Form
from server.http.words.sentence_formatter import Said
from server.http.words.worded_errors import Worded
from server.ops import log
from server.ops.security import reference_numbers
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.legal_orders import order_kinds
from server.trust.legal_orders.law_orders import LONGEST, RUNNING, LawOrders, NewOrder, Order, OrderRefused
from server.trust.legal_orders.order_package import AgeFailed, clear_interrupted, package_name
from server.trust.legal_orders.order_production import NothingToOpen, OrderProduction
from server.trust.legal_orders.order_records import MOST, OrderRecords, TooMany
from server.trust.moderators import moderator_accounts
from server.trust.moderators.approvals import Approvals, State
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

SEND_S = 300.0  # seconds that a browser may take for a package: meanwhile no other order is produced
STALLED_S = 15.0  # seconds that it may take nothing of it
PIECE = 65_536  # bytes of the package

logger = log.get()


class OrderRoutes:
    """Handlers of orders. `data`: folder with the keys."""

    def __init__(
        self, pages: Pages, orders: LawOrders, production: OrderProduction, logs: SavedLogs, data: Path
    ) -> None:
        self._pages = pages
        self._orders = orders
        self._production = production
        self._logs = logs
        self._data = data

    async def listed(
        self, request: web.Request, operator: Operator, problem: Worded | None = None, filled: Form | None = None
    ) -> web.Response:
        """`GET /orders`; `every=1`: closed orders, too. `filled`: of an order that was not entered; its fields stay as they were typed."""
        every = request.query.get("every") == "1"
        async with audit_log.act(
            self._orders.database, operator=operator.name, action="order list", why="the orders"
        ) as act:
            found = await self._orders.listed(every)
            act.outcome = f"{len(found)} listed"
        t = self._pages.spoken(request)
        return self._pages.answer(
            "orders.html",
            request,
            operator,
            status=409 if problem else 200,
            problem=problem,
            orders=[self._row(one, t) for one in found],
            every=every,
            kinds={name: one.words for name, one in order_kinds.KINDS.items()},
            most=LONGEST,
            filled=filled or Form([]),
            categories=[(one.name, one.value) for one in Category if one in order_kinds.EVERYTHING],
            term=SAID[t.language],
        )

    def _row(self, one: Order, t: Said) -> dict[str, Any]:
        """Return what a page shows of an order, without the person and the text."""
        now, running = self._orders.now, one.state in RUNNING
        return {
            "number": one.number, "shown": reference_numbers.shown(one.number), "kind": order_kinds.KINDS[one.kind].words,
            "authority": one.authority, "country": one.country, "due": t.moment(one.due), "late": running and one.due < now,
            "opens": order_kinds.names_of(one.open_to), "hold": one.hold, "open": running, "state": one.state,
            "secret": t.day(one.gag_until) if one.gag_until is not None and one.gag_until > now else "",
            "decided": "" if one.decided is None else t.moment(one.decided), "received": t.moment(one.received),
            "since": "" if one.since is None else t.moment(one.since), "until": "" if one.until is None else t.moment(one.until),
        }  # fmt: skip

    async def enter(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/new`: `kind`, `authority`, `country`, `categories`, `paper`, `received`, `due`, `gag_until`, `since`, `until`, `age_key`, and
        one of `address`, `log` and `identity`.
        """
        form = sent(request)
        try:
            one = NewOrder(
                form.get("kind"), form.get("authority"), form.get("country").strip(),
                _ticked(request),
                await self._selector(form.get("address").strip(), form.get("log").strip(), form.get("identity").strip()),
                form.get("paper").replace("\r\n", "\n"), _moment(form.get("received")) or self._orders.now,
                _day(form.get("due")), _day(form.get("gag_until")), _moment(form.get("since")),
                _moment(form.get("until")), form.get("age_key").strip(),
            )  # fmt: skip
            await self._orders.new(one, operator.name)
        except (OrderRefused, order_kinds.BeyondBounds):
            return await self.listed(request, operator, Refused("refused.order.new"), form)
        except (BadHold, Refused) as problem:
            return await self.listed(request, operator, problem, form)
        return web.Response(status=303, headers={"Location": "/orders"})

    async def _selector(self, address: str, log: str, identity: str) -> Selector:
        """Return what an order names. Raises BadHold, Refused."""
        if sum(map(bool, (address, log, identity))) != 1:
            raise Refused("refused.hold.which")
        if chosen := await asyncio.to_thread(audited_holds.chosen_selector, self._data, identity, address):
            return chosen
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
        about = f"{selector.kind} {selector.value}"
        return await self._page(request, operator, one, about=about, paper=paper)

    async def count(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /orders/count`: `number`, `categories`: how many records the package would have; none is opened."""
        number = sent(request).get("number")
        try:
            wanted = _ticked(request)
            found = await self._production.count(number, operator.name, wanted)
            one, _, _ = await self._orders.read(number)
        except (OrderRefused, order_kinds.BeyondBounds, TooMany) as problem:
            return await self.listed(request, operator, _worded(problem))
        return await self._page(request, operator, one, counts=found.counts, wanted=found.categories)

    async def _page(
        self, request: web.Request, operator: Operator, one: Order, *, about: str = "", paper: str = "",
        counts: dict[str, int] | None = None, wanted: tuple[Category, ...] = (),
    ) -> web.Response:  # fmt: skip
        """Return the page of one order. `counts`: of its records, if they were counted."""
        t, state = self._pages.spoken(request), await self._production.approval(one, operator)
        return self._pages.answer(
            "order.html", request, operator, **self._row(one, t), about=about, paper=paper,
            counts=counts, days=legal_holds.PRESETS["order"], approved=state.may, waits=state in (State.ASKED, State.WAITING),
            categories=[(each.name, each.value, each in wanted or not wanted) for each in one.open_to],
            encrypted=bool(one.age_key), term=SAID[t.language],
        )  # fmt: skip

    async def hold(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/hold`: `number`, `days`."""
        form = sent(request)
        try:
            await self._orders.hold(form.get("number"), operator.name, _days(form.get("days")))
        except (OrderRefused, BadHold) as problem:
            return await self.listed(request, operator, _worded(problem))
        return web.Response(status=303, headers={"Location": "/orders"})

    async def produce(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/produce`: `number`, `categories`. The first call asks for an approval; the next one sends the package."""
        number, download = sent(request).get("number"), _Download(request)
        try:
            await self._production.download(number, operator.name, download.send, _ticked(request))
        except ObjectsAway:  # an OSError, too
            return self._pages.answer("refused.html", request, operator, status=503, why="away")
        except (StoreAway, OSError) as problem:
            if download.response is None:
                raise
            logger.error(
                "http.fault", **log.described(problem)
            )  # the order stays open: its package was not sent whole, or could not be noted
            return download.response
        except (OrderRefused, order_kinds.BeyondBounds, TooMany, moderator_accounts.Refused) as problem:
            return download.response or await self.listed(request, operator, _worded(problem))
        return download.response or web.Response(status=303, headers={"Location": "/approvals"})

    async def refuse(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/refuse`: `number`, `why`."""
        form = sent(request)
        try:
            await self._orders.refuse(form.get("number"), operator.name, _why(form.get("why")), clear_interrupted)
        except (OrderRefused, Refused) as problem:
            return await self.listed(request, operator, _worded(problem))
        return web.Response(status=303, headers={"Location": "/orders"})

    async def gag(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /orders/gag`: `number`, `why`, and `until`, or `now` for the end of the secrecy now."""
        form = sent(request)
        try:
            until = self._orders.now if form.flag("now") else _day(form.get("until"))
            if until is None:
                raise Refused("refused.order.day")
            await self._orders.gag(form.get("number"), operator.name, until, _why(form.get("why")))
        except (OrderRefused, Refused) as problem:
            return await self.listed(request, operator, _worded(problem))
        return web.Response(status=303, headers={"Location": "/orders"})


class _Download:
    """The answer to a request for a package. `response`: None until the package is sent."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response: web.StreamResponse | None = None

    async def send(self, body: bytes) -> None:
        """Send the package whole. Raises OSError."""
        name = package_name(sent(self._request).get("number"))
        self.response = web.StreamResponse(
            headers={"Content-Disposition": f'attachment; filename="{name}.zip"', "Content-Type": "application/zip"}
        )
        self.response.content_length = len(body)
        async with asyncio.timeout(SEND_S):
            await self.response.prepare(self._request)
            for start in range(0, len(body), PIECE):
                async with asyncio.timeout(STALLED_S):
                    await self.response.write(body[start : start + PIECE])
            async with asyncio.timeout(STALLED_S):
                await self.response.write_eof()


class HoldRoutes:
    """Handlers of legal holds. `data`: folder with the keys; `clock`: Unix seconds."""

    def __init__(self, pages: Pages, parts: Parts, data: Path, clock: Callable[[], float]) -> None:
        self._pages = pages
        self._parts = parts
        self._data = data
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
        """`POST /holds/place`: `authority`, `why`, `days`, `secret`, and one of `address`, `log` and `identity`."""
        form, parts = sent(request), self._parts
        try:
            address, log, identity = (form.get(name).strip() for name in ("address", "log", "identity"))
            if sum(map(bool, (address, log, identity))) != 1:
                raise Refused("refused.hold.which")
            chosen = await asyncio.to_thread(audited_holds.chosen_selector, self._data, identity, address)
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


def _moment(text: str) -> int | None:
    """Return the Unix seconds of `2026-11-24T16:05`, UTC, or None for an empty text. Raises OrderRefused."""
    if not text:
        return None
    try:
        return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())
    except ValueError:
        raise OrderRefused("this is no time") from None


def _ticked(request: web.Request) -> tuple[Category, ...]:
    """Return the categories that were ticked. Raises BeyondBounds."""
    return order_kinds.categories(",".join(sent(request).all("categories")))


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
    """Return what the page says of a problem."""
    if isinstance(problem, Worded):
        return problem
    match problem:
        case AgeFailed():
            return Refused("refused.order.age")
        case NothingToOpen():
            return Refused("refused.order.nothing")
        case TooMany():
            return Refused("refused.order.many", n=MOST)
        case order_kinds.BeyondBounds():
            return Refused("refused.order.beyond")
    return Refused("refused.order")


def add_orders(
    gate: Gate, pages: Pages, parts: Parts, approvals: Approvals, accounts: Accounts, data: Path,
    clock: Callable[[], float] = time.time,
) -> None:  # fmt: skip
    """Add the routes. `data`: folder with the keys."""
    kept = LawOrders(parts.database, parts.pseudonyms, clock)
    sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
    records = OrderRecords(parts.database, parts.logs, sealed, parts.pseudonyms)
    orders = OrderRoutes(pages, kept, OrderProduction(kept, records, accounts, approvals), parts.logs, data)
    holds = HoldRoutes(pages, parts, data, clock)
    pages.offer("/orders", "console.orders", Action.HOLD)
    pages.offer("/holds", "console.holds", Action.HOLD)
    gate.add("GET", "/orders", Action.HOLD, orders.listed, fresh=False)
    gate.add("POST", "/orders/new", Action.HOLD, orders.enter)
    gate.add("POST", "/orders/show", Action.HOLD, orders.show)
    gate.add("POST", "/orders/hold", Action.HOLD, orders.hold)
    gate.add("POST", "/orders/count", Action.PRODUCE, orders.count)
    gate.add("POST", "/orders/produce", Action.PRODUCE, orders.produce)
    gate.add("POST", "/orders/refuse", Action.HOLD, orders.refuse)
    gate.add("POST", "/orders/gag", Action.HOLD, orders.gag)
    gate.add("GET", "/holds", Action.HOLD, holds.listed, fresh=False)
    gate.add("POST", "/holds/place", Action.HOLD, holds.place)
    gate.add("POST", "/holds/release", Action.HOLD, holds.release)
