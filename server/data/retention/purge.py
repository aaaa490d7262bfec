"""Delete expired rows in short transactions, except rows under a legal hold, and then report the oldest row left in each table as proof (`Proof`).

**Invariant:** the retention periods come from the registry alone. A step checks for holds under the same lock that placing a hold takes, and a
killed purge is continued by the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, MetaData, Table, and_, delete, func, insert, not_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

import server.data.schema.console_schema  # its tables are purged too
import server.data.schema.data_request_schema  # the same
import server.data.schema.emergency_review_schema  # noqa: F401 - the same
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database import daily_partitions, key_fingerprints
from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.objects.object_store import Objects
from server.data.privacy import registry_history
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Column, Days, Registry
from server.data.retention import legal_holds as holds
from server.data.retention import monthly_counts, notice_and_request_expiry, stale_cases
from server.data.retention.deletion_notices import DeletionNotices
from server.data.retention.requested_deletion import RequestedDeletions
from server.data.schema.chat_id_format import DAY, bound, day_of
from server.data.schema.hidden_row_conditions import erased_row
from server.data.schema.hold_conditions import held_case, held_chat, held_log, held_party, held_people
from server.data.schema.moderation_schema import appeal, ban, case, case_comment, case_subject, notice, report
from server.data.schema.record_schema import TWINS, chat, log, metadata, party
from server.data.schema.record_schema import held_chat as held_chat_table
from server.data.schema.record_schema import held_party as held_party_table
from server.ops.config.settings import Retention

STEP = 400  # chats per step on SQLite at most: 1,200 rows and their index entries, 10 ms
SMALLEST = 100  # chats per step at least, 3 ms: smaller steps would not reduce the delay of a busy machine
LOCKED = 0.012  # seconds that a step aims to hold SQLite's write lock: other writers wait, 50 ms at the very most
REST = 0.02  # seconds between steps at least: another process polls for the lock up to 15 ms apart in its first 33, so it gets in
TIDY = 10  # steps between moves of the WAL into the file: 70 MB, since each row has index entries in two random places
MANY = 500  # ids in one statement
EVERY_DAY = 2  # days ahead, of which no chat can be
OF_A_CASE = (
    case_subject,
    report,
    ban,
    notice,
    appeal,
    case_comment,
)  # rows that name a case, and stay while a hold keeps it
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A retention rule of the registry: rows of this table are deleted this many days after this column."""

    table: str
    clock: str
    days: int


@dataclass(frozen=True, slots=True)
class Proof:
    """One line of the proof: the oldest row left in a place, and the oldest that may be there."""

    place: str
    oldest: int | None
    limit: int
    held: int

    @property
    def holds(self) -> bool:
        """Whether no row is older than it may be, except held rows."""
        return self.oldest is None or self.oldest >= self.limit


@dataclass(slots=True)
class Purged:
    """The result of a purge, or of a dry run."""

    dry: bool
    deleted: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    longest_step: float = 0.0

    def add(self, place: str, count: int) -> None:
        """Count deleted rows."""
        place = str(place)  # not SQLAlchemy's own kind of text
        self.deleted[place] = self.deleted.get(place, 0) + count

    @property
    def proved(self) -> bool:
        """Whether every proof holds."""
        return all(proof.holds for proof in self.proofs)


def rules(retention: Retention, registry: Registry = REGISTRY) -> list[Rule]:
    """Return one rule per table. Raises ValueError if two items of one table expire at different times: rows are deleted whole."""
    found: dict[str, Rule] = {}
    for item, place in registry.places(Column):
        if not isinstance(item.keep, Days) or not isinstance(place, Column):
            continue
        table = item.keep.after.partition(".")[0]
        if place.name.partition(".")[0] != table:
            continue  # a twin table of held rows: they are deleted with their hold
        rule = Rule(table, item.keep.after.partition(".")[2], registry_history.days_of(item, retention))
        if found.setdefault(table, rule) != rule:
            raise ValueError(f"registry: rows of {table} leave at {found[table]} and at {rule}")
    return list(found.values())


