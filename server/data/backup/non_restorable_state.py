"""List, read and write back the tables that a database restore must not return to an older state: legal holds and the rows under them, the audit
log, hidden chat logs, moderation.

**Invariant:** after a restore these tables hold the rows from before the restore, not those of the backup, which would forget holds and revive
lifted bans. Parts marked `copied` are also in the encrypted copies of `rollback_protection.py`, in case the database itself is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, inspect, select, text, true, update
from sqlalchemy import case as sql_case
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.console_schema import answer_template, api_token, approval, console_session, operator, passkey
from server.data.schema.data_request_schema import (
    agent_use,
    request,
    request_answer,
    request_contact,
    request_mail,
    request_text,
    rights_key,
)
from server.data.schema.deletion_schema import deletion, deletion_notice, erased
from server.data.schema.disclosure_schema import disclosure, disclosure_subject
from server.data.schema.emergency_review_schema import emergency_review
from server.data.schema.hold_conditions import held_log, held_people
from server.data.schema.incident_schema import incident
from server.data.schema.law_order_schema import law_order
from server.data.schema.moderation_schema import appeal, ban, case, case_comment, case_subject, evidence, notice, report
from server.data.schema.record_schema import audit, chat, held_chat, held_party, hold, hold_match, log, log_party, party
from server.data.schema.transparency_schema import law_notice, month_figure

MANY = 500  # rows in one statement
LOGS, PEOPLE = "held_log", "held_log_party"  # their names among the carried rows
RESTORING = "restoring"  # a table that exists from the restore of a backup until today's rows are in it
UNFINISHED = "a restore was not finished: serendip db restore FILE again, with any backup"

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # by the name of a part


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table. `sums`: columns whose sums change, with the row count, when the rows do; `within`: the subset that is copied.

    `appended`: rows are only added at the end, by a number, and removed at the beginning.

    The copies of moderation contain only the cases behind a ban or a warning. Parts that are not copied, such as console accounts, are as old as the
    backup if the database is lost.
    """

    table: Table
    sums: tuple[ColumnElement[Any], ...]
    copied: bool = True
    within: ColumnElement[bool] | None = None
    appended: bool = False

    @property
    def name(self) -> str:
        """The name of the table."""
        return str(self.table.name)

    @property
    def key(self) -> ColumnElement[Any]:
        """The first column of the primary key."""
        return next(iter(self.table.primary_key.columns))


_decided = select(ban.c.case).union(select(notice.c.case))
# Only two columns are carried over; the rest of these rows is the backup's.
HIDDEN = Part(log, (log.c.hidden,), within=log.c.hidden.is_not(None))
PARTS = (
    Part(hold, (hold.c.placed, hold.c.until, hold.c.released, sql_case((hold.c.secret, 1), else_=0))),
    Part(hold_match, (hold_match.c.hold,)),
    Part(held_chat, (held_chat.c.started, held_chat.c.ended)),
    Part(held_party, (held_party.c.ended, held_party.c.side)),
    Part(audit, (), appended=True),
    Part(law_order, (law_order.c.due, law_order.c.gag_until, law_order.c.hold, law_order.c.decided)),
    Part(emergency_review, (emergency_review.c.at, emergency_review.c.reviewed)),
    Part(incident, (incident.c.aware, incident.c.notified, incident.c.closed)),
    Part(disclosure, (), appended=True),
    Part(disclosure_subject, (disclosure_subject.c.since,)),
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
    Part(deletion_notice, (deletion_notice.c.at, deletion_notice.c.tries)),
    Part(request_text, (func.length(request_text.c.text),)),
    Part(request_contact, (func.length(request_contact.c.contact),)),
    Part(request_answer, (request_answer.c.at,)),
    Part(rights_key, (rights_key.c.not_before,)),
    Part(agent_use, (agent_use.c.at,)),
    Part(request_mail, (request_mail.c.at, request_mail.c.answered), copied=False),
    Part(report, (), copied=False),
    Part(evidence, (), copied=False),
    Part(case_comment, (), copied=False),
    # A closed account must not reopen, and the counts of a month are added once.
    *(
        Part(table, (), copied=False)
        for table in (
            operator,
            passkey,
            console_session,
            answer_template,
            api_token,
            approval,
            law_notice,
            month_figure,
        )
    ),
)
COPIED = tuple(part for part in PARTS if part.copied)


async def stamp(connection: AsyncConnection, part: Part) -> list[int]:
    """Return numbers that change when the copied rows of a part change. Raises StoreAway."""
    if part.appended:
        ends = (select(of(part.key)).scalar_subquery() for of in (func.min, func.max))
        return [int(number or 0) for number in (await connection.execute(select(*ends))).one()]
    wanted = select(func.count(), *(func.sum(one) for one in part.sums)).select_from(part.table)
    row = (await connection.execute(wanted if part.within is None else wanted.where(part.within))).one()
    return [int(number or 0) for number in row]


