"""Select the decided cases that wait for a review by a second operator, and the results of past reviews.

    decided, drawn ─ UNDO seconds ─▷ waits ─┬─ another operator gives their own decision ─▷ agreed, differed
                                            └─ WITHIN seconds pass ─▷ missed

**Invariant:** every review ends, at the latest as missed after WITHIN seconds. A case that was appealed or whose decision was undone is not
selected, since another operator decides it anyway.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, literal, select
from sqlalchemy import case as when

from server.data.schema.moderation_schema import appeal, case

WITHIN = 3 * 86_400  # seconds: as long as the text of any decided case is kept
AGREED, DIFFERED, MISSED = "agreed", "differed", "missed"
# not reviewed by another operator anyway
ALONE = and_(case.c.state == "decided", case.c.id.not_in(select(appeal.c.case)))


def results(begin: int, end: int) -> Select[Any]:
    """Select the result of each review that ended in this time, as rows of one column."""
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