class Purge:
    """One run of the purge. Call `run`.

    SQLite: a few hundred chats per transaction by primary key, with a pause of REST seconds between; once a day the database file is rewritten; a
    TRUNCATE checkpoint at the end. PostgreSQL: queries ignore expired rows at once; the partition of a whole day is detached, then its rows under a
    hold are copied to the tables `held_chat` and `held_party` and it is dropped, in one transaction under the lock.
    """

    def __init__(
        self,
        database: Database,
        logs: SavedLogs,
        objects: Objects,
        retention: Retention,
        *,
        notices: DeletionNotices | None = None,
        clock: Callable[[], float] = time.time,
        step: int = STEP,
        progress: Progress | None = None,
    ) -> None:
        self._database = database
        self._logs = logs
        self._objects = objects
        self._pseudonyms = logs.pseudonyms
        self._retention = retention
        self._notices = notices
        self._clock = clock
        self._step = step
        self._progress = progress or (lambda _place, _count: None)
        self._rules = rules(retention)

    @property
    def _keep(self) -> int:
        return next(rule.days for rule in self._rules if rule.table == "party")

    async def run(self, *, dry: bool = False) -> Purged:
        """Purge, or only count. Raises Busy if another purge runs, StoreAway, ObjectsAway; completed steps stay."""
        done = Purged(dry)
        async with self._database.only_purge():
            now = int(self._clock())
            if not dry:
                await holds.refresh(self._database, self._pseudonyms, now)
            await self._chats(now, now - self._keep * DAY, done)
            await self._held(now, done)
            await self._logs_hidden(now, done)
            await self._cases(now, done)
            await self._plain(now, done)
            if not dry:
                await self._asked(done)
                done.add("objects", await self._logs.sweep())
                await self._erasures(now, done)
                await DisclosureLedger(self._database, self._clock).mark_month()
            await self._keys(now, done)
            if not dry:
                if any(done.deleted.values()):
                    await self._database.vacuum(day_of(now))
                await self._database.checkpoint()
            await self._prove(now, done)
        return done

    async def clear(self) -> Purged:
        """Delete all chats however new they are, and all rows of ended holds, except what a hold keeps: for a service that closes.

        No server may write. Raises as `run`.
        """
        done = Purged(dry=False)
        async with self._database.only_purge():
            now = int(self._clock())
            await holds.refresh(self._database, self._pseudonyms, now)
            await self._chats(now, now + EVERY_DAY * DAY, done)
            await self._held(now, done)
        return done

    async def _chats(self, now: int, cut: int, done: Purged) -> None:
        if done.dry:
            async with self._database.read() as connection:
                await self._database.limit_parallelism(connection)
                for table, key, kept in (
                    (chat, chat.c.id, held_chat(now, chat)),
                    (party, party.c.chat, held_party(now)),
                ):
                    old = select(func.count()).select_from(table).where(key < self._limit(cut))
                    done.add(table.name, (await connection.execute(old)).scalar_one())
                    done.held[str(table.name)] = (await connection.execute(old.where(kept))).scalar_one()
        elif self._database.sqlite:
            await self._chats_by_rows(now, cut, done)
        else:
            await self._chats_by_days(now, cut, done)

    def _limit(self, cut: int) -> bytes:
        """Return the id below which all chats are deleted by a purge: the exact second on SQLite, the whole day on PostgreSQL."""
        return bound(cut if self._database.sqlite else day_of(cut) * DAY)

    async def _chats_by_rows(self, now: int, cut: int, done: Purged) -> None:
        limit = bound(cut)
        step, steps = self._step, 0
        while True:
            async with self._database.write() as connection:
                await self._database.guard(connection)
                begun = time.monotonic()  # under the lock from here on
                oldest = select(chat.c.id).where(chat.c.id < limit).order_by(chat.c.id)
                edge = (await connection.execute(oldest.offset(step - 1).limit(1))).scalar()
                upto = edge if edge is not None else limit
                moved = await self._move(connection, now, chat, party, party.c.chat <= upto)
                people = (await connection.execute(delete(party).where(party.c.chat <= upto))).rowcount
                chats = (await connection.execute(delete(chat).where(chat.c.id <= upto))).rowcount
            took = time.monotonic() - begun
            done.longest_step = max(done.longest_step, took)
            self._count(done, chats, people, moved)
            if edge is None:
                return
            step = min(self._step, max(SMALLEST, int(step * min(2.0, LOCKED / max(took, 0.001)))))
            await asyncio.sleep(max(took, REST))
            steps += 1
            if steps % TIDY == 0:
                await self._database.move_wal()

    def _count(self, done: Purged, chats: int, people: int, moved: tuple[int, int]) -> None:
        done.add("chat", chats - moved[0])
        done.add("party", people - moved[1])
        self._progress("chat", chats)

    async def _move(
        self, connection: AsyncConnection, now: int, chats: Table, people: Table, within: ColumnElement[bool]
    ) -> tuple[int, int]:
        """Copy held rows to their twin tables; return the numbers of (chats, parties). Addresses are resealed: the epoch's key will be destroyed."""
        kept = (await connection.execute(held_people(now, people, within))).all()
        for row in kept:
            values = row._asdict()
            try:
                values["address"] = self._pseudonyms.reseal(values["address"])
            except KeyGone:
                values["address"] = None
            await self._copy(connection, TWINS["party"], values)
        ids = sorted({row.chat for row in kept})
        for first in range(0, len(ids), MANY):
            some = select(chats).where(chats.c.id.in_(ids[first : first + MANY]))
            for row in (await connection.execute(some)).all():
                await self._copy(connection, TWINS["chat"], row._asdict())
        return len(ids), len(kept)

    @staticmethod
    async def _copy(connection: AsyncConnection, twin: Table, values: dict[str, object]) -> None:
        same = [column == values[column.name] for column in twin.primary_key.columns]
        if (await connection.execute(select(func.count()).select_from(twin).where(and_(*same)))).scalar_one() == 0:
            await connection.execute(insert(twin).values(values))

    async def _chats_by_days(self, now: int, cut: int, done: Purged) -> None:
        async with self._database.read() as connection:
            days = {day for _, day, _ in await daily_partitions.existing(connection) if day < day_of(cut)}
        for day in sorted(days):
            chats, people = (
                table.to_metadata(MetaData(), name=daily_partitions.name_of(table.name, day)) for table in (chat, party)
            )
            async with self._database.read() as connection:
                there = {name for name, of, _ in await daily_partitions.existing(connection) if of == day}
                await self._database.limit_parallelism(connection)
                for table in (chats, people):
                    if table.name in there:
                        count = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                        done.add(table.name.partition("_")[0], count)
            for name in sorted(there):
                await daily_partitions.detach(self._database, name)
            took, moved = await self._drop_day(now, chats, people, there)
            done.longest_step = max(done.longest_step, took)
            done.add("chat", -moved[0])
            done.add("party", -moved[1])
            for name in sorted(there):
                self._progress(name, 1)

    async def _drop_day(self, now: int, chats: Table, people: Table, there: set[str]) -> tuple[float, tuple[int, int]]:
        """Move the held rows out of detached days and drop these; return (seconds under the lock, rows moved)."""
        async with self._database.write() as connection:
            await self._database.guard(connection)
            begun = time.monotonic()
            moved = await self._move(connection, now, chats, people, true()) if people.name in there else (0, 0)
            for name in sorted(there):
                await connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        return time.monotonic() - begun, moved

    # rows kept by holds, and small tables

    async def _held(self, now: int, done: Purged) -> None:
        free_party = not_(held_party(now, held_party_table))
        free_chat = not_(held_chat(now, held_chat_table, held_party_table))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            for table, free in ((held_party_table, free_party), (held_chat_table, free_chat)):
                if done.dry:
                    count = (await connection.execute(select(func.count()).select_from(table).where(free))).scalar_one()
                else:
                    count = (await connection.execute(delete(table).where(free))).rowcount
                done.add(table.name, count)
                done.held[str(table.name)] = (
                    await connection.execute(select(func.count()).select_from(table))
                ).scalar_one()
            if not done.dry:
                done.add("hold", await holds.clear_ended(connection, now))

    async def _logs_hidden(self, now: int, done: Purged) -> None:
        """Delete the logs whose deletion waited for the end of a hold."""
        freed = select(log.c.id).where(log.c.hidden.is_not(None), not_(held_log(now)))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            waiting = (await connection.execute(freed)).scalars().all()
            done.add("log", len(waiting))
            for ident in waiting if not done.dry else ():
                await self._logs.take_away(connection, ident)

    async def _cases(self, now: int, done: Purged) -> None:
        """Run the steps that close cases, requests and notices by the clock; the monthly counts, which outlive the rows, first."""
        for name, step in (
            ("figures", monthly_counts.count),
            ("aged", stale_cases.close_aged_cases),
            ("lapsed", stale_cases.lift_unanswered_bans),
            ("lifted", stale_cases.end_unreviewed_actions),
            ("notes", stale_cases.delete_notes),
            ("evidence", stale_cases.delete_evidence),
            ("notices", notice_and_request_expiry.close_aged_notices),
            ("words", notice_and_request_expiry.delete_words),
        ):
            count = 0
            while not done.dry:
                async with self._database.write() as connection:
                    await self._database.guard(connection)
                    count = await step(connection, now, self._step)
                done.add(name, count)
                if count < self._step:
                    break

    async def _plain(self, now: int, done: Purged) -> None:
        """Purge the tables that have a clock column: the audit log, and cases, which a hold can keep."""
        for rule in self._rules:
            table = metadata.tables[rule.table]
            if table is party:
                continue
            clock, cut = table.c[rule.clock], now - rule.days * DAY
            if done.dry:
                old = select(func.count()).select_from(table).where(clock < cut)
                async with self._database.read() as connection:
                    done.add(table.name, (await connection.execute(old)).scalar_one())
                continue
            keys = list(table.primary_key.columns)
            while True:
                some = select(*keys).where(clock < cut, *_free(table, now)).limit(self._step)
                chosen = keys[0].in_(some) if len(keys) == 1 else tuple_(*keys).in_(some)
                async with self._database.write() as connection:
                    await self._database.guard(connection)
                    count = (await connection.execute(delete(table).where(chosen))).rowcount
                done.add(table.name, count)
                if count < self._step:
                    break

    async def _asked(self, done: Purged) -> None:
        """Delete the rows whose deletion was requested."""
        longest = max(self._keep, self._retention.backup_days)
        removal = RequestedDeletions(
            self._database, self._logs, self._objects, longest=longest, notices=self._notices, clock=self._clock
        )
        for place, count in (await removal.run()).items():
            done.add(place, count)
        done.longest_step = max(done.longest_step, removal.longest_step)

    async def _erasures(self, now: int, done: Purged) -> None:
        """Delete entries of the erasure list after one backup life."""
        oldest = day_of(now) - self._retention.backup_days
        async for name in self._objects.names("erasures"):
            day = name.split("/")[-2]
            if day.isdigit() and int(day) < oldest:
                await self._objects.delete(name)
                done.add("erasures", 1)

    async def _keys(self, now: int, done: Purged) -> None:
        """Destroy the keys of epochs that no live row and no backup can need."""
        epochs = self._pseudonyms.epochs
        done.keys = await asyncio.to_thread(epochs.doomed, now, self._keep + self._retention.backup_days + 1)
        if not done.dry:
            await key_fingerprints.forget(self._database, done.keys)
            for epoch in done.keys:
                await asyncio.to_thread(epochs.destroy, epoch)

    async def _prove(self, now: int, done: Purged) -> None:
        """Read the oldest row of each place. Chats and parties are in order of time by their key: reading the first needs no scan."""
        async with self._database.read() as connection:
            for waits, query, limit in () if done.dry else notice_and_request_expiry.oldest(now):
                done.proofs.append(Proof(waits, await connection.scalar(query), limit, 0))
            for rule in self._rules:
                table, limit = metadata.tables[rule.table], now - rule.days * DAY
                clocks = [(table, table.c[rule.clock])]
                if table is party:
                    limit = limit if self._database.sqlite else day_of(limit) * DAY
                    clocks += [] if done.dry else [(chat, chat.c.ended)]
                for place, clock in clocks:
                    daily = {"chat": chat.c.id, "party": party.c.chat}.get(place.name)
                    first = (
                        select(func.min(clock)).where(*_free(place, now))
                        if daily is None
                        else select(clock).order_by(daily).limit(1)
                    )
                    oldest = (await connection.execute(first)).scalar()
                    held = done.held.get(f"held_{place.name}", 0)
                    done.proofs.append(Proof(str(clock), oldest, limit, held))


def _free(table: Table, now: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that no hold keeps a row of this table."""
    if table is case:
        return (not_(held_case(now, case.c.id)),)
    return (not_(held_case(now, table.c.case)),) if table in OF_A_CASE else ()


def visible(now: int, retention: Retention) -> ColumnElement[bool]:
    """Return the condition that every query of `party` carries: expired rows, and rows whose deletion was requested, are invisible."""
    keep = next(rule.days for rule in rules(retention) if rule.table == "party")
    erased = erased_row(party.c.identity, party.c.ended)
    return and_(party.c.ended > now - keep * DAY, party.c.chat >= bound(now - keep * DAY), not_(erased))
