"""Delete the rows of people who requested deletion, when the waiting time is over, except rows under a legal hold or another exemption.

**Invariant:** before a request counts as done, it is on the erasure list in the object store, which outlives the database: after a restore, `replay`
deletes the listed rows again. A killed run is continued by the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.retention.deletion_notices import DeletionNotices
from server.data.schema.chat_id_format import DAY, bound, day_of
from server.data.schema.deletion_schema import OBJECTED, deletion, erased
from server.data.schema.hidden_row_conditions import exempt_case
from server.data.schema.hold_conditions import held_case, held_party, matched
from server.data.schema.moderation_schema import appeal, ban, case, case_comment, case_subject, evidence, notice, report
from server.data.schema.record_schema import doomed, log, log_party, party
from server.data.schema.record_schema import held_party as twin
from server.ops.security.reference_numbers import number

STEP = 400  # rows of people per step at most
SMALLEST = 200  # smaller steps would not reduce the delay of a busy machine
LOCKED = 0.012  # seconds that a step aims to hold SQLite's write lock
REST = 0.01  # seconds between steps at least: other processes poll for the lock
AHEAD = 4_000  # rows that are looked up before they are deleted: 64 KB of ids
REQUESTS = 50  # requests completed together
PUTS = 16  # names put on the erasure list at a time
TIDY = 25  # steps between moves of the WAL into the file
LOGS = 10  # saved logs in one step: six statements each
CASES = 50
LATE = 7 * DAY  # after a deletion, rows may still arrive that waited for the database
WALK = 20_000  # values compared with the erasure list at a time
GOES = ("delete", "replay", OBJECTED)  # kinds whose rows are deleted
PEOPLE = (
    party.c.identity,
    log_party.c.identity,
    report.c.identity,
    case_subject.c.identity,
)  # columns that hold a person's values


@dataclass(frozen=True, slots=True)
class Target:
    """Rows stored under a value, dated until `before`."""

    value: bytes
    before: int


class Some(NamedTuple):
    """Chats that hold rows stored under a value, in order."""

    value: bytes
    chats: list[bytes]


# a person's chats, oldest first
CHATS = (
    select(party.c.chat)
    .where(party.c.identity == bindparam("value"), party.c.chat > bindparam("last"), party.c.chat < bindparam("end"))
    .order_by(party.c.chat)
    .limit(bindparam("room", type_=Integer))
)
Step = Callable[[AsyncConnection, Target, int], Awaitable[int]]  # deletes some rows, returns their number


class RequestedDeletions:
    """Deletes over one store.

    `clock`: Unix seconds; `notices`: None writes none; `longest`: days for which a row may still exist anywhere (retention, a backup's
    life).

    Each step is one transaction under the lock that placing a hold takes, and finds its rows anew. Entries of the erasure list are named by keyed
    hashes of the values under which rows were stored; the body says, encrypted, until when.
    """

    def __init__(
        self,
        database: Database,
        logs: SavedLogs,
        objects: Objects,
        *,
        longest: int = 120,
        notices: DeletionNotices | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._logs = logs
        self._objects = objects
        self._notices = notices
        self._longest = longest
        self._clock = clock
        self.gone: Counter[str] = Counter()  # rows by table
        self.longest_step = 0.0  # seconds under the lock

    async def run(self, kinds: Sequence[str] = GOES) -> Counter[str]:
        """Carry out the due requests of these kinds; return deleted rows by table. Raises StoreAway, ObjectsAway; completed steps stay."""
        now = int(self._clock())
        waiting = select(deletion.c.number).where(
            deletion.c.kind.in_(kinds), deletion.c.due <= now, deletion.c.done.is_(None)
        )
        async with self._database.read() as connection:
            due = (await connection.execute(waiting.order_by(deletion.c.due))).scalars().all()
        for first in range(0, len(due), REQUESTS):
            await self._remove(due[first : first + REQUESTS], now)
        await self._late(now)
        await self._forget(now)
        return self.gone

    async def _remove(self, idents: Sequence[str], now: int) -> None:
        """Delete all rows of some requests, then write their erasure entries, then mark the requests as done."""
        if self._notices is not None:
            for ident in idents:  # one person's rows at a time under the lock
                async with self._database.write() as connection:
                    await self._database.guard(connection)
                    await self._notices.write(connection, (ident,), now)
        there_is = [exists(select(column).where(column == erased.c.value)) for column in PEOPLE]
        wanted = select(erased.c.value, erased.c.before, *there_is).where(erased.c.number.in_(idents))
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        where = [(Target(value, before), there) for value, before, *there in rows]
        await self._people([target for target, there in where if there[0]], now)
        for place, name, step in (
            (1, "log", self._some_logs),
            (2, "report", self._some_reports),
            (3, "case_subject", self._some_cases),
        ):
            for target in (target for target, there in where if there[place]):
                await self._whole(name, step, target, now)
        await self._list([target for target, _ in where], now)
        async with self._database.write() as connection:
            await connection.execute(update(deletion).where(deletion.c.number.in_(idents)).values(done=now))

    async def _list(self, targets: list[Target], now: int) -> None:
        """Write the erasure entries of these targets, some at a time: each is a request to the object store."""
        latest: dict[bytes, int] = {}
        for target in targets:
            latest[target.value] = max(target.before, latest.get(target.value, 0))
        names = list(latest.items())
        for first in range(0, len(names), PUTS):
            some = (self._name(value, before, now) for value, before in names[first : first + PUTS])
            for error in await asyncio.gather(*some, return_exceptions=True):
                if error is not None:
                    raise error

    async def _name(self, value: bytes, before: int, now: int) -> None:
        pseudonyms = self._logs.pseudonyms
        name = f"erasures/{day_of(now)}/{pseudonyms.erasure(value).hex()}"
        await self._objects.put(name, pseudonyms.seal_copy(name, str(before).encode()))

    async def _whole(self, name: str, step: Step, target: Target, now: int) -> None:
        """Delete every row of one value in one table, step by step."""
        while True:
            async with self._database.write() as connection:
                await self._database.guard(connection)
                count = await step(connection, target, now)
            self.gone[name] += count
            if not count:
                return

    async def _people(self, targets: list[Target], now: int) -> None:
        """Delete people's rows in chats, by time. The other participant's row and the chat itself stay."""
        waiting = deque((target, bytes(16)) for target in targets)
        # `IS NOT DISTINCT FROM`: PostgreSQL must not search its index of values again, which names all rows of the person.
        mine = (party.c.identity.is_not_distinct_from(bindparam("value")), self._database.among(party.c.chat))
        statement = delete(party).where(*mine, not_(held_party(now)))
        step, steps = STEP, 0
        while waiting:
            ahead = await self._ahead(waiting)
            while ahead:
                took = await self._step(statement, _first(ahead, step))
                steps += 1
                step = min(STEP, max(SMALLEST, int(step * min(2.0, LOCKED / max(took, 0.001)))))
                await asyncio.sleep(max(took, REST))
                if steps % TIDY == 0:
                    await self._database.move_wal()

    async def _ahead(self, waiting: deque[tuple[Target, bytes]]) -> deque[Some]:
        """Find the chats for the next steps, without the lock; remove fully searched targets from `waiting`.

        The database searches once for many steps: PostgreSQL's index returns a person's rows in no order.
        """
        found: deque[Some] = deque()
        room = AHEAD
        async with self._database.read() as connection:
            await self._database.plan_by_values(connection)
            while waiting and room > 0:
                target, last = waiting[0]
                between = {"value": target.value, "last": last, "end": bound(target.before + 1), "room": room}
                chats = list((await connection.execute(CHATS, between)).scalars())
                if len(chats) < room:
                    waiting.popleft()
                else:
                    waiting[0] = (target, chats[-1])
                if chats:
                    found.append(Some(target.value, chats))
                room -= len(chats)
        return found

    async def _step(self, statement: Delete, some: list[Some]) -> float:
        """Delete some rows of one or more people; return the seconds under the lock."""
        rows = [{"value": value, **self._database.keys(chats)} for value, chats in some]
        async with self._database.write() as connection:
            await self._database.plan_by_values(connection)
            await self._database.guard(connection)
            begun = time.monotonic()  # under the lock from here on
            gone = await self._database.delete_each(connection, statement, rows)
        took = time.monotonic() - begun
        self.longest_step = max(self.longest_step, took)
        self.gone["party"] += gone
        return took

    async def _some_logs(self, connection: AsyncConnection, target: Target, now: int) -> int:
        """Delete some saved logs; a held one is hidden, and deleted when the hold ends."""
        mine = (
            select(log.c.id)
            .join(log_party, log_party.c.log == log.c.id)
            .where(log_party.c.identity == target.value, log.c.saved <= target.before, log.c.hidden.is_(None))
            .distinct()
            .limit(LOGS)
        )
        idents = (await connection.execute(mine)).scalars().all()
        for ident in idents:
            await self._logs.take_away(connection, ident)
        return len(idents)

    async def _some_reports(self, connection: AsyncConnection, target: Target, now: int) -> int:
        """Delete some reports that the person made."""
        mine = (
            select(report.c.id)
            .where(
                report.c.identity == target.value,
                report.c.at <= target.before,
                not_(exempt_case(now, report.c.case)),
                not_(or_(held_case(now, report.c.case), matched(now, report.c.identity))),
            )
            .limit(CASES)
        )
        idents = (await connection.execute(mine)).scalars().all()
        if idents:
            await connection.execute(delete(report).where(report.c.id.in_(idents)))
        return len(idents)

    async def _some_cases(self, connection: AsyncConnection, target: Target, now: int) -> int:
        """Clear some cases about the person: identifiers, texts, and bans, notices and appeals that are over. Others' reports stay."""
        mine = (
            select(case_subject.c.case)
            .join(case, case.c.id == case_subject.c.case)
            .where(
                case_subject.c.identity == target.value,
                case.c.opened <= target.before,
                not_(exempt_case(now, case_subject.c.case)),
                not_(held_case(now, case_subject.c.case)),
            )
            .limit(CASES)
        )
        idents = (await connection.execute(mine)).scalars().all()
        if not idents:
            return 0
        pieces = select(evidence.c.object).where(evidence.c.case.in_(idents))
        names = (await connection.execute(pieces)).scalars().all()
        for table in (evidence, appeal, ban, notice, case_comment):
            await connection.execute(delete(table).where(table.c.case.in_(idents)))
        if names:
            rows = [{"object": name, "since": now, "erasure": None} for name in names]
            await connection.execute(insert(doomed), rows)
        nobody = {"identity": None, "address": None, "network": None, "country": None}
        await connection.execute(update(case_subject).where(case_subject.c.case.in_(idents)).values(nobody))
        return len(idents)

    async def _late(self, now: int) -> None:
        """Delete records that reached the database after their person's deletion."""
        waiting = (
            select(erased.c.value, func.max(erased.c.before).label("before"))
            .join(deletion, deletion.c.number == erased.c.number)
            .join(party, and_(party.c.identity == erased.c.value, party.c.ended <= erased.c.before))
            .where(deletion.c.kind.in_(GOES), deletion.c.done > now - LATE)
            .group_by(erased.c.value)
        )
        async with self._database.read() as connection:
            found = [Target(row.value, row.before) for row in (await connection.execute(waiting)).all()]
        await self._people(found, now)

    async def _forget(self, now: int) -> None:
        """Delete values that no row and no backup can have any more; held rows stay hidden as long as they are held."""
        over = select(deletion.c.number).where(deletion.c.done < now - (self._longest + 1) * DAY)
        gone = or_(erased.c.number.in_(over), erased.c.number.not_in(select(deletion.c.number)))
        still = [
            exists(select(column).where(column == erased.c.value)) for column in (twin.c.identity, log_party.c.identity)
        ]
        async with self._database.write() as connection:
            await connection.execute(delete(erased).where(gone, not_(or_(*still))))

    # after a restore

    async def replay(self) -> int:
        """Delete again the people's rows on the erasure list; return how many values had come back. Idempotent. Raises StoreAway, ObjectsAway."""
        listed: dict[bytes, list[str]] = defaultdict(list)
        async for name in self._objects.names("erasures"):
            listed[bytes.fromhex(name.rpartition("/")[2])].append(name)
        if not listed:
            return 0
        pseudonyms, back = self._logs.pseudonyms, []
        async for value in self._values():
            for name in listed.get(pseudonyms.erasure(value), ()):
                body = await self._objects.get(name)
                if body:
                    back.append((value, int(pseudonyms.open_copy(name, body))))
        now = int(self._clock())
        for value, before in back:
            await self._again(value, before, now)
        await self.run(("replay",))  # the purge carries out the others, after it wrote notices to recipients
        return len(back)

    async def _again(self, value: bytes, before: int, now: int) -> None:
        ident = number()
        row = {"number": ident, "who": None, "kind": "replay", "records": True, "logs": True, "asked": now, "due": now}
        async with self._database.write() as connection:
            await connection.execute(insert(deletion).values(**row, done=None, statement="", hold=None))
            await connection.execute(insert(erased).values(value=value, number=ident, before=before))

    async def _values(self) -> AsyncIterator[bytes]:
        """Yield each value under which a person's rows are stored."""
        for column in PEOPLE:
            last = b""
            while True:
                some = await self._distinct(column, column > last)
                for value in some:
                    yield value
                if len(some) < WALK:
                    break
                last = some[-1]

    async def _distinct(self, column: Column[bytes], after: ColumnElement[bool]) -> list[bytes]:
        wanted = select(column).where(after).distinct().order_by(column).limit(WALK)
        async with self._database.read() as connection:
            return list((await connection.execute(wanted)).scalars())


def _first(ahead: deque[Some], room: int) -> list[Some]:
    """Take the first `room` rows from `ahead`."""
    taken: list[Some] = []
    while ahead and room > 0:
        value, chats = ahead.popleft()
        if len(chats) > room:
            ahead.appendleft(Some(value, chats[room:]))
        taken.append(Some(value, chats[:room]))
        room -= len(chats)
    return taken
