"""What a restore must not undo: holds and what they kept, the trail, which logs are hidden, moderation. Rule: today's rows, not the backup's.

A hold that a restore forgets preserves nothing, a log that it shows again is public, a ban that it brings back was lifted for a
reason, and a trail with a gap guards nobody. So these tables are never as old as the backup. `copied` parts are in the sealed
copies too (`sealed_copies.py`), for the day on which the database is lost: of moderation what stands behind a ban or a warning, the rest (who may
come
into the console, too) is the backup's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.backup import rows_held_since
from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.chat_schema import audit, held_chat, held_party, hold, hold_match, log
from server.data.schema.console_schema import approval, console_session, operator, passkey
from server.data.schema.data_request_schema import (
    agent_use,
    request,
    request_answer,
    request_contact,
    request_step,
    request_text,
    rights_key,
)
from server.data.schema.deletion_schema import deletion, erased
from server.data.schema.moderation_schema import appeal, ban, case, case_subject, evidence, notice, report
from server.data.schema.transparency_schema import law_notice, month_figure

MANY = 500  # rows in one statement
RESTORING = "restoring"  # a table that is there from a backup's return until today's rows stand in it
UNFINISHED = "a restore was not finished: serendip db restore FILE again, with any backup"

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # by the name of a part


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table. `sums`: what tells, with their number, that they changed; `within`: those of them that are copied.

    `appended`: rows are only added at the end, by number, and taken away from the beginning.
    """

    table: Table
    sums: tuple[ColumnElement[Any], ...]
    copied: bool = True
    within: ColumnElement[bool] | None = None
    appended: bool = False

    @property
    def name(self) -> str:
        """The table's."""
        return str(self.table.name)


_decided = select(ban.c.case).union(select(notice.c.case))
# Two columns of rows that are the backup's.
HIDDEN = Part(log, (log.c.hidden,), within=log.c.hidden.is_not(None))
PARTS = (
    Part(hold, (hold.c.placed, hold.c.until, hold.c.released)),
    Part(hold_match, (hold_match.c.hold,)),
    Part(held_chat, (held_chat.c.started, held_chat.c.ended)),
    Part(held_party, (held_party.c.ended, held_party.c.side)),
    Part(audit, (), appended=True),
    HIDDEN,
    Part(deletion, (deletion.c.asked, deletion.c.due, deletion.c.done)),
    Part(erased, (erased.c.before,)),
    Part(ban, (ban.c.since, ban.c.until, ban.c.lifted, ban.c.changed)),
    Part(notice, (notice.c.since, notice.c.seen, notice.c.lifted, notice.c.changed)),
    Part(appeal, (appeal.c.at, appeal.c.closed)),
    Part(
        case, (case.c.closed, case.c.child, case.c.second_at, func.length(case.c.state)), within=case.c.id.in_(_decided)
    ),
    Part(case_subject, (case_subject.c.closed,), within=case_subject.c.case.in_(_decided)),
    Part(
        request, (request.c.received, request.c.due, request.c.extended, request.c.closed, func.length(request.c.state))
    ),
    Part(request_step, (request_step.c.at, request_step.c.tries)),
    Part(request_text, (func.length(request_text.c.text),)),
    Part(request_contact, (func.length(request_contact.c.contact),)),
    Part(request_answer, (request_answer.c.at,)),
    Part(rights_key, (rights_key.c.not_before,)),
    Part(agent_use, (agent_use.c.at,)),
    Part(report, (), copied=False),
    Part(evidence, (), copied=False),
    # An account that was closed must not open again, and a month's figures are counted once.
    *(
        Part(table, (), copied=False)
        for table in (operator, passkey, console_session, approval, law_notice, month_figure)
    ),
)
COPIED = tuple(part for part in PARTS if part.copied)


async def stamp(connection: AsyncConnection, part: Part) -> list[int]:
    """Numbers that change when the copied rows of a part do. Raises StoreAway."""
    if part.appended:
        ends = (select(of(part.table.c.id)).scalar_subquery() for of in (func.min, func.max))
        return [int(number or 0) for number in (await connection.execute(select(*ends))).one()]
    wanted = select(func.count(), *(func.sum(one) for one in part.sums)).select_from(part.table)
    row = (await connection.execute(wanted if part.within is None else wanted.where(part.within))).one()
    return [int(number or 0) for number in row]


