"""Draw one decided case in ONE_IN at random for a second review by another moderator, who does not see the first decision.

**Invariant:** a second review changes no decision and delays none; only the share of equal decisions is counted and published.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention.stale_cases import UNDO
from server.data.schema.hidden_row_conditions import shown_case
from server.data.schema.moderation_schema import case, case_subject
from server.data.schema.second_look_queries import AGREED, ALONE, DIFFERED, WITHIN
from server.ops.config.moderation_policy import MINUTE
from server.trust.cases.case_base import NAME, CaseBase, Found
from server.trust.sanctions.sanction_scale import Decision, Refused

ONE_IN = 20
SHOWN = 100  # cases that are listed at once, soonest to expire first


def drawn() -> bool:
    """Return at random whether a case decided now gets a second review; the deciding moderator cannot know."""
    return secrets.randbelow(ONE_IN) == 0


def waits(now: int, operator: str) -> ColumnElement[bool]:
    """Return the condition for cases that this moderator may review: another one decided, and can no longer undo it."""
    return and_(
        case.c.second_asked < now - UNDO, case.c.second_asked > now - WITHIN, case.c.second_at.is_(None),
        case.c.decided_by != operator, ALONE,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A case open for a second review. `until`: Unix seconds at which it expires."""

    id: str
    queue: str
    mode: str
    reasons: tuple[str, ...]
    until: int


@dataclass(frozen=True, slots=True)
class SecondReview:
    """A second moderator's answer. `agreed`: the same measure by the same rule, whatever its length."""

    at: int
    by: str
    measure: str
    rule: str
    agreed: bool


class SecondReviews(CaseBase):
    """Second reviews of cases by another moderator than the one who decided.

    Until the second moderator has answered, the case is shown as before the decision: without the measure, its step of a ladder, and its effect on
    the reporters' records. Decisions of two moderators are not drawn: the second one saw the first one's request.
    """

    drawn = staticmethod(drawn)

    async def open_second_reviews(self, operator: str) -> Sequence[OpenReview]:
        """Return the cases that this moderator may review, of all queues. Raises StoreAway."""
        wanted = (
            select(case.c.id, case.c.queue, case.c.mode, case.c.reasons, case.c.second_asked)
            .join(case_subject, case_subject.c.case == case.c.id)
            .where(
                waits(self.now, operator[:NAME]),
                shown_case(self.now, case_subject.c.identity, case.c.opened, case.c.id),
            )
            .order_by(case.c.second_asked, case.c.id)
            .limit(SHOWN)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            OpenReview(row.id.hex(), row.queue, row.mode, tuple(row.reasons.split(",")), row.second_asked + WITHIN)
            for row in rows
        ]

    async def answer_second_review(self, text: str, operator: str, why: str, measure: str, rule: str = "") -> bool:
        """Record this moderator's answer. Return whether it equals the decision. Raises Refused, StoreAway."""
        ident, now = await self._ident(text), self.now
        Decision(measure, rule, 15 * MINUTE if measure == "pause" else None).checked()
        await self._note("safety second", operator, why, ident, f"asked: {measure} {rule}".strip())
        said = update(case).where(case.c.id == ident, waits(now, operator[:NAME]))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            done = await connection.execute(
                said.values(second_by=operator[:NAME], second_measure=measure, second_rule=rule or None, second_at=now)
            )
            if not done.rowcount:
                raise Refused("refused.second")
            found = second(await self._row(connection, ident))
        agreed = found is not None and found.agreed
        await self._note("safety second", operator, why, ident, AGREED if agreed else DIFFERED)
        return agreed

    async def _again(self, connection: AsyncConnection, ident: bytes, operator: str) -> bool:
        """Whether this moderator reads a case for a second review."""
        mine = select(func.count()).where(case.c.id == ident, waits(self.now, operator[:NAME]))
        return bool((await connection.execute(mine)).scalar_one())


def second(row: Found) -> SecondReview | None:
    """Return the second review in a case's row, or None."""
    if row.second_at is None:
        return None
    measure, rule = row.second_measure or "", row.second_rule or ""
    same = (measure, rule) == (row.measure or "", row.rule or "")
    return SecondReview(row.second_at, row.second_by or "", measure, rule, same)
