"""Test that an order finds live, held and hidden records of the people that it names, and no other records."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.schema.record_schema import log
from server.trust.legal_orders import order_records
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.legal_orders.orders import DAY, Cat, records, stored
from tests.server.trust.rights.people import A, B

EVERY = tuple(Cat)
WHO = Selector("identity", str(A))


async def test_each_category_opens_its_part_alone(kit: Kit) -> None:
    await stored(kit)
    found = await records(kit).find(WHO, None, None)
    assert found.counts(EVERY) == {
        "addresses": 4, "chats": 2, "saved_logs": 1, "colleges": 1, "bans": 0, "countries": 3, "pictures": 2, "reported_texts": 1, "saved_texts": 1,
    }  # fmt: skip
    parts = {category: set(await records(kit).opened(found, [category])) for category in EVERY}
    assert parts == {category: set(found.counts([category])) for category in EVERY}
    everything = await records(kit).opened(found, EVERY)
    assert {name: len(rows) for name, rows in everything.items()} == found.counts(EVERY)
    said = str(everything)
    assert address(A) in said
    assert "my secret" in said
    assert "buy this" in said
    for other in (address(B), "not about A"):
        assert other not in said


async def test_an_address_and_a_saved_log_name_their_records_too(kit: Kit) -> None:
    await stored(kit)
    by_address = await records(kit).find(Selector("address", address(A)), None, None)
    assert by_address.counts(EVERY)["chats"] == 2
    assert len(by_address.values) >= 3  # one a stored value: the epochs' keys keep chats apart
    ident = by_address.logs[0].id.hex()
    by_log = await records(kit).find(Selector("log", ident), None, None)
    assert (by_log.counts(EVERY)["addresses"], by_log.counts(EVERY)["saved_texts"]) == (2, 1)
    assert set(by_log.values) == {kit.pseudonyms.kept_identity(who) for who in (A, B)}


async def test_held_and_hidden_records_are_found_and_the_time_narrows(kit: Kit) -> None:
    await stored(kit)
    await legal_holds.place(
        kit.database, kit.pseudonyms, WHO, authority="a court", reason="7", now=NOW, until=NOW + 200 * DAY, secret=True
    )
    async with kit.database.write() as connection:
        await connection.execute(update(log).values(hidden=NOW))
    kit.now = NOW + 125 * DAY
    await kit.purge().run()
    found = await records(kit).find(WHO, None, None)
    assert found.counts([Cat.F]) == {"chats": 2, "saved_logs": 1, "bans": 0}
    opened = await records(kit).opened(found, [Cat.A, Cat.F])
    assert [row["removed"] for row in opened["saved_logs"]] == ["2026-11-18T11:06:40Z"]
    assert {row["address"] for row in opened["addresses"] if "chat" in row} == {address(A)}
    narrow = await records(kit).find(WHO, NOW - 5 * DAY, NOW + 1)
    assert narrow.counts([Cat.F])["chats"] == 1


async def test_a_chat_that_went_on_at_the_time_of_an_order_is_found(kit: Kit) -> None:
    await stored(kit)
    ended = NOW - DAY
    for since, until, count in (
        (ended - 30, ended - 29, 1), (ended, ended, 1), (ended - 60, ended - 60, 1), (ended + 1, NOW - 9, 0), (ended - 90, ended - 61, 0),
    ):  # fmt: skip
        assert (await records(kit).find(WHO, since, until)).counts([Cat.F])["chats"] == count


async def test_more_than_one_answer_holds_is_an_error(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored(kit)
    monkeypatch.setattr(order_records, "MOST", 1)
    with pytest.raises(order_records.TooMany, match="--since"):
        await records(kit).find(WHO, None, None)