async def rows(connection: AsyncConnection, part: Part, *clauses: ColumnElement[bool]) -> list[Row]:
    """The rows of a part to which all clauses apply, by their key; others take their turns meanwhile. Raises StoreAway."""
    columns = (log.c.id, log.c.hidden) if part is HIDDEN else tuple(part.table.columns)
    wanted = select(*columns).where(*clauses).order_by(*part.table.primary_key.columns)
    found: list[Row] = []
    async for some in (await connection.stream(wanted)).partitions(MANY):
        found += [row._asdict() for row in some]
    return found


async def today(database: Database, pseudonyms: Pseudonyms, now: int) -> Rows:
    """All of it, of a database that is about to be replaced, and what is held of its chats and logs. Raises StoreAway."""
    async with database.read() as connection:
        kept = {part.name: await rows(connection, part) for part in PARTS if part is not HIDDEN}
        kept[HIDDEN.name] = await rows(connection, HIDDEN, log.c.hidden.is_not(None))
        held = await rows_held_since.rows(connection, pseudonyms, now)
    return (
        kept
        | held
        | {
            "held_chat": rows_held_since.joined(kept["held_chat"], held["held_chat"], "id"),
            "held_party": rows_held_since.joined(kept["held_party"], held["held_party"], "chat", "side"),
        }
    )


async def put_back(database: Database, kept: Rows) -> dict[str, int]:
    """Put rows in the place of those that a backup brought, in one transaction; how many of each. Raises StoreAway.

    Where a part is not whole (`within`, and moderation's other tables are not there), what the backup has beside it stays.
    Lines of the trail that were written since the backup came back stay too.
    """
    whole = all(part.name in kept for part in PARTS)
    counts: dict[str, int] = {}
    async with database.write() as connection:
        await database.guard(connection)
        counts[rows_held_since.LOGS] = await rows_held_since.put_logs(connection, kept)
        for part in PARTS:
            if part.name in kept:
                counts[part.name] = await _replace(connection, part, kept[part.name], whole)
        if not database.sqlite:
            for table in (hold, audit):
                await connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # noqa: S608 - constants
                )
        await connection.execute(text(f"DROP TABLE IF EXISTS {RESTORING}"))
    return counts if kept else {}


async def _replace(connection: AsyncConnection, part: Part, found: list[Row], whole: bool) -> int:
    """One part; how many rows."""
    table, keys = part.table, list(part.table.primary_key.columns)
    if part is HIDDEN:
        done = 0
        for row in found:
            hide = update(log).where(log.c.id == row["id"], log.c.hidden.is_(None)).values(hidden=row["hidden"])
            await connection.execute(hide)
            done += (await connection.execute(select(func.count()).where(log.c.id == row["id"]))).scalar_one()
        return done
    later = await _later(connection, found) if table is audit else []
    if whole or part.within is None:
        await connection.execute(delete(table))
    else:
        for row in found:
            await connection.execute(delete(table).where(and_(*(key == row[key.name] for key in keys))))
    known = [{column.name: row.get(column.name) for column in table.columns} for row in found]
    for first in range(0, len(known), MANY):
        await connection.execute(insert(table), known[first : first + MANY])
    last = max((row["id"] for row in found), default=0) if later else 0
    for number, row in enumerate(later, last + 1):
        await connection.execute(insert(table).values(row | {"id": number}))
    return len(found)


async def _later(connection: AsyncConnection, found: list[Row]) -> Sequence[Row]:
    """The lines of the trail that are newer than all that are put back."""
    newest = max((row["time"] for row in found), default=0)
    wanted = select(audit).where(audit.c.time > newest).order_by(audit.c.id)
    return [row._asdict() for row in (await connection.execute(wanted)).all()]


async def unfinished(database: Database) -> bool:
    """Whether a backup came back into this database, and today's rows did not follow. Raises StoreAway."""
    async with database.read() as connection:
        return await connection.run_sync(lambda sync: inspect(sync).has_table(RESTORING))
