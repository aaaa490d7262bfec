"""What a hold keeps and the backup does not have. Rule: a hold outlives a restore with all that it preserves, what came after the backup too.

Chats and people go to the twin tables, where the purge puts held rows; saved logs, without whose row nobody could open the text, as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.chat_schema import chat, log, log_party, party
from server.data.schema.hold_conditions import held_log, held_people

MANY = 500  # ids in one statement
LOGS, PEOPLE = "held_log", "held_log_party"  # their names among what is carried

Row = dict[str, Any]


async def rows(connection: AsyncConnection, pseudonyms: Pseudonyms, now: int) -> dict[str, list[Row]]:
    """Of a database that is about to go: rows for `held_chat` and `held_party`, and held logs with their people. Raises StoreAway."""
    people = [row._asdict() for row in (await connection.execute(held_people(now, party, true()))).all()]
    for row in people:
        try:
            row["address"] = pseudonyms.reseal(row["address"])  # a twin outlives its epoch's key
        except KeyGone:
            row["address"] = None
    ids = sorted({row["chat"] for row in people})
    logs = [row._asdict() for row in (await connection.execute(select(log).where(held_log(now)))).all()]
    return {
        "held_chat": await _of(connection, select(chat), chat.c.id, ids),
        "held_party": people,
        LOGS: logs,
        PEOPLE: await _of(connection, select(log_party), log_party.c.log, [row["id"] for row in logs]),
    }


def joined(kept: Iterable[Row], more: Iterable[Row], *keys: str) -> list[Row]:
    """Rows of one table, each once; of two with the same keys the first."""
    found: dict[tuple[object, ...], Row] = {}
    for row in (*kept, *more):
        found.setdefault(tuple(row[key] for key in keys), row)
    return list(found.values())


async def put_logs(connection: AsyncConnection, kept: dict[str, list[Row]]) -> int:
    """The held logs that a backup did not have; how many. Raises StoreAway."""
    wanted = {row["id"]: row for row in kept.get(LOGS, ())}
    there = {row["id"] for row in await _of(connection, select(log.c.id), log.c.id, list(wanted))}
    missing = [row for ident, row in wanted.items() if ident not in there]
    if missing:
        await connection.execute(insert(log), missing)
        people = [row for row in kept[PEOPLE] if row["log"] not in there]
        if people:
            await connection.execute(insert(log_party), people)
    return len(missing)


async def _of(connection: AsyncConnection, wanted: Any, column: Any, ids: list[bytes]) -> list[Row]:
    found: list[Row] = []
    for first in range(0, len(ids), MANY):
        some = wanted.where(column.in_(ids[first : first + MANY]))
        found += [row._asdict() for row in (await connection.execute(some)).all()]
    return found
