"""Test `/orders`, `/holds` and `/logs`: the console leaves the rows that the command line leaves."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

import pytest

from server.data.chat_logs import log_removal
from server.data.errors import ObjectsAway
from server.data.privacy.registry_model import Category
from server.data.retention import audited_holds
from server.data.retention.audited_holds import NewHold
from server.data.retention.legal_holds import Selector
from server.trust.legal_orders.law_orders import LawOrders, NewOrder
from server.trust.moderators.console_sessions import COOKIE
from server.trust.moderators.emergency_reviews import EmergencyReviews
from tests.server.data.conftest import NOW, Kit, address, people, transcript
from tests.server.trust.console.both_ways import RANDOM, kit_of_two, rows
from tests.server.trust.console.conftest import Console, Person
from tests.server.trust.legal_orders.orders import BOB, officers, orders, production, stored
from tests.server.trust.legal_orders.orders import order as order_about
from tests.server.trust.rights.people import A

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
        "due": "2027-01-31", "gag_until": "2027-06-01", "address": "81.0.0.11", "log": "", "age_key": "", "identity": "",
        "received": "2026-11-17T10:30", "since": "2026-10-01T00:00", "until": "2026-11-01T12:00",
    }  # fmt: skip
    for wrong in (
        {"kind": "wish"},
        {"due": "soon"},
        {"due": ""},
        {"categories": "Z"},
        {"address": ""},
        {"paper": " "},
        {"country": "x"},
        {"since": "then"},
        {"identity": "no cookie", "address": ""},
        {"identity": str(A)},
    ):
        assert (await officer.post("/orders/new", **{**fields, **wrong})).status == 409, wrong
    assert (await officer.post("/orders/new", **fields)).to == "/orders"
    one = NewOrder(
        "subpoena", "Court of Oslo", "no", (Category.A, Category.F), Selector("address", "81.0.0.11"), "the paper",
        1_794_911_400, 1_801_439_999, 1_811_894_399, 1_790_812_800, 1_793_534_400,
    )  # fmt: skip
    await LawOrders(kit_of_two.database, kit_of_two.pseudonyms, lambda: NOW).new(one, "ada")
    by_page = await rows(console.kit, *RANDOM)
    theirs = [row for row in by_page if row[0] != "audit"] + [
        row for row in [row for row in by_page if row[0] == "audit"][before:] if row[1]["action"] != "order list"
    ]
    assert theirs == await rows(kit_of_two, *RANDOM)


async def test_an_order_that_is_not_entered_keeps_its_fields_on_the_page(console: Console) -> None:
    officer: Person = await console.person("ada", "officer")
    fields = {
        "kind": "warrant", "authority": 'Court "of" Oslo', "country": "x", "categories": "LOG", "paper": "the <paper>",
        "due": "2027-01-31", "gag_until": "2027-06-01", "address": "81.0.0.11", "received": "2026-11-17T10:30",
        "since": "2026-10-01T00:00", "until": "2026-11-01T12:00", "age_key": "age1x",
    }  # fmt: skip
    page = await officer.post("/orders/new", **fields)
    assert page.status == 409
    assert '<option value="warrant" selected>' in page.text
    assert ">the &lt;paper&gt;</textarea>" in page.text
    assert '<input type="checkbox" name="categories" value="LOG" checked>' in page.text
    assert '<input type="checkbox" name="categories" value="A">' in page.text
    for name in fields.keys() - {"kind", "authority", "categories", "paper"}:
        assert f'name="{name}" value="{fields[name]}"' in page.text
    assert 'value="Court &#34;of&#34; Oslo"' in page.text


async def test_an_order_about_a_browser_names_it_by_its_cookie_or_its_stored_value(console: Console) -> None:
    officer: Person = await console.person("ada", "officer")
    fields = {"kind": "preservation", "authority": "A court", "country": "no", "paper": "the paper"}
    values = ("A" * 22, console.kit.pseudonyms.kept_identity(A).hex())
    for value in values:
        assert (await officer.post("/orders/new", **fields, identity=value)).to == "/orders"
        assert (
            await officer.post("/holds/place", identity=value, authority="A court", why=WHY, days="30")
        ).to == "/holds"
    assert await console.kit.count("hold") == 2
    kept = LawOrders(console.kit.database, console.kit.pseudonyms, lambda: console.kit.now)
    about = [(await kept.read(one.number))[1] for one in await kept.listed(every=False)]
    read, data = audited_holds.chosen_selector, console.kit.data
    chosen = [await asyncio.to_thread(read, data, value, "") for value in values]
    assert sorted(map(str, about)) == sorted(map(str, chosen))


async def taken(officer: Person, number: str, **more: str) -> bytes:
    """The package that a browser downloads."""
    sent = {"token": officer.token, "number": number, **more}
    headers = {**officer.headers, "Cookie": f"{COOKIE}={officer.cookie}"}
    async with officer.console.client.post("/orders/produce", data=sent, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="order-')
        return await answer.read()


async def test_an_order_is_counted_confirmed_produced_and_made_public_with_the_same_rows_both_ways(
    console: Console, kit_of_two: Kit, tmp_path: Path
) -> None:
    kit = kit_of_two
    ada, bob = await console.person("ada", "officer"), await console.person("bob", "officer")
    lead = await console.person("lea", "lead")
    await officers(kit, "ada", "bob")
    for each in (console.kit, kit):
        await stored(each)
    skipped = [len([row for row in await rows(each) if row[0] == "audit"]) for each in (console.kit, kit)]
    numbers = [
        await orders(each).new(order_about("emergency", gag_until=NOW + 900), "ada") for each in (console.kit, kit)
    ]

    page = await ada.post("/orders/count", number=numbers[0], categories="A")
    assert (page.status, address(A) in page.text, "IP addresses" in page.text) == (200, False, True)
    assert (await ada.post("/orders/count", number=numbers[0], categories="Z")).status == 409
    assert (await ada.post("/orders/produce", number=numbers[0])).to == "/approvals"
    assert "waits for another" in (await ada.post("/orders/show", number=numbers[0], why=WHY)).text
    (asked,) = await console.approvals.waiting(BOB)
    assert (await bob.post("/approvals/confirm", id=asked.id)).to == "/approvals"
    assert "Download the package" in (await ada.post("/orders/show", number=numbers[0], why=WHY)).text
    package = await taken(ada, numbers[0], categories="A")
    assert (await ada.post("/orders/produce", number=numbers[0])).status == 409
    assert (await ada.post("/orders/gag", number=numbers[0], why=WHY, until="")).status == 409
    assert (await ada.post("/orders/gag", number=numbers[0], why=WHY, now="1")).to == "/orders"
    assert "answered" in (await ada.get("/orders?every=1")).text
    (review,) = await EmergencyReviews(console.kit.database).listed()
    assert (
        await lead.post("/emergencies", number=review.number, verdict="lawful", finding="a life")
    ).to == "/emergencies"

    making = production(kit)
    await making.count(numbers[1], "ada", [Category.A])
    await making.produce(numbers[1], "ada", tmp_path / "answer", [])
    await orders(kit).show(numbers[1], "ada", WHY)
    await making.confirm(numbers[1], "bob")
    await orders(kit).show(numbers[1], "ada", WHY)
    await making.produce(numbers[1], "ada", tmp_path / "answer", [Category.A])
    await orders(kit).gag(numbers[1], "ada", int(kit.now), WHY)
    reviews = EmergencyReviews(kit.database, lambda: kit.now)
    await reviews.review((await reviews.listed())[0].number, "lea", "lawful", "a life")

    assert address(A).encode() in unpacked(package)["records.json"]
    assert sorted(unpacked(package)) == sorted(file.name for file in (tmp_path / "answer").iterdir())
    theirs, ours = [
        [row for row in found if row[0] != "audit"]
        + [row for row in [row for row in found if row[0] == "audit"][many:] if row[1]["action"] != "order list"]
        for found, many in zip([await rows(each, *RANDOM, "why") for each in (console.kit, kit)], skipped, strict=True)
    ]
    assert theirs == ours
    assert {row[0] for row in theirs} >= {"law_order", "disclosure", "approval", "emergency_review", "audit"}


async def test_a_package_whose_objects_are_away_is_asked_for_again_later(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await console.person("ada", "officer"), await console.person("bob", "officer")
    await stored(console.kit)
    number = await orders(console.kit).new(order_about(), "ada")
    assert (await ada.post("/orders/produce", number=number)).to == "/approvals"
    (asked,) = await console.approvals.waiting(BOB)
    assert (await bob.post("/approvals/confirm", id=asked.id)).to == "/approvals"

    async def away(_name: str) -> bytes:
        raise ObjectsAway

    with monkeypatch.context() as patch:
        patch.setattr(console.kit.objects, "get", away)
        assert (await ada.post("/orders/produce", number=number)).status == 503
    assert [line["phase"] for line in await orders(console.kit).ledger.lines()] == ["failed", "intent"]
    assert unpacked(await taken(ada, number)) != {}


def unpacked(package: bytes) -> dict[str, bytes]:
    """The files of a package by name, without its folder."""
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        return {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
