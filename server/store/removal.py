"""What people asked to have deleted leaves at its time. Rule: in short steps, less what is held or exempt, and it is listed before it is done.

Each step is one transaction under the lock that placing a hold takes, and finds its rows anew: a removal that was killed is
continued by the next one. The names on the list are keyed hashes of the values under which rows were stored; what stands behind one
says, sealed, until when. After a restore `replay` walks the values that came back and deletes again what the list names.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, and_, delete, exists, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.security.numbers import number
from server.store.database import Database
from server.store.erased import exempt_case
from server.store.held import held_case, held_party, matched
from server.store.ids import DAY, bound, day_of
from server.store.objects import Objects
from server.store.rights_schema import OBJECTED, deletion, erased
from server.store.safety_schema import appeal, ban, case, case_subject, evidence, notice, report
from server.store.saved import SavedLogs
from server.store.schema import doomed, log, log_party, party
from server.store.schema import held_party as twin

STEP = 400  # rows of people in one step at most
SMALLEST = 200  # what a busy machine adds to that, smaller steps would not take away
LOCKED = 0.012  # seconds that a step aims to hold SQLite's write lock
REST = 0.01  # seconds between steps at least: other processes poll for the lock
TIDY = 25  # steps until the WAL is moved into the file
LOGS = 10  # saved logs in one step: six statements each
CASES = 50
LATE = 7 * DAY  # so long after a removal rows may still come that waited for the database
WALK = 20_000  # values compared with the erasure list at a time
GOES = ("delete", "replay", OBJECTED)  # kinds whose rows are taken
PEOPLE = (
    party.c.identity,
    log_party.c.identity,
    report.c.identity,
    case_subject.c.identity,
)  # where a person's values stand


@dataclass(frozen=True, slots=True)
class Target:
    """Rows stored under a value, of what was until `before`."""

    value: bytes
    before: int


class Removal:
    """Over one store. `clock`: Unix seconds; `longest`: days for which a row may still lie somewhere (retention, a backup's life)."""

    def __init__(
        self,
        database: Database,
        logs: SavedLogs,
        objects: Objects,
        *,
        longest: int = 120,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._logs = logs
        self._objects = objects
        self._longest = longest
        self._clock = clock
        self.gone: Counter[str] = Counter()  # rows by table
        self.longest_step = 0.0  # seconds under the lock

    async def run(self) -> Counter[str]:
        """Remove what is due; rows by table. Raises StoreAway, ObjectsAway; what is done stays done."""
        now = int(self._clock())
        waiting = select(deletion.c.number).where(
            deletion.c.kind.in_(GOES), deletion.c.due <= now, deletion.c.done.is_(None)
        )
        async with self._database.read() as connection:
            due = (await connection.execute(waiting.order_by(deletion.c.due))).scalars().all()
        for one in due:
            await self._remove(one, now)
        await self._late(now)
        await self._forget(now)
        return self.gone

    async def _remove(self, ident: str, now: int) -> None:
        """All of one request, then its names on the erasure list, then its end."""
        wanted = select(erased.c.value, erased.c.before).where(erased.c.number == ident)
        async with self._database.read() as connection:
            targets = [Target(row.value, row.before) for row in (await connection.execute(wanted)).all()]
        for target in targets:
            await self._take(target, now)
        for target in targets:
            name = f"erasures/{day_of(now)}/{self._logs.pseudonyms.erasure(target.value).hex()}"
            await self._objects.put(name, self._logs.pseudonyms.seal_copy(name, str(target.before).encode()))
        async with self._database.write() as connection:
            await connection.execute(update(deletion).where(deletion.c.number == ident).values(done=now))

    async def _take(self, target: Target, now: int) -> None:
        """Every row of one value; a table that has none costs a look."""
        value = target.value
        async with self._database.read() as connection:
            there_is = [exists(select(column).where(column == value)) for column in PEOPLE]
            found = (await connection.execute(select(*there_is))).one()
        if found[0]:
            await self._people(target, now)
        for there, name, step in (
            (found[1], "log", self._some_logs),
            (found[2], "report", self._some_reports),
            (found[3], "case_subject", self._some_cases),
        ):
            while there:
                async with self._database.write() as connection:
                    await self._database.guard(connection)
                    count = await step(connection, target, now)
                self.gone[name] += count
                there = count > 0

    async def _people(self, target: Target, now: int) -> None:
        """A person's rows in chats, by time; those of the other person, and the chat itself, are nobody else's to delete."""
        last, end, step, steps = bytes(16), bound(target.before + 1), STEP, 0
        while True:
            async with self._database.write() as connection:
                await self._database.guard(connection)
                begun = time.monotonic()  # the lock is ours from here on
                mine = and_(party.c.identity == target.value, party.c.chat > last, party.c.chat < end)
                ahead = select(party.c.chat).where(mine).order_by(party.c.chat).offset(step - 1).limit(1)
                edge = (await connection.execute(ahead)).scalar()
                some = mine if edge is None else and_(mine, party.c.chat <= edge)
                gone = (await connection.execute(delete(party).where(some, not_(held_party(now))))).rowcount
            took = time.monotonic() - begun
            self.longest_step = max(self.longest_step, took)
            self.gone["party"] += gone
            if edge is None:
                return
            last, steps = edge, steps + 1
            step = min(STEP, max(SMALLEST, int(step * min(2.0, LOCKED / max(took, 0.001)))))
            await asyncio.sleep(max(took, REST))
            if steps % TIDY == 0:
                await self._database.tidy()

    async def _some_logs(self, connection: AsyncConnection, target: Target, now: int) -> int:
        """Saved logs, whole; one that is held is hidden, and goes when the hold ends."""
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
        """Reports that the person made."""
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
        """Cases about the person: who they are, texts, and bans, notices and appeals that are over. What others reported is theirs."""
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
        for table in (evidence, appeal, ban, notice):
            await connection.execute(delete(table).where(table.c.case.in_(idents)))
        if names:
            rows = [{"object": name, "since": now, "erasure": None} for name in names]
            await connection.execute(insert(doomed), rows)
        nobody = {"identity": None, "address": None, "network": None, "country": None}
        await connection.execute(update(case_subject).where(case_subject.c.case.in_(idents)).values(nobody))
        return len(idents)

    async def _late(self, now: int) -> None:
        """Records that came to the database after their person's removal."""
        waiting = (
            select(erased.c.value, func.max(erased.c.before).label("before"))
            .join(deletion, deletion.c.number == erased.c.number)
            .join(party, and_(party.c.identity == erased.c.value, party.c.ended <= erased.c.before))
            .where(deletion.c.kind.in_(GOES), deletion.c.done > now - LATE)
            .group_by(erased.c.value)
        )
        async with self._database.read() as connection:
            found = [Target(row.value, row.before) for row in (await connection.execute(waiting)).all()]
        for target in found:
            await self._people(target, now)

    async def _forget(self, now: int) -> None:
        """Values that no row and no backup can have any more; what is held stays hidden as long as it is held."""
        over = select(deletion.c.number).where(deletion.c.done < now - (self._longest + 1) * DAY)
        gone = or_(erased.c.number.in_(over), erased.c.number.not_in(select(deletion.c.number)))
        still = [
            exists(select(column).where(column == erased.c.value)) for column in (twin.c.identity, log_party.c.identity)
        ]
        async with self._database.write() as connection:
            await connection.execute(delete(erased).where(gone, not_(or_(*still))))

    # after a restore

    async def replay(self) -> int:
        """Delete again what the erasure list says of people; how many values had come back. Idempotent. Raises StoreAway, ObjectsAway."""
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
        await self.run()
        return len(back)

    async def _again(self, value: bytes, before: int, now: int) -> None:
        ident = number()
        row = {"number": ident, "who": None, "kind": "replay", "records": True, "logs": True, "asked": now, "due": now}
        async with self._database.write() as connection:
            await connection.execute(insert(deletion).values(**row, done=None, statement="", hold=None))
            await connection.execute(insert(erased).values(value=value, number=ident, before=before))

    async def _values(self) -> AsyncIterator[bytes]:
        """Each value under which a person's rows are stored."""
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
