"""Test `/requests`, `/logs`, `/orders`, `/holds` and `/audit`: who may enter, and that the console leaves the rows that the command line leaves."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from server.data.chat_logs import log_removal
from server.data.database import schema_migration
from server.data.privacy import audit_log
from server.data.privacy.registry_model import Category
from server.data.retention import audited_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import Selector
from server.data.schema.data_request_schema import request, request_answer, request_contact, request_text
from server.data.schema.law_order_schema import law_order
from server.data.schema.record_schema import audit, hold, log
from server.ops.config.settings import Mail, Objects
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.legal_orders.law_orders import LawOrders, NewOrder
from server.trust.rights.request_work import RequestWork
from tests.server.data.conftest import NOW, Kit, make_kit, people, transcript
from tests.server.trust.console.conftest import Console, Person
from tests.support.stores import Migrated

WHY, WORDS = "my turn", "We looked, and did it."
PATHS = {
    "/requests": ("clerk",), "/logs": ("clerk",), "/orders": ("officer",), "/holds": ("officer",), "/audit": ("admin",),
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


@pytest_asyncio.fixture
async def kit_of_two(tmp_path: Path, migrated: Migrated) -> AsyncIterator[Kit]:
    """A second store, on which the command line's side acts."""
    folder = tmp_path / "two"
    folder.mkdir()
    other = f"sqlite+aiosqlite:///{folder / 'serendip.db'}"
    made = await asyncio.to_thread(make_kit, other, folder, Objects())
    if not await asyncio.to_thread(migrated.copied, other, None):
        await schema_migration.migrate_apart(other, folder)
    yield made
    await made.database.close()


async def asked(kit: Kit, kind: str = "complaint") -> str:
    """The number of a new request by mail."""
    new = NewRequest(kind, "mail", 0, text="<b>What</b> is this?", contact="ann@example.org")
    return await Requests(kit.database, kit.pseudonyms).open(new, NOW)


async def ordered(kit: Kit) -> str:
    """The number of a new order."""
    one = NewOrder(
        "subpoena", "Court of Oslo", "NO", (Category.A,), Selector("address", "81.0.0.11"), "the paper", NOW, NOW + 900
    )
    return await LawOrders(kit.database, kit.pseudonyms, lambda: kit.now).new(one, "ada")


@pytest.mark.parametrize("role", ["moderator", "child", "lead", "officer", "clerk", "admin"])
async def test_each_page_is_there_for_its_role_alone(console: Console, role: str) -> None:
    person = await console.person("ada", role)
    for path, roles in PATHS.items():
        assert (await person.get(path)).status == (200 if role in roles else 404), path


async def test_a_clerk_reads_a_request_after_a_reason_and_answers_it(console: Console) -> None:
    kit = console.kit
    number = await asked(kit)
    clerk = await console.person("ada", "clerk")
    listed = (await clerk.get("/requests")).text
    assert "complaint" in listed
    assert "What" not in re.sub(r"<[^>]+>", "", listed).replace("What people", "")
    assert (await clerk.post("/requests/show", number=number, why=" ")).status == 409
    shown = (await clerk.post("/requests/show", number=number, why=WHY)).text
    assert "&lt;b&gt;What&lt;/b&gt; is this?" in shown
    assert "ann@example.org" in shown
    for wrong in ({"outcome": "shout"}, {"outcome": "denied", "reason": "no"}, {"outcome": "fulfilled", "words": " "}):
        assert (await clerk.post("/requests/close", number=number, why=WHY, **wrong)).status == 409
    assert (await clerk.post("/requests/show", number="0" * 13, why=WHY)).status == 409
    done = await clerk.post("/requests/close", number=number, why=WHY, outcome="fulfilled", words=WORDS)
    assert done.to == "/requests"
    assert (await clerk.post("/requests/close", number=number, why=WHY, outcome="denied", reason="other")).status == 409
    assert "Nothing waits." in (await clerk.get("/requests")).text


Act = Callable[[Kit, str], Awaitable[object]]


def by_command(kit: Kit) -> RequestWork:
    """The work as the command line has it."""
    return RequestWork(kit.database, kit.pseudonyms, Mail())


REQUEST_ACTS: dict[str, tuple[dict[str, str], str, Act]] = {
    "answer": (
        {"outcome": "fulfilled", "words": WORDS}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "fulfilled", int(kit.now), words=WORDS),
    ),
    "deny": (
        {"outcome": "denied", "reason": "no_match", "words": WORDS}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "denied", int(kit.now), reason="no_match", words=WORDS),
    ),
    "close": (
        {"outcome": "revoked", "words": ""}, "/requests/close",
        lambda kit, number: by_command(kit).close("ada", number, WHY, "revoked", int(kit.now)),
    ),
    "extend": ({}, "/requests/extend", lambda kit, number: by_command(kit).extend("ada", number, WHY, int(kit.now))),
    "show": ({}, "/requests/show", lambda kit, number: by_command(kit).show("ada", number, WHY)),
}  # fmt: skip


