"""Record each disclosure of personal data to an outside recipient in an append-only ledger whose lines are chained by hashes.

A line with phase `intent` is on disk before a byte leaves; a second line (`done`, `failed`) says what came of it, or one line alone says `refused`.
Each line holds the SHA-256 of the line before in the form of RFC 8785, so that an edited, reordered or missing line is found by `verify`; a
missing end is found by a hash that `/transparency` published: that of the month's `mark`. Times are Unix seconds.

**Invariant:** an intent has at most one outcome. An intent without one was interrupted, so the data may have left. A mark's hash tells no reader
how many lines are before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import Connection, case, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.privacy.registry_model import Category, What
from server.data.schema.disclosure_schema import disclosure, disclosure_subject

LOCK = 0x5E7E0D21  # advisory lock of PostgreSQL: one line after the other
FIRST: Final = bytes(32)  # what the first line holds in place of a hash
NAMES: Final = tuple(str(column.name) for column in disclosure.columns)  # not SQLAlchemy's own kind of text
STEP = 5_000  # lines that `verify` reads at a time, and numbers in one statement, which takes 32,766 at most
PROBLEMS = 20  # at most in the answer of `verify`
Keep = Callable[[AsyncConnection, tuple[int, ...]], Awaitable[None]]  # stores the numbers of new lines


class Phase(StrEnum):
    """State of a disclosure, one line each."""

    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    MARK = "mark"  # no disclosure: its hash is published


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure. `basis`: the law or contract in a few words; `count`: records; `reveal_after`: when the person may learn of it, 0 at once."""

    what: What
    recipient: str
    basis: str
    categories: tuple[Category, ...]
    count: int = 0
    request: str | None = None
    law_order: str | None = None
    reveal_after: int = 0

    def row(self) -> dict[str, Any]:
        """Return the columns that all phases share."""
        return {
            "what": self.what.value,
            "recipient": self.recipient[:120],
            "basis": self.basis[:40],
            "categories": ",".join(category.name for category in self.categories)[:40],
            "count": self.count,
            "request": self.request,
            "law_order": self.law_order,
            "reveal_after": self.reveal_after,
        }


@dataclass(frozen=True, slots=True)
class Head:
    """The number of lines, and the hash of the newest one as hex; empty without lines. Of a published one the number is unknown: 0."""

    lines: int
    hash: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest mark as it is published: when it was made, and its hash as hex."""

    at: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Outcome of a walk over the ledger. `unfinished`: intents without outcome; `problems`: what is wrong, empty if the ledger is whole."""

    head: Head
    unfinished: tuple[int, ...]
    problems: tuple[str, ...]


class NoIntent(ValueError):
    """The line is no intent, or has an outcome already."""


def canonical(line: Mapping[str, Any]) -> bytes:
    """Return a line as JSON by RFC 8785. Values are strings, integers below 2^53, bytes (as hex) or None; keys are ASCII."""
    plain = {
        str(name): value.hex() if isinstance(value, bytes) else value
        for name, value in line.items()  # not SQLAlchemy's own kind of text
    }
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def line_hash(line: Mapping[str, Any]) -> bytes:
    """Return the hash that the next line holds."""
    return hashlib.sha256(canonical(line)).digest()


def subject_hash(salt: bytes, who: bytes) -> bytes:
    """Return a person as a line holds them."""
    return hashlib.sha256(salt + who).digest()


