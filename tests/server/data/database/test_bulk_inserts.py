"""Rows in batches: all of a call or nothing, those that are there stay, whatever the number of rows; both databases."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from sqlalchemy import select, text

from server.data.database import daily_partitions
from server.data.database.bulk_inserts import ROWS, InsertTarget, Values
from server.data.database.bulk_inserts import put as insert
from server.data.errors import StoreAway
from server.data.keys.epoch_keys import EPOCH
from server.data.records.address_country import Countries
from server.data.records.chat_rows import CHAT, PAIR, PARTY, Batch, Records, kind
from server.data.schema.chat_id_format import chat_ids, day_of
from server.data.schema.record_schema import chat, metadata
from tests.server.data.conftest import NOW, Kit

COUNTS = (1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS, 3 * ROWS + 7)


async def put(kit: Kit, *values: tuple[InsertTarget, list[Any]]) -> None:
    """As the writer does it."""
    if kit.database.sqlite:
        assert await kit.database.put(values) > 0
        return
    async with kit.database.write() as connection:
        await daily_partitions.ensure(connection, day_of(NOW))
        await insert(connection, values)


def chats(count: int) -> list[Any]:
    """The values of so many rows."""
    return [value for _ in range(count) for value in (chat_ids([NOW])[0], "text", NOW - 60, NOW, "left")]


@pytest.mark.parametrize("into", [CHAT, PARTY], ids=lambda into: into.table)
def test_where_rows_go_is_the_table_of_the_schema(into: InsertTarget) -> None:
    table = metadata.tables[into.table]
    assert list(into.columns) == [column.name for column in table.columns]


@pytest.mark.parametrize("count", COUNTS)
async def test_any_number_of_rows_is_put_value_for_value(kit: Kit, count: int) -> None:
    values = chats(count)
    await put(kit, (CHAT, values))
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(chat).order_by(chat.c.id))).all()
    assert [tuple(row) for row in rows] == sorted(zip(*(map(_plain, values[i::5]) for i in range(5)), strict=True))


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray) else value


async def test_what_is_missing_is_null(kit: Kit) -> None:
    await put(kit, (PARTY, [chat_ids([NOW])[0], 0, NOW, None, None, None, None]))
    async with kit.database.read() as connection:
        row = (await connection.execute(text("SELECT identity, address, address_mac, country FROM party"))).one()
    assert tuple(row) == (None, None, None, None)


async def test_both_people_of_a_chat_go_in_one_set_of_values_each_on_their_side(kit: Kit) -> None:
    ident = chat_ids([NOW])[0]
    await put(kit, (PAIR, [ident, NOW, None, None, None, "GB", ident, NOW, None, None, None, "FR"]))
    async with kit.database.read() as connection:
        rows = (await connection.execute(text("SELECT side, ended, country FROM party ORDER BY side"))).all()
    assert [tuple(row) for row in rows] == [(0, NOW, "GB"), (1, NOW, "FR")]


async def test_chats_of_each_kind_and_of_any_number_of_people_are_written_as_they_were(kit: Kit) -> None:
    records, batch = Records(kit.pseudonyms, Countries(), kit.database.missing), Batch()
    kinds = [("text", "left"), ("video", "lost"), ("o'mode", "no word"), ("text", "left")]
    people = [(0, 11, "192.0.2.1"), (1, 22, "192.0.2.2"), (2, 0, "192.0.2.3")]
    some = [
        (mode, how, NOW - 9.5, NOW + 0.5 + n, tuple(people[: 2 + n % 2]), "", ()) for n, (mode, how) in enumerate(kinds)
    ]
    await records.prepare(some)
    records.add(batch, some)
    await put(kit, *batch.values())
    await put(kit, *batch.values())  # as after a commit that got no answer
    async with kit.database.read() as connection:
        chats = (await connection.execute(text("SELECT mode, how, started, ended FROM chat ORDER BY id"))).all()
        sides = (await connection.execute(text("SELECT side, ended FROM party ORDER BY chat, side"))).all()
    assert [tuple(row) for row in chats] == [(mode, how, NOW - 10, NOW + n) for n, (mode, how) in enumerate(kinds)]
    assert [tuple(row) for row in sides] == [(side, NOW + n) for n in range(4) for side in range(2 + n % 2)]
    assert kind("o'mode", "no word") is CHAT, "what is no plain word is no constant of a statement"


async def test_who_comes_from_another_address_or_in_another_epoch_is_keyed_anew(kit: Kit) -> None:
    records = Records(kit.pseudonyms, Countries(), kit.database.missing)
    places = [("192.0.2.1", NOW), ("192.0.2.1", NOW), ("192.0.2.9", NOW), ("192.0.2.9", NOW + EPOCH)]
    found = []
    for address, at in places:
        batch = Batch()
        some = [("text", "left", at - 1.0, float(at), ((0, 11, address),), "", ())]
        await records.prepare(some)
        records.add(batch, some)
        found.append(tuple(map(_plain, batch.parties[3:6])))
    (who, sealed, mac), again, elsewhere, later = found
    assert again == (who, sealed, mac)
    assert elsewhere[0] == who
    assert elsewhere[2] != mac
    assert later[0] != who


async def test_rows_that_are_there_stay_and_the_others_are_added(kit: Kit) -> None:
    values = chats(3)
    await put(kit, (CHAT, values[:5]))
    changed = [*values]
    changed[1] = "video"
    await put(kit, (CHAT, changed))
    async with kit.database.read() as connection:
        assert (await connection.execute(select(chat.c.mode))).scalars().all() == ["text"] * 3


async def test_a_fault_in_the_last_row_takes_all_back_and_the_next_call_works(kit: Kit) -> None:
    party = [chat_ids([NOW])[0], 0, None, None, None, None, None]  # without the time of its end
    for _ in range(2):
        with pytest.raises(StoreAway):
            await put(kit, (CHAT, chats(ROWS + 3)), (PARTY, party))
    assert await kit.count("chat") == 0
    await put(kit, (CHAT, chats(2)))
    assert await kit.count("chat") == 2


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_who_closes_waits_for_rows_whose_giver_has_gone(kit: Kit) -> None:
    values: Values = ((CHAT, chats(20 * ROWS)),)
    giver = asyncio.create_task(kit.database.put(values))
    await asyncio.sleep(0)
    giver.cancel()
    await asyncio.gather(giver, return_exceptions=True)
    await kit.database.close()
    assert await kit.count("chat") in (0, 20 * ROWS)
    await kit.database.put(((CHAT, chats(1)),))  # the database can be opened again
    await kit.database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_deleted_values_leave_the_file_by_this_connection_too(kit: Kit) -> None:
    def asked() -> list[Any]:
        with contextlib.closing(kit.database._sqlite()) as connection:
            return [connection.execute(f"PRAGMA {name}").fetchone() for name in ("secure_delete", "journal_mode")]

    assert await asyncio.to_thread(asked) == [(1,), ("wal",)]