async def rows(kit: Kit, *without: str) -> list[Any]:
    """All rows that an act on a request, an order, a hold or a log leaves, without what is random."""
    found: list[Any] = []
    async with kit.database.read() as connection:
        for table in (request, request_answer, request_text, request_contact, law_order, hold, log, audit):
            for row in (await connection.execute(select(table).order_by(*table.primary_key.columns))).all():
                known = {name: value for name, value in row._asdict().items() if not isinstance(value, bytes)}
                found.append([table.name, {name: value for name, value in known.items() if name not in without}])
    return found


RANDOM = ("id", "number", "request", "outcome", "time", "object")  # `outcome` of the log quotes numbers


@pytest.mark.parametrize("name", REQUEST_ACTS)
async def test_an_act_on_a_request_leaves_the_same_rows_both_ways(console: Console, kit_of_two: Kit, name: str) -> None:
    fields, path, act = REQUEST_ACTS[name]
    clerk = await console.person("ada", "clerk")
    before = len([row for row in await rows(console.kit) if row[0] == "audit"])
    number = await asked(console.kit)
    assert (await clerk.post(path, number=number, why=WHY, **fields)).status in (200, 303)
    await act(kit_of_two, await asked(kit_of_two))
    by_page = await rows(console.kit, *RANDOM)
    theirs = [row for row in by_page if row[0] != "audit"] + [row for row in by_page if row[0] == "audit"][before:]
    assert theirs == await rows(kit_of_two, *RANDOM)


async def test_a_log_an_order_and_holds_leave_the_same_rows_both_ways(console: Console, kit_of_two: Kit) -> None:
    officer: Person = await console.person("ada", "officer", "clerk")
    before = len([row for row in await rows(console.kit) if row[0] == "audit"])
    saved = [await kit.logs.save(transcript("hello"), people()) for kit in (console.kit, kit_of_two)]
    numbers = [await ordered(kit) for kit in (console.kit, kit_of_two)]
    assert (
        "is removed" in (await officer.post("/logs/remove", url=f"https://x.example/log/{saved[0].log}", why=WHY)).text
    )
    assert "no such" in (await officer.post("/logs/remove", url="https://x.example/log/no", why=WHY)).text
    assert "the paper" in (await officer.post("/orders/show", number=numbers[0], why=WHY)).text
    assert (await officer.post("/orders/hold", number=numbers[0], days="90")).to == "/orders"
    assert (await officer.post("/orders/hold", number=numbers[0], days="90")).status == 409
    assert (await officer.post("/orders/refuse", number=numbers[0], why=WHY)).to == "/orders"
    placed = {"address": "81.0.0.12", "log": "", "authority": "Court", "why": WHY, "days": "30"}
    assert (await officer.post("/holds/place", **placed)).to == "/holds"
    assert (await officer.post("/holds/place", **{**placed, "log": "x"})).status == 409
    assert (await officer.post("/holds/release", number="2", why=WHY)).to == "/holds"
    assert (await officer.post("/holds/release", number="2", why=WHY)).status == 409
    kit, orders = kit_of_two, LawOrders(kit_of_two.database, kit_of_two.pseudonyms, lambda: kit_of_two.now)
    await log_removal.remove(kit.database, kit.logs, "ada", saved[1].log, WHY)
    await log_removal.remove(kit.database, kit.logs, "ada", "no", WHY)
    await orders.show(numbers[1], "ada", WHY)
    await orders.hold(numbers[1], "ada", 90)
    with pytest.raises(ValueError, match="placed already"):
        await orders.hold(numbers[1], "ada", 90)
    await orders.refuse(numbers[1], "ada", WHY)
    one = NewHold(Selector("address", "81.0.0.12"), "", "Court", WHY, 30, False)
    await audited_holds.place(kit.database, kit.logs, one, "ada", int(kit.now))
    for _ in range(2):
        await audited_holds.release(kit.database, 2, "ada", WHY, int(kit.now))
    listed = ("order list", "the orders")  # the console shows the list after a refusal
    by_page = await rows(console.kit, *RANDOM, "reason", "why")
    theirs = [row for row in by_page if row[0] != "audit"] + [
        row for row in [row for row in by_page if row[0] == "audit"][before:] if row[1]["action"] != listed[0]
    ]
    assert theirs == await rows(kit_of_two, *RANDOM, "reason", "why")


async def test_an_administrator_reads_the_trail(console: Console) -> None:
    await by_command(console.kit).listed("bob")
    admin = await console.person("ada", "admin")
    console.kit.now = time.time()
    admin = await console.again("ada")
    text = (await admin.get("/audit")).text
    assert "request list" in text
    assert "bob" in text
    assert len(await audit_log.recent_entries(console.kit.database, 0)) >= text.count("<tr>") - 1
