"""Store users' reports and automatic detections in cases; reports about one user join that user's open case.

**Invariant:** the reporter's record and the number of reports order the queue; they never cause a report to be dropped.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.conduct.detection_consequences import KNOWN, REPEAT
from server.data.connection_source import SourceEndpoint
from server.data.database.database import Database
from server.data.errors import ObjectsAway, StoreAway
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.sealed_objects import Placed, Sealed
from server.data.schema.moderation_schema import OPEN, case, case_subject, evidence, report
from server.ops import log
from server.ops.config.moderation_policy import (
    DAY,
    DETECTED_POINTS,
    DETECTIONS,
    HOUR,
    LOW,
    MONEY_POINTS,
    QUEUES,
    Step,
    join_reasons,
    reason,
)
from server.trust.cases import automatic_bans
from server.trust.evidence import child_abuse_material, picture_evidence
from server.trust.evidence.case_preview import DOMAIN, excerpt_of, pack_excerpt
from server.trust.evidence.chat_evidence import pack
from server.trust.evidence.reported_chat import Reported
from server.trust.evidence.reported_picture import Picture, bounded

AFTER = 3 * DAY  # seconds that the text of a report is kept that came after its case was decided
POINT = 600  # seconds of age that count as one point of priority
A_DAY = 20  # reports of one reporter a day; later ones are accepted into the low queue
REASONS_MOST = 80  # characters of the column `reasons`
RECEIPT = b"safety.receipt"
NOTE = b"report.note"

logger = log.get()


class Cases:
    """Intake of reports and detections into the store. `country`: returns two letters for an address, or None; `pause`: seconds of the pause for
    `repeat`; `clock`: Unix seconds.

    A report joins the open case about the same user; a second report of the same reporter within a day joins the same case, even a decided one.
    Every report has a receipt: 128 random bits, of which a keyed hash is stored. A detection is no report: it has a case of its own, which reports
    may join.
    """

    def __init__(
        self, database: Database, sealed: Sealed, pseudonyms: Pseudonyms, country: Callable[[str], str | None],
        pause: int = HOUR, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._database = database
        self._sealed = sealed
        self._pseudonyms = pseudonyms
        self._country = country
        self._pause = pause
        self._clock = clock

    async def take(self, reported: Reported) -> bytes:
        """Store a report or detection with its evidence. Return the id of its case. Raises StoreAway, ObjectsAway; it may then be given again."""
        placed, now = None, int(self._clock())  # a report that waited long must not look like an interrupted writer's
        if reported.said is not None and (reported.said.lines or reported.said.counted is not None):
            placed = await self._sealed.put("evidence/", pack(reported.said), now)
        shown = bounded(reported.shown)
        grave = _listed(shown, reported.side) or (reported.program and reported.reason == KNOWN)
        pictures = await picture_evidence.put(self._sealed, shown, now, child=grave)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            ident, until = await (self._act if reported.program else self._write)(connection, reported)
            if placed is not None:
                await self._add_text(connection, ident, reported, placed, until)
                await self._sealed.keep(connection, placed.name)
            await picture_evidence.write(connection, self._sealed, ident, reported.side, shown, pictures, until)
            if grave:  # whatever the report's reason
                await child_abuse_material.mark(connection, self._pseudonyms, ident, int(self._clock()))
            grave = await child_abuse_material.is_marked(connection, ident)
        if grave:
            await self._apart(ident)
        return ident

    async def add_pictures(self, ident: bytes, side: int, pictures: Iterable[Picture]) -> int:
        """Store pictures taken after a report. Return how many were kept. `side`: the reported one in that chat. Raises StoreAway, ObjectsAway.

        Nothing is kept if the case is gone or has MOST_OF_A_CASE already.
        """
        some = bounded(pictures)
        listed = _listed(some, side)
        async with self._database.read() as connection:
            grave = listed or await child_abuse_material.is_marked(connection, ident)
        placed = await picture_evidence.put(self._sealed, some, int(self._clock()), child=grave)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = (await connection.execute(select(case.c.closed).where(case.c.id == ident))).first()
            if row is None:
                return 0
            until = None if row.closed is None else int(self._clock()) + AFTER
            count = await picture_evidence.write(connection, self._sealed, ident, side, some, placed, until)
            if listed:
                await child_abuse_material.mark(connection, self._pseudonyms, ident, int(self._clock()))
        if listed:
            await self._apart(ident)
        return count

    async def _apart(self, ident: bytes) -> None:
        """Move apparent abuse material to its folder; if the store is away, it is moved when the case is opened."""
        try:
            await child_abuse_material.move_apart(self._database, self._sealed, ident, int(self._clock()))
        except (StoreAway, ObjectsAway) as error:
            logger.warning("safety.apart_later", **log.described(error))

    async def _write(self, connection: AsyncConnection, reported: Reported) -> tuple[bytes, int | None]:
        """Insert a report. Return (case, Unix seconds until which its evidence is kept; None: the case is open)."""
        who, _, _ = self._pseudonyms.safety(reported.reporter.identity, "")
        subject = self._subject(reported)
        queue = await self._queue(connection, who, reported)
        outcome, closed = None, None
        ident = await self._joined(connection, who, subject, reported.at)
        if ident is None:
            ident = await self._opened(connection, reported, subject, queue)
        else:
            outcome, closed = await self._raised(connection, ident, reported, queue)
        note = self._pseudonyms.seal_text(NOTE, reported.note) if reported.note else None
        await connection.execute(
            insert(report).values(
                id=secrets.token_bytes(16), case=ident, at=reported.at, reason=reported.reason, identity=who, note=note,
                receipt=self._pseudonyms.secret_hash(RECEIPT, reported.receipt), outcome=outcome, closed=closed,
            )
        )  # fmt: skip
        return ident, None if closed is None else closed + AFTER

    async def _act(self, connection: AsyncConnection, reported: Reported) -> tuple[bytes, int | None]:
        """Insert a detection into its own case, and take the action that follows at once. Return as `_write`."""
        queue = reason(reported.reason, program=True).queue
        subject = self._subject(reported)
        ident = None
        if (same := _same(subject)) is not None:
            own = select(case.c.id).join(case_subject, case_subject.c.case == case.c.id).where(same, case.c.machine)
            ident = (await connection.execute(own.where(case.c.state == OPEN).limit(1))).scalar()
        if ident is None:
            ident = await self._opened(connection, reported, subject, queue)
        else:
            await self._raised(connection, ident, reported, queue)
        step, now = self._step(reported.reason), int(self._clock())
        if step is not None:
            rule = DETECTIONS[reported.reason].rule
            await automatic_bans.act(connection, self._pseudonyms, ident, step, rule, reported.at, now)
        return ident, None

    def _step(self, detection: str) -> Step | None:
        """Return the action that follows a detection at once, or None."""
        step = reason(detection, program=True).step
        return replace(step, seconds=self._pause) if step is not None and detection == REPEAT else step

    async def _add_text(
        self, connection: AsyncConnection, ident: bytes, reported: Reported, placed: Placed, until: int | None
    ) -> None:
        excerpt = None if reported.said is None else pack_excerpt(excerpt_of(reported.said))
        await connection.execute(
            insert(evidence).values(
                id=secrets.token_bytes(16), case=ident, side=reported.side, kind="text", object=placed.name,
                object_key=placed.key, made=reported.at, until=until, subject=None,
                excerpt=None if excerpt is None else self._pseudonyms.seal_text(DOMAIN, excerpt),
            )
        )  # fmt: skip

    def _subject(self, reported: Reported) -> dict[str, object]:
        """Return the values of a case's subject. Their address was in use when the chat began."""
        person = reported.subject
        began = reported.at if reported.said is None else reported.said.began
        place = SourceEndpoint.of(person.address)._replace(at=began)
        try:
            who, address, network = self._pseudonyms.safety(person.identity, place.text if place.address else "")
        except ValueError:  # not an IP address: a Unix socket's peer
            who, address, network = self._pseudonyms.safety(person.identity, "")
        country = self._country(place.address) if address is not None else None
        return {"identity": who, "address": address, "network": network, "country": country}

    async def _queue(self, connection: AsyncConnection, who: bytes | None, reported: Reported) -> str:
        """Return the queue of a report: low beyond A_DAY reports of one reporter in a day."""
        if who is not None:
            since = and_(report.c.identity == who, report.c.at > reported.at - DAY)
            if (await connection.execute(select(func.count()).select_from(report).where(since))).scalar_one() >= A_DAY:
                return LOW
        return reason(reported.reason).queue

    async def _joined(
        self, connection: AsyncConnection, who: bytes | None, subject: dict[str, object], at: int
    ) -> bytes | None:
        """Return the case that a report joins, or None."""
        if (same := _same(subject)) is None:
            return None
        found = select(case.c.id).join(case_subject, case_subject.c.case == case.c.id).where(same)
        newest = found.order_by(case.c.opened.desc()).limit(1)
        joined = (await connection.execute(newest.where(case.c.state == OPEN))).scalar()
        if joined is None and who is not None:
            pair = select(report.c.case).where(report.c.identity == who, report.c.at > at - DAY)
            joined = (await connection.execute(newest.where(case.c.id.in_(pair)))).scalar()
        return joined

    async def _opened(
        self, connection: AsyncConnection, reported: Reported, subject: dict[str, object], queue: str
    ) -> bytes:
        ident, priority = secrets.token_bytes(16), priority_of(reported)
        await connection.execute(
            insert(case).values(
                id=ident, queue=queue, state="open", mode=reported.mode, opened=reported.at, reasons=reported.reason,
                priority=priority, due=due(reported.at, priority), claimed_by=None,
                claimed_until=None, decided_by=None, measure=None, rule=None, machine=reported.program,
                closed=None, child=None,
            )
        )  # fmt: skip
        await connection.execute(insert(case_subject).values(case=ident, closed=None, **subject))
        return ident

    async def _raised(
        self, connection: AsyncConnection, ident: bytes, reported: Reported, queue: str
    ) -> tuple[str | None, int | None]:
        """Add a report to a case. Return (outcome, closed) of a decided one, else (None, None). An open case keeps its highest queue and priority."""
        now = (await connection.execute(select(case).where(case.c.id == ident))).one()
        if now.closed is not None:
            first = select(report.c.outcome).where(report.c.case == ident).limit(1)
            return (await connection.execute(first)).scalar(), reported.at
        priority = max(now.priority, priority_of(reported))
        reasons = join_reasons({*now.reasons.split(","), reported.reason}, REASONS_MOST)
        await connection.execute(
            update(case)
            .where(case.c.id == ident)
            .values(
                queue=max(now.queue, queue, key=QUEUES.index),
                reasons=reasons,
                priority=priority,
                due=due(now.opened, priority),
            )
        )
        return None, None


def priority_of(reported: Reported) -> int:
    """Return the points of a report or a detection by itself."""
    row, rules = reason(reported.reason, program=reported.program), reported.rules
    if reported.program:
        return row.points
    points = max(row.points, MONEY_POINTS) if row.money and "money" in rules else row.points
    return points + (DETECTED_POINTS if rules & row.agrees else 0)


def _listed(pictures: Iterable[Picture], side: int) -> bool:
    """Whether a picture of this side's camera matches an entry of a hash list."""
    return any(one.listed and one.side == side for one in pictures)


def _same(subject: dict[str, object]) -> ColumnElement[bool] | None:
    """Return the condition for cases about the same user; None if neither identity nor network is known."""
    identity, network = subject["identity"], subject["network"]
    if identity is not None:
        return case_subject.c.identity == identity
    if network is not None:
        return and_(case_subject.c.identity.is_(None), case_subject.c.network == network)
    return None


def due(opened: int, priority: int) -> int:
    """Return the sort key of a queue, smallest first: points grow by one in POINT seconds, for all cases alike."""
    return opened - POINT * priority