class DisclosureLedger:
    """Appends to the ledger, and reads it. All methods raise StoreAway; if `intent` does, nothing may be disclosed."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def intent(
        self, one: Disclosure, subjects: Sequence[bytes] = (), keep: Keep | None = None
    ) -> tuple[int, ...]:
        """Write an intent, one line a person, and return the lines' numbers. When it returns, the lines survive a power cut.

        `subjects`: values of `Pseudonyms.disclosure_subject`; without any, one line that concerns no person. `keep`: called in the same
        transaction, for a caller that must find the lines again after a kill.
        """
        if keep is None:
            return await self._database.transact(lambda connection: self._intend(connection, one, subjects))
        async with self._database.write(durable=True) as connection:
            numbers = await self.intent_within(connection, one, subjects)
            await keep(connection, numbers)
        return numbers

    async def intent_within(
        self, connection: AsyncConnection, one: Disclosure, subjects: Sequence[bytes] = ()
    ) -> tuple[int, ...]:
        """Do the same within a durable transaction that writes more."""
        return await connection.run_sync(self._intend, one, subjects)

    def _intend(self, connection: Connection, one: Disclosure, subjects: Sequence[bytes]) -> tuple[int, ...]:
        now = int(self._clock())
        rows, people = [], []
        for who in subjects or (None,):
            salt = secrets.token_bytes(16)
            rows.append(
                one.row() | {"phase": Phase.INTENT.value, "intent": None, "who": who and subject_hash(salt, who)}
            )
            people.append(who and {"since": max(now, one.reveal_after), "salt": salt, "who": who})
        numbers = self._append(connection, now, rows)
        known = [person | {"line": line} for line, person in zip(numbers, people, strict=True) if person]
        if known:
            connection.execute(insert(disclosure_subject), known)
        return numbers

    async def done(self, intents: Sequence[int], count: int | None = None) -> None:
        """Write that the data left. `count`: records, if the intent did not know it. Raises NoIntent."""
        await self._database.transact(lambda connection: self._end(connection, intents, Phase.DONE, count))

    async def failed(self, intents: Sequence[int]) -> None:
        """Write that nothing left. Raises NoIntent."""
        await self._database.transact(lambda connection: self._end(connection, intents, Phase.FAILED, None))

    async def refused(self, one: Disclosure) -> None:
        """Write that a disclosure was asked for and refused. The line concerns no person: nothing was looked up."""
        await self._database.transact(lambda connection: self._refuse(connection, one))

    async def refused_within(self, connection: AsyncConnection, one: Disclosure) -> None:
        """Do the same within a durable transaction that writes more."""
        await connection.run_sync(self._refuse, one)

    def _refuse(self, connection: Connection, one: Disclosure) -> None:
        row = one.row() | {"phase": Phase.REFUSED.value, "intent": None, "who": None}
        self._append(connection, int(self._clock()), [row])

    @contextlib.asynccontextmanager
    async def recorded(self, one: Disclosure, subjects: Sequence[bytes] = ()) -> AsyncIterator[None]:
        """Wrap a disclosure: its intent before, then `done`, or `failed` after an exception.

        A cancelled disclosure stays without outcome: the data may have left.
        """
        intents = await self.intent(one, subjects)
        try:
            yield
        except Exception:
            with contextlib.suppress(StoreAway):  # the first error is the one to raise
                await self.failed(intents)
            raise
        await self.done(intents)

    async def move_secrecy(self, connection: AsyncConnection, law_order: str, until: int) -> None:
        """Within a transaction, count the time of the persons of an order's lines from another end of its secrecy; the lines stay as they are."""
        theirs = select(disclosure.c.number).where(disclosure.c.law_order == law_order)
        at = select(disclosure.c.at).where(disclosure.c.number == disclosure_subject.c.line).scalar_subquery()
        moved = update(disclosure_subject).where(disclosure_subject.c.line.in_(theirs))
        await connection.execute(moved.values(since=case((at > until, at), else_=until)))

    def _end(self, connection: Connection, intents: Sequence[int], phase: Phase, count: int | None) -> None:
        self._lock(connection)
        found, closed, numbers = [], 0, sorted(set(intents))
        for first in range(0, len(numbers), STEP):
            some = numbers[first : first + STEP]
            wanted = select(disclosure).where(disclosure.c.number.in_(some), disclosure.c.phase == Phase.INTENT.value)
            found += [row._asdict() for row in connection.execute(wanted.order_by(disclosure.c.number)).all()]
            over = select(func.count()).select_from(disclosure).where(disclosure.c.intent.in_(some))
            closed += connection.execute(over).scalar_one()
        if len(found) != len(numbers) or closed:
            raise NoIntent(f"not open: {', '.join(map(str, intents[:PROBLEMS]))}")
        rows = [
            row | {"phase": phase.value, "intent": row["number"], "who": None}
            | ({} if count is None else {"count": count})
            for row in found
        ]  # fmt: skip
        self._append(connection, int(self._clock()), rows)

    def _lock(self, connection: Connection) -> None:
        """Keep other writers out until the transaction ends. In SQLite the write lock does."""
        if not self._database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})

    def _append(self, connection: Connection, now: int, rows: Sequence[dict[str, Any]]) -> tuple[int, ...]:
        self._lock(connection)
        last = connection.execute(select(disclosure).order_by(disclosure.c.number.desc()).limit(1)).first()
        number, prev = (0, FIRST) if last is None else (last.number, line_hash(last._asdict()))
        lines = []
        for row in rows:
            number += 1
            lines.append(row | {"number": number, "prev": prev, "at": now})
            prev = line_hash(lines[-1])
        connection.execute(insert(disclosure), lines)
        return tuple(line["number"] for line in lines)

    async def head(self) -> Head:
        """Return the number of lines and the newest hash."""
        async with self._database.read() as connection:
            last = (await connection.execute(select(disclosure).order_by(disclosure.c.number.desc()).limit(1))).first()
        return Head(0, "") if last is None else Head(last.number, line_hash(last._asdict()).hex())

    async def mark_month(self) -> bool:
        """Append a mark unless this month (UTC) has one; return whether it was appended. Called by the only purge.

        A mark holds 32 random bytes. Without them a reader who knows the mark before could try the few numbers and times that are possible, and
        learn whether any line came between.
        """
        now, newest = int(self._clock()), await self.published()
        if newest is not None and _month(newest.at) == _month(now):
            return False
        row = {
            "phase": Phase.MARK.value, "intent": None, "what": "", "recipient": "", "basis": "", "categories": "", "count": 0,
            "who": secrets.token_bytes(32), "request": None, "law_order": None, "reveal_after": 0,
        }  # fmt: skip
        await self._database.transact(lambda connection: self._append(connection, now, [row]))
        return True

    async def published(self) -> Mark | None:
        """Return the newest mark, which is all that `/transparency` shows of the ledger; None before the first."""
        wanted = select(disclosure).where(disclosure.c.phase == Phase.MARK.value)
        async with self._database.read() as connection:
            last = (await connection.execute(wanted.order_by(disclosure.c.number.desc()).limit(1))).first()
        return None if last is None else Mark(last.at, line_hash(last._asdict()).hex())

    async def lines(self, newest: int = 1000) -> list[dict[str, Any]]:
        """Return the newest lines, newest first."""
        wanted = select(disclosure).order_by(disclosure.c.number.desc()).limit(newest)
        async with self._database.read() as connection:
            return [dict(zip(NAMES, row, strict=True)) for row in (await connection.execute(wanted)).all()]

    async def what_of(self, number: int) -> What | None:
        """Return the way of a line's disclosure; None for a mark, and if there is no such line."""
        async with self._database.read() as connection:
            found = await connection.scalar(select(disclosure.c.what).where(disclosure.c.number == number))
        return What(found) if found else None

    async def unfinished(self, intents: Sequence[int]) -> set[int]:
        """Return those of these intents that have no outcome."""
        outcome = disclosure.alias()
        wanted = select(disclosure.c.number).outerjoin(outcome, outcome.c.intent == disclosure.c.number)
        wanted = wanted.where(disclosure.c.number.in_(intents), outcome.c.number.is_(None))
        async with self._database.read() as connection:
            return set((await connection.execute(wanted)).scalars())

    async def verify(self, published: Head | None = None) -> Verified:
        """Walk the whole ledger. `published`: a hash that was published, or a head that was written down, which must be in it."""
        walk = _Walk(published)
        async with self._database.snapshot() as connection:
            async for some in (
                await connection.stream(select(disclosure).order_by(disclosure.c.number))
            ).partitions(STEP):  # fmt: skip
                for row in some:
                    walk.line(dict(zip(NAMES, row, strict=True)))
            named = select(disclosure_subject, disclosure.c.who.label("hash")).outerjoin(
                disclosure, disclosure.c.number == disclosure_subject.c.line
            )
            async for some in (await connection.stream(named)).partitions(STEP):
                for row in some:
                    if row.hash != subject_hash(row.salt, row.who):
                        walk.problem(f"line {row.line}: its person was changed")
        return walk.outcome()


