"""List open cases in the order in which moderators should review them.

**Invariant:** apparent child abuse material comes first, then the cases with the most points (for the kind of report, the reporters' earlier
reports, and age). Points only order cases; no case is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.schema.moderation_schema import OPEN, appeal, case, report
from server.data.schema.transparency_schema import law_notice
from server.ops.config.moderation_policy import (
    APPEALS,
    CROWD_MOST,
    CROWD_POINTS,
    DAY,
    NOTICES,
    QUEUES,
    UNPROVEN_MOST,
    URGENT,
)
from server.trust.cases.case_base import CaseBase
from server.trust.cases.report_cases import POINT

LOOKED = 200  # cases of a queue that are weighed; order is exact unless 200 cases are within 45 points (7.5 hours) of the first
SHOWN = 100  # cases of a queue that are listed at once
CROWD = 5  # least reports of a case with a `Crowd`
FRESH = 90 * DAY  # seconds of a reporter's own past that their weight counts
# columns that a list shows and is ordered by
SEEN: tuple[Any, ...] = (
    case.c.id, case.c.queue, case.c.state, case.c.mode, case.c.opened, case.c.reasons, case.c.due, case.c.claimed_by,
    case.c.claimed_until, case.c.child, case.c.passed_to,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crowd:
    """Number of reports, the seconds in which they came, and how many reporters had no report decided before."""

    reports: int
    seconds: int
    unproven: int


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case in its queue. `weight`: of its reporters together; `points`: its order; `claimed_by`: the moderator who has it now; `passed_to`: the
    moderator, or @role, that it is reserved for; `crowd`: for many reports, how they came.
    """

    id: str
    queue: str
    state: str
    mode: str
    opened: int
    reasons: tuple[str, ...]
    reports: int
    weight: float
    points: float
    claimed_by: str
    passed_to: str = ""
    crowd: Crowd | None = None

    def is_for(self, name: str, roles: Set[str]) -> bool:
        """Whether a case that was passed on is reserved for this moderator."""
        return self.passed_to == name or self.passed_to[1:] in roles


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case that was opened a moment ago. `opened`: Unix seconds."""

    id: str
    queue: str
    mode: str
    opened: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenedCases:
    """Cases that were opened of late. `newest`: oldest first; `count`, `recent`: numbers of cases since two Unix times."""

    newest: Sequence[NewCase]
    count: int
    recent: int


@dataclass(frozen=True, slots=True)
class QueueSize:
    """Size of a queue. `oldest`: Unix seconds, 0 if it is empty."""

    queue: str
    open: int
    oldest: int


@dataclass(frozen=True, slots=True)
class ReporterRecord:
    """Outcomes of a reporter's own reports of the last 90 days: `right` of `of` led to a measure. `known`: they have a cookie; `at`: Unix seconds of
    the report.
    """

    right: int = 0
    of: int = 0
    known: bool = True
    at: int = 0

    @property
    def proven(self) -> bool:
        """Whether at least one of the reporter's reports was decided."""
        return self.known and self.of > 0

    @property
    def weight(self) -> float:
        """The reporter's weight, 0.2 to 1.5; 0.5 without a cookie."""
        return min(1.5, max(0.2, (self.right + 1) / (self.of + 2) * 2)) if self.known else 0.5


