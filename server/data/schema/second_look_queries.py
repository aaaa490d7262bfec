"""Which decided cases wait for a second look, and what came of those, as SQL. Rule: nothing else waits for one, and one that nobody takes
is over by itself.

    decided, drawn ─ UNDO seconds ─▷ waits ─┬─ another operator says what they would have decided ─▷ agreed, differed
                                            └─ WITHIN seconds are over ─▷ missed

A case that was appealed, or whose decision was taken back, is looked at by another operator anyhow: it does not wait, and is not missed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, literal, select
from sqlalchemy import case as when

from server.data.schema.moderation_schema import appeal, case

WITHIN = 3 * 86_400  # seconds: as long as the text of any decided case is kept
AGREED, DIFFERED, MISSED = "agreed", "differed", "missed"
# nobody looked at it anyhow
ALONE = and_(case.c.state == "decided", case.c.id.not_in(select(appeal.c.case)))


def results(begin: int, end: int) -> Select[Any]:
    """What came of those that ended in that time: a row each, of one column."""
    same = and_(
        case.c.second_measure == case.c.measure, func.coalesce(case.c.second_rule, "") == func.coalesce(case.c.rule, "")
    )
    looked = select(when((same, AGREED), else_=DIFFERED).label("result")).where(
        case.c.second_at >= begin, case.c.second_at < end
    )
    missed = select(literal(MISSED).label("result")).where(
        case.c.second_asked >= begin - WITHIN, case.c.second_asked < end - WITHIN, case.c.second_at.is_(None), ALONE
    )
    both = looked.union_all(missed).subquery()
    return select(both.c.result)
