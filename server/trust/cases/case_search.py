"""Search cases by their digits, a report's receipt or a day, and list a moderator's own work.

**Invariant:** each search is in the audit log before its result is returned, by its kind: a receipt's secret is never written. The caller leaves out
the cases of queues that the moderator may not open.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select

from server.data.schema.hidden_row_conditions import shown_case
from server.data.schema.moderation_schema import OPEN, case, case_subject, report
from server.ops.config.moderation_policy import DAY
from server.ops.security.report_receipt_url import secret
from server.trust.cases.case_base import NAME, CaseBase
from server.trust.cases.report_cases import RECEIPT
from server.trust.sanctions.sanction_scale import Refused

FOUND_MOST = 100  # cases of one answer
OWN_DAYS = 30  # days of a moderator's own decisions that are listed
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case in a list of results. `state`: open, decided, upheld, reversed, aged or lifted; `closed`: Unix seconds, or None."""

    id: str
    queue: str
    state: str
    mode: str
    opened: int
    reasons: tuple[str, ...]
    closed: int | None
    decided_by: str
    measure: str
    rule: str
    passed_to: str


class CaseSearch(CaseBase):
    """Searches of one store."""

    async def search(self, words: str, operator: str) -> Sequence[FoundCase]:
        """Return the cases for a day (`2026-11-30`, UTC), a report's receipt (its address or its last part) or the digits of a case.

        Raises Refused, StoreAway.
        """
        text = words.strip()
        if (day := day_of(text)) is not None:
            within = or_(*(and_(column >= day, column < day + DAY) for column in (case.c.opened, case.c.closed)))
            return await self._found("day", text, operator, within)
        receipt = text.rstrip("/").rpartition("/")[2]
        if (bits := secret(receipt)) is not None:
            hashed = self._pseudonyms.secret_hash(RECEIPT, bits)
            theirs = select(report.c.case).where(report.c.receipt == hashed)
            found = await self._found("receipt", "", operator, case.c.id.in_(theirs))
            if found:
                return found
        ident = await self._ident(text.lstrip("#"))
        return await self._found("case", ident.hex(), operator, case.c.id == ident)

    async def own_decisions(self, operator: str) -> Sequence[FoundCase]:
        """Return the cases that this moderator decided in the last OWN_DAYS, newest first. Raises StoreAway."""
        mine = and_(case.c.decided_by == operator[:NAME], case.c.closed > self.now - OWN_DAYS * DAY)
        return await self._found("own", operator, operator, mine)

    async def passed_on(self, operator: str, roles: Set[str]) -> Sequence[FoundCase]:
        """Return the open cases that are reserved for this moderator or one of their roles. Raises StoreAway."""
        return await self._found("passed", operator, operator, _reserved(operator, roles))

    async def passed_count(self, operator: str, roles: Set[str]) -> int:
        """Return the number of cases of `passed_on`, without a line of the audit log: it shows no case. Raises StoreAway."""
        wanted = select(func.count()).where(_reserved(operator, roles))
        async with self._database.read() as connection:
            return int((await connection.execute(wanted)).scalar_one())

    async def _found(self, kind: str, words: str, operator: str, within: ColumnElement[bool]) -> Sequence[FoundCase]:
        await self._log("safety search", operator, "work in the console", f"{kind} {words}".strip())
        wanted = (
            select(case)
            .join(case_subject, case_subject.c.case == case.c.id)
            .where(within, shown_case(self.now, case_subject.c.identity, case.c.opened, case.c.id))
            .order_by(case.c.closed.is_not(None), case.c.closed.desc(), case.c.opened.desc(), case.c.id)
            .limit(FOUND_MOST)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            FoundCase(
                row.id.hex(), row.queue, row.state, row.mode, row.opened, tuple(row.reasons.split(",")), row.closed,
                row.decided_by or "", row.measure or "", row.rule or "", row.passed_to or "",
            )
            for row in rows
        ]  # fmt: skip


def _reserved(operator: str, roles: Set[str]) -> ColumnElement[bool]:
    return and_(case.c.state == OPEN, case.c.passed_to.in_((operator, *(f"@{role}" for role in roles))))


def day_of(text: str) -> int | None:
    """Return the Unix time at which a day begins (UTC), None if the text is not one. Raises Refused for a day that no calendar has."""
    if (found := _DAY.fullmatch(text)) is None:
        return None
    try:
        return calendar.timegm(time.strptime(found[0], "%Y-%m-%d"))
    except ValueError:
        raise Refused("refused.day") from None