class Queues(CaseBase):
    """Open cases in order.

    Points = priority + 15 × (weight − 1), clipped to 0..45, + one for each ten minutes of age. Reporters without a decided report weigh
    UNPROVEN_MOST together.

    Age adds the same to all cases, so the store keeps `due`, which age does not change. The reporters' weight is not stored; it is added here, to
    the LOOKED cases that come first without it.
    """

    async def cases(self, queue: str = "", most: int = SHOWN) -> Sequence[ListedCase]:
        """Return the first `most` open cases of a queue, or of each queue, gravest first. Raises StoreAway."""
        found: list[ListedCase] = []
        async with self._database.read() as connection:
            for name in (queue,) if queue else reversed(QUEUES):
                first = (case.c.state == OPEN, case.c.queue == name)
                order = (case.c.child.is_(None), case.c.due) if name == URGENT else (case.c.due,)
                rows = (await connection.execute(select(*SEEN).where(*first).order_by(*order).limit(LOOKED))).all()
                theirs = select(case.c.id).where(*first).order_by(*order).limit(LOOKED)
                records = await self._records(connection, theirs)
                weighed = [(self._weighed(row, records.get(row.id, [])), row) for row in rows]
                weighed.sort(key=lambda one: (one[1].child is None, -one[0][1], one[1].opened, one[1].id))
                found += [self._line(row, records.get(row.id, []), weight) for weight, row in weighed[:most]]
        return found

    async def count_opened(self, since: int) -> int:
        """Return the number of cases that were opened since a Unix time, decided ones too. Raises StoreAway."""
        async with self._database.read() as connection:
            return int((await connection.execute(_opened_since(since))).scalar_one())

    async def opened_since(self, since: int, most: int, count_from: int, recent_from: int) -> OpenedCases:
        """Return the cases that were opened since a Unix time, decided ones too: the newest `most` of them; and as of the same moment the numbers of
        those opened since `count_from` and since `recent_from`. Raises StoreAway.
        """
        wanted = (
            select(case.c.id, case.c.queue, case.c.mode, case.c.opened, case.c.reasons)
            .where(case.c.opened > since)
            .order_by(case.c.opened.desc(), case.c.id.desc())
            .limit(most)
        )
        async with self._database.snapshot() as connection:
            rows = (await connection.execute(wanted)).all()
            count = (await connection.execute(_opened_since(count_from))).scalar_one()
            recent = (await connection.execute(_opened_since(recent_from))).scalar_one()
        found = [
            NewCase(row.id.hex(), row.queue, row.mode, row.opened, tuple(row.reasons.split(","))) for row in rows[::-1]
        ]
        return OpenedCases(found, count, recent)

    async def counts(self) -> dict[str, QueueSize]:
        """Return each queue's size by its name, empty ones too. Raises StoreAway."""
        wanted = (
            select(case.c.queue, func.count().label("n"), func.min(case.c.opened).label("oldest"))
            .where(case.c.state == OPEN)
            .group_by(case.c.queue)
        )
        async with self._database.read() as connection:
            rows = {
                row.queue: QueueSize(row.queue, row.n, row.oldest) for row in (await connection.execute(wanted)).all()
            }
        return {name: rows.get(name, QueueSize(name, 0, 0)) for name in reversed(QUEUES)}

    async def sizes(self) -> dict[str, QueueSize]:
        """Return the size of each queue, and of the lists of appeals and of notices from the public, by name. Raises StoreAway."""
        found = await self.counts()
        async with self._database.read() as connection:
            for name, waiting in ((APPEALS, appeal), (NOTICES, law_notice)):
                wanted = select(func.count(), func.min(waiting.c.at)).where(waiting.c.state == OPEN)
                many, oldest = (await connection.execute(wanted)).one()
                found[name] = QueueSize(name, many, oldest or 0)
        return found

    def _weighed(self, row: Row[Any], records: list[ReporterRecord]) -> tuple[float, float]:
        """Return (weight of a case's reporters together, points)."""
        weight = sum(record.weight for record in records if record.proven)
        weight += min(UNPROVEN_MOST, sum(record.weight for record in records if not record.proven))
        points = (self._clock() - row.due) / POINT + max(0.0, min(CROWD_MOST, CROWD_POINTS * (weight - 1)))
        return round(weight, 2), round(points, 1)

    def _listed(self, row: Row[Any], records: list[ReporterRecord]) -> ListedCase:
        return self._line(row, records, self._weighed(row, records))

    def _line(self, row: Row[Any], records: list[ReporterRecord], weighed: tuple[float, float]) -> ListedCase:
        claimed = row.claimed_by if row.claimed_until and row.claimed_until > self._clock() else ""
        return ListedCase(
            row.id.hex(), row.queue, row.state, row.mode, row.opened, tuple(row.reasons.split(",")), len(records),
            *weighed, claimed or "", row.passed_to or "", _crowd(records),
        )  # fmt: skip

    async def _records(
        self, connection: AsyncConnection, cases: Select[tuple[bytes]]
    ) -> dict[bytes, list[ReporterRecord]]:
        """Return, by case, the record of each report's reporter, in the order of the reports. `cases`: a query of case ids."""
        decided = report.alias("decided")
        theirs = and_(
            decided.c.identity == report.c.identity,
            decided.c.case != report.c.case,
            decided.c.closed > self.now - FRESH,
            decided.c.outcome.in_(("acted", "none")),
        )
        acted = func.count(decided.c.id).filter(decided.c.outcome == "acted")
        wanted = (
            select(report.c.case, report.c.identity.is_not(None), acted, func.count(decided.c.id), report.c.at)
            .outerjoin(decided, theirs)
            .where(report.c.case.in_(cases))
            .group_by(report.c.id)
            .order_by(report.c.at, report.c.id)
        )
        found: dict[bytes, list[ReporterRecord]] = {}
        for ident, known, right, of, at in (await connection.execute(wanted)).all():
            found.setdefault(ident, []).append(ReporterRecord(right, of, known, at))
        return found


def _opened_since(since: int) -> Select[Any]:
    """Count the cases that were opened since a Unix time: its index alone is read."""
    return select(func.count()).where(case.c.opened > since)


def _crowd(records: Sequence[ReporterRecord]) -> Crowd | None:
    """Return how a case's reports, in order of time, came; None if they are few."""
    if len(records) < CROWD:
        return None
    return Crowd(len(records), records[-1].at - records[0].at, sum(not one.proven for one in records))
