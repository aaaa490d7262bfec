"""Test the rules of single rows of an export."""

from __future__ import annotations

import asyncio

from sqlalchemy import insert

from server.data.keys.epoch_keys import epoch_of
from server.data.schema.record_schema import audit
from server.trust.data_export import person_rows
from server.trust.data_export.person_row_keys import person
from server.trust.data_export.person_rows import View, day, month, time_of
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.rights.people import DAY, A, B, chat, known


def test_times_are_utc_and_end_where_they_are_told_to() -> None:
    assert time_of(0) == "1970-01-01T00:00:00Z"
    assert time_of(None) is None
    assert time_of(NOW) == "2026-11-18T11:06:40Z"
    assert (day(NOW), month(NOW)) == ("2026-11-18", "2026-11")


async def test_chats_are_read_in_order_over_all_epochs_from_any_place(kit: Kit) -> None:
    await kit.write(*(chat(ago) for ago in (100, 70, 40, 10, 1)), chat(5, B, B))
    async with kit.database.snapshot() as connection:
        view = View(connection, kit.pseudonyms, person(kit.pseudonyms, A), kit.retention, NOW)
        whole = await person_rows.chats(view, (b"", -1), 100)
        assert [row.ended for row in whole] == [NOW - ago * DAY for ago in (100, 70, 40, 10, 1)]
        assert [row.chat for row in await person_rows.newest_chats(view, 2)] == [row.chat for row in whole[-2:]]
        assert [row.chat for row in await person_rows.chats(view, (whole[1].chat, whole[1].side), 2)] == [
            row.chat for row in whole[2:4]
        ]
        assert await person_rows.chats_by_mode(view) == {"text": 5}


async def test_an_address_whose_key_is_destroyed_is_told_as_none(kit: Kit) -> None:
    await kit.write(chat(100), chat(1))
    async with kit.database.snapshot() as connection:
        view = View(connection, kit.pseudonyms, person(kit.pseudonyms, A), kit.retention, NOW)
        old, new = await person_rows.newest_chats(view, 10)
    await asyncio.to_thread(kit.pseudonyms.epochs.destroy, epoch_of(NOW - 100 * DAY))
    assert person_rows.as_chat(view, new)["address"] == address(A)
    assert person_rows.as_chat(view, old)["address"] is None
    assert person(kit.pseudonyms, A).live != view.person.live, "and the row is found no more"


async def test_the_trail_is_told_for_a_year(kit: Kit) -> None:
    subject = kit.pseudonyms.audit_subject(kit.pseudonyms.safety_identity(A))
    rows = [
        {"time": NOW - ago * DAY, "operator": "mod", "action": "safety show", "why": f"{ago}", "subject": subject, "outcome": "asked"}
        for ago in (364, 366)
    ]  # fmt: skip
    async with kit.database.write() as connection:
        await connection.execute(insert(audit), rows)
    looks = (await known(kit).know(A, NOW))["parts"]["looks"]
    assert [look["why"] for look in looks] == ["364"]
    assert looks[0]["goes"] == "2026-11-19"