def _month(at: int) -> str:
    return time.strftime("%Y-%m", time.gmtime(at))


class _Walk:
    """State of a walk over the lines, oldest first."""

    def __init__(self, published: Head | None) -> None:
        self._published = published
        self._prev = FIRST
        self._number = 0
        self._open: dict[int, None] = {}
        self._problems: list[str] = []
        self._met = published is None  # whether the published hash was found

    def problem(self, said: str) -> None:
        if len(self._problems) < PROBLEMS:
            self._problems.append(said)

    def line(self, line: dict[str, Any]) -> None:
        number = line["number"]
        if number != self._number + 1:
            self.problem(f"line {self._number + 1}: missing")
        if line["prev"] != self._prev:
            self.problem(f"line {number}: it or the line before was changed")
        if line["phase"] == Phase.INTENT:
            self._open[number] = None
        elif line["phase"] in (Phase.DONE, Phase.FAILED) and self._open.pop(line["intent"], self) is self:
            self.problem(f"line {number}: an outcome without its intent")
        self._number, self._prev = number, line_hash(line)
        told = self._published
        if told is None:
            return
        same = self._prev.hex() == told.hash
        self._met = self._met or same
        if number == told.lines and not same:
            self.problem(f"line {number}: its hash is not the published one")

    def outcome(self) -> Verified:
        if self._published is not None and self._number < self._published.lines:
            self.problem(f"line {self._number + 1}: missing, {self._published.lines} lines were published")
        elif self._published is not None and not self._published.lines and not self._met:
            self.problem("no line has the published hash: one before it was changed, or it is missing")
        head = Head(self._number, self._prev.hex() if self._number else "")
        return Verified(head, tuple(self._open), tuple(self._problems))
