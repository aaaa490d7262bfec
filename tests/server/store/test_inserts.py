"""Rows in batches: all of a call or nothing, those that are there stay, whatever the number of rows; both databases."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from sqlalchemy import select, text

from server.store import partitions
from server.store.errors import StoreAway
from server.store.ids import chat_ids, day_of
from server.store.inserts import ROWS, Into, Values
from server.store.inserts import put as insert
from server.store.records import CHAT, PARTY
from server.store.schema import chat, metadata

from .conftest import NOW, Kit

COUNTS = (1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS, 3 * ROWS + 7)


async def put(kit: Kit, *values: tuple[Into, list[Any]]) -> None:
    """As the writer does it."""
    if kit.database.sqlite:
        assert await kit.database.put(values) > 0
        return
    async with kit.database.write() as connection:
        await partitions.ensure(connection, day_of(NOW))
        await insert(connection, values)


def chats(count: int) -> list[Any]:
    """The values of so many rows."""
    return [value for _ in range(count) for value in (bytearray(chat_ids([NOW])[0]), "text", NOW - 60, NOW, "left")]


@pytest.mark.parametrize("into", [CHAT, PARTY], ids=lambda into: into.table)
def test_where_rows_go_is_the_table_of_the_schema(into: Into) -> None:
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
    await put(kit, (PARTY, [bytearray(chat_ids([NOW])[0]), 0, NOW, None, None, None, None]))
    async with kit.database.read() as connection:
        row = (await connection.execute(text("SELECT identity, address, address_mac, country FROM party"))).one()
    assert tuple(row) == (None, None, None, None)


async def test_rows_that_are_there_stay_and_the_others_are_added(kit: Kit) -> None:
    values = chats(3)
    await put(kit, (CHAT, values[:5]))
    changed = [*values]
    changed[1] = "video"
    await put(kit, (CHAT, changed))
    async with kit.database.read() as connection:
        assert (await connection.execute(select(chat.c.mode))).scalars().all() == ["text"] * 3


async def test_a_fault_in_the_last_row_takes_all_back_and_the_next_call_works(kit: Kit) -> None:
    party = [bytearray(chat_ids([NOW])[0]), 0, None, None, None, None, None]  # without the time of its end
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
