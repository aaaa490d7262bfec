"""Test `/orders`, `/holds` and `/logs`: the console leaves the rows that the command line leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.chat_logs import log_removal
from server.data.privacy.registry_model import Category
from server.data.retention import audited_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import Selector
from server.trust.legal_orders.law_orders import LawOrders, NewOrder
from tests.server.data.conftest import NOW, Kit, people, transcript
from tests.server.trust.console.both_ways import RANDOM, kit_of_two, rows
from tests.server.trust.console.conftest import Console, Person

__all__ = ["kit_of_two"]
WHY = "my turn"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An SQLite database: other files ask both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def ordered(kit: Kit) -> str:
    """The number of a new order."""
    one = NewOrder(
        "subpoena", "Court of Oslo", "NO", (Category.A,), Selector("address", "81.0.0.11"), "the paper", NOW, NOW + 900
    )
    return await LawOrders(kit.database, kit.pseudonyms, lambda: kit.now).new(one, "ada")


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


async def test_what_another_operator_is_doing_is_refused_with_a_reason(console: Console) -> None:
    officer: Person = await console.person("ada", "officer")
    number = await ordered(console.kit)
    async with console.kit.database.only_production():
        busy = await officer.post("/orders/refuse", number=number, why=WHY)
    assert (busy.status, "Nothing was done" in busy.text) == (409, True)
    assert (await officer.post("/orders/refuse", number=number, why=WHY)).to == "/orders"


async def test_an_order_is_entered_the_same_both_ways_and_a_wrong_one_is_not(console: Console, kit_of_two: Kit) -> None:
    officer: Person = await console.person("ada", "officer")
    before = len([row for row in await rows(console.kit) if row[0] == "audit"])
    fields = {
        "kind": "subpoena", "authority": "Court of Oslo", "country": "no", "categories": "A, F", "paper": "the paper",
        "due": "2027-01-31", "gag_until": "2027-06-01", "address": "81.0.0.11", "log": "", "age_key": "",
    }  # fmt: skip
    for wrong in (
        {"kind": "wish"},
        {"due": "soon"},
        {"due": ""},
        {"categories": "Z"},
        {"address": ""},
        {"paper": " "},
        {"country": "x"},
    ):
        assert (await officer.post("/orders/new", **{**fields, **wrong})).status == 409, wrong
    assert (await officer.post("/orders/new", **fields)).to == "/orders"
    one = NewOrder(
        "subpoena", "Court of Oslo", "no", (Category.A, Category.F), Selector("address", "81.0.0.11"), "the paper",
        NOW, 1_801_439_999, 1_811_894_399,
    )  # fmt: skip
    await LawOrders(kit_of_two.database, kit_of_two.pseudonyms, lambda: NOW).new(one, "ada")
    by_page = await rows(console.kit, *RANDOM)
    theirs = [row for row in by_page if row[0] != "audit"] + [
        row for row in [row for row in by_page if row[0] == "audit"][before:] if row[1]["action"] != "order list"
    ]
    assert theirs == await rows(kit_of_two, *RANDOM)
