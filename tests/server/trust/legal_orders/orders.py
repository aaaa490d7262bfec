"""Officers, an order and its production, for the tests of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert

from server.data.privacy.registry_model import Category
from server.data.retention.legal_holds import Selector
from server.data.schema.console_schema import operator, passkey
from server.trust.legal_orders.law_orders import LawOrders, NewOrder
from server.trust.legal_orders.order_production import OrderProduction, ProducedPackage
from server.trust.legal_orders.order_records import OrderRecords
from server.trust.moderators.approvals import Approvals
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import Action, Operator
from tests.server.data.conftest import NOW, Kit, people, transcript
from tests.server.trust.moderation.people import cases, pictures, reported, sealed, text
from tests.server.trust.rights.people import A, B, chat

DAY = 86_400
ADA, BOB = (Operator(name, frozenset({"officer"}), 0.0) for name in ("ada", "bob"))
Cat = Category


def order(kind: str = "warrant", *asked: Category, about: Selector | None = None, **more: Any) -> NewOrder:
    """Return an order about the user A."""
    asked = asked or (Cat.A, Cat.F, Cat.G, Cat.H, Cat.L, Cat.LOG)
    selector = about or Selector("identity", str(A))
    return NewOrder(kind, "A court", "no", asked, selector, "Order 7: all of it", NOW, **({"due": NOW + DAY} | more))


def orders(kit: Kit) -> LawOrders:
    """Return the orders of a store."""
    return LawOrders(kit.database, kit.pseudonyms, lambda: kit.now)


def records(kit: Kit) -> OrderRecords:
    """Return the reader of a store's records."""
    return OrderRecords(kit.database, kit.logs, sealed(kit), kit.pseudonyms)


def approvals(kit: Kit) -> tuple[Accounts, Approvals]:
    """Return accounts and approvals of a store."""
    accounts = Accounts(kit.database, kit.pseudonyms, lambda: kit.now)
    return accounts, Approvals(kit.database, accounts, clock=lambda: kit.now)


def production(kit: Kit) -> OrderProduction:
    """Return the production of a store's orders."""
    return OrderProduction(orders(kit), records(kit), *approvals(kit))


async def officers(kit: Kit, *names: str) -> None:
    """Enrol officers a month ago."""
    async with kit.database.write() as connection:
        for name in names:
            made = NOW - 30 * DAY
            row = {"name": name, "roles": "officer", "handle": name.encode().ljust(16), "made": made, "changed": made}
            await connection.execute(insert(operator).values(row))
            key = {"id": name.encode(), "operator": name, "credential": b"x", "counter": 0, "made": made}
            await connection.execute(insert(passkey).values(key))


async def stored(kit: Kit) -> None:
    """Store a chat, a saved log, a case with text and pictures about A, and the same about B."""
    await kit.write(chat(1), chat(20, A, 44))
    await kit.logs.save(transcript("hello", "my secret"), people(A, B))
    await cases(kit).take(reported(by=B, about=A, said=text("buy this"), shown=pictures()))
    await cases(kit).take(reported(by=A, about=B, said=text("not about A")))


async def approved(kit: Kit, number: str, out: Path, **more: Any) -> ProducedPackage:
    """Have ada ask for the production, bob confirm it, and ada produce."""
    asked = await production(kit).produce(number, "ada", out, **more)
    assert asked.state == "asked"
    (waiting,) = [one for one in await approvals(kit)[1].waiting(BOB) if one.subject == number.encode()]
    assert waiting.action is Action.PRODUCE
    await approvals(kit)[1].confirm(waiting.id, BOB)
    return await production(kit).produce(number, "ada", out, **more)