async def rows(connection: AsyncConnection, part: Part, *clauses: ColumnElement[bool]) -> list[Row]:
    """Return the rows of a part that match all clauses, ordered by key; other tasks run between batches. Raises StoreAway."""
    columns = (log.c.id, log.c.hidden) if part is HIDDEN else tuple(part.table.columns)
    wanted = select(*columns).where(*clauses).order_by(*part.table.primary_key.columns)
    found: list[Row] = []
    async for some in (await connection.stream(wanted)).partitions(MANY):
        found += [row._asdict() for row in some]
    return found


async def current_rows(database: Database, pseudonyms: Pseudonyms, now: int) -> Rows:
    """Return all parts of a database that is about to be replaced, and the held rows of its chats and logs. Raises StoreAway."""
    async with database.read() as connection:
        kept = {part.name: await rows(connection, part) for part in PARTS if part is not HIDDEN}
        kept[HIDDEN.name] = await rows(connection, HIDDEN, log.c.hidden.is_not(None))
        held = await held_rows(connection, pseudonyms, now)
    return (
        kept
        | held
        | {
            "held_chat": merge_rows(kept["held_chat"], held["held_chat"], "id"),
            "held_party": merge_rows(kept["held_party"], held["held_party"], "chat", "side"),
        }
    )


async def put_back(database: Database, kept: Rows) -> dict[str, int]:
    """Replace the rows that a backup brought by `kept`, in one transaction, and return the number of rows by part. Raises StoreAway.

    If a part is incomplete (`within`, and the other tables of moderation are missing), the backup's other rows stay. Lines of the audit log written
    since the restore began stay too.
    """
    whole = all(part.name in kept for part in PARTS)
    counts: dict[str, int] = {}
    async with database.write() as connection:
        await database.guard(connection)
        counts[LOGS] = await put_held_logs(connection, kept)
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
    """Replace one part, and return its number of rows."""
    table, keys = part.table, list(part.table.primary_key.columns)
    if part is HIDDEN:
        done = 0
        for row in found:
            hide = update(log).where(log.c.id == row["id"], log.c.hidden.is_(None)).values(hidden=row["hidden"])
            await connection.execute(hide)
            done += (await connection.execute(select(func.count()).where(log.c.id == row["id"]))).scalar_one()
        return done
    if table is disclosure:
        return await _continue_ledger(connection, found)
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


async def _continue_ledger(connection: AsyncConnection, found: list[Row]) -> int:
    """Append the lines that the backup does not have: no line of the ledger is ever deleted."""
    newest = (await connection.execute(select(func.coalesce(func.max(disclosure.c.number), 0)))).scalar_one()
    missing = [
        {column.name: row.get(column.name) for column in disclosure.columns} for row in found if row["number"] > newest
    ]
    for first in range(0, len(missing), MANY):
        await connection.execute(insert(disclosure), missing[first : first + MANY])
    return len(found)


async def _later(connection: AsyncConnection, found: list[Row]) -> Sequence[Row]:
    """Return the lines of the audit log that are newer than all lines to put back."""
    newest = max((row["time"] for row in found), default=0)
    wanted = select(audit).where(audit.c.time > newest).order_by(audit.c.id)
    return [row._asdict() for row in (await connection.execute(wanted)).all()]


async def is_unfinished(database: Database) -> bool:
    """Return whether a backup was restored into this database without today's rows. Raises StoreAway."""
    async with database.read() as connection:
        return await connection.run_sync(lambda sync: inspect(sync).has_table(RESTORING))


async def held_rows(connection: AsyncConnection, pseudonyms: Pseudonyms, now: int) -> Rows:
    """Return the held rows of a database about to be replaced: for `held_chat` and `held_party`, and held logs with participants.

    The purge moves held chats to these twin tables as well; a saved log keeps its own row, without which its text cannot be opened. Raises StoreAway.
    """
    people = [row._asdict() for row in (await connection.execute(held_people(now, party, true()))).all()]
    for row in people:
        try:
            row["address"] = pseudonyms.reseal(row["address"])  # the row outlives its epoch's key
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


def merge_rows(kept: Iterable[Row], more: Iterable[Row], *keys: str) -> list[Row]:
    """Return the rows of one table, each once; of two rows with the same keys, the first."""
    found: dict[tuple[object, ...], Row] = {}
    for row in (*kept, *more):
        found.setdefault(tuple(row[key] for key in keys), row)
    return list(found.values())


async def put_held_logs(connection: AsyncConnection, kept: Rows) -> int:
    """Insert the held logs that the backup does not have, and return their number. Raises StoreAway."""
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
