"""Compute the figures of moderation for the console: each queue by day, decisions by moderator, and the agreement of second reviews.

**Invariant:** figures are counted from the rows of cases when the page is read; they name no user, and example cases have no rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from server.data.schema.moderation_schema import case
from server.ops.config.moderation_policy import DAY, QUEUES
from server.trust.cases.case_base import CaseBase

TREND_DAYS = 14
AGREEMENT_DAYS = 90


@dataclass(frozen=True, slots=True)
class QueueTrend:
    """A queue by day, oldest first, TREND_DAYS of them. `opened`, `closed`: cases of each day; `waiting`: open cases at the end of each day."""

    queue: str
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    waiting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Decisions of a moderator in AGREEMENT_DAYS, and of them those with a second review and those whose second review agreed."""

    name: str
    decided: int
    reviewed: int
    agreed: int


class CaseFigures(CaseBase):
    """Figures of one store."""

    async def trends(self) -> Sequence[QueueTrend]:
        """Return each queue's trend, gravest queue first. Days are UTC; the last one is today. Raises StoreAway."""
        first = self.now // DAY - TREND_DAYS + 1
        counts: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        async with self._database.read() as connection:
            for name, column in (("opened", case.c.opened), ("closed", case.c.closed)):
                day = column // DAY
                wanted = (
                    select(case.c.queue, day, func.count()).where(column >= first * DAY).group_by(case.c.queue, day)
                )
                for queue, at, many in (await connection.execute(wanted)).all():
                    counts[queue, name][int(at) - first] = many
            still = select(case.c.queue, func.count()).where(case.c.closed.is_(None)).group_by(case.c.queue)
            open_now = {row[0]: row[1] for row in (await connection.execute(still)).all()}
        return [_trend(queue, counts, open_now.get(queue, 0)) for queue in reversed(QUEUES)]

    async def agreement(self) -> Sequence[Agreement]:
        """Return each moderator's decisions and agreement, by name. Raises StoreAway."""
        reviewed = case.c.second_at.is_not(None)
        same = and_(
            reviewed,
            case.c.second_measure == case.c.measure,
            func.coalesce(case.c.second_rule, "") == func.coalesce(case.c.rule, ""),
        )
        wanted = (
            select(
                case.c.decided_by,
                func.count(),
                func.count().filter(reviewed),
                func.count().filter(same),
            )
            .where(case.c.decided_by.is_not(None), case.c.closed > self.now - AGREEMENT_DAYS * DAY)
            .group_by(case.c.decided_by)
            .order_by(case.c.decided_by)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [Agreement(*row) for row in rows]


def _trend(queue: str, counts: dict[tuple[str, str], dict[int, int]], waiting: int) -> QueueTrend:
    opened, closed = (
        tuple(counts[queue, name].get(day, 0) for day in range(TREND_DAYS)) for name in ("opened", "closed")
    )
    waited = [waiting]
    for came, left in zip(reversed(opened[1:]), reversed(closed[1:]), strict=True):
        waited.append(max(0, waited[-1] - came + left))
    return QueueTrend(queue, opened, closed, tuple(reversed(waited)))
