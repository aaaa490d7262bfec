"""Build the SQL conditions that hide rows whose deletion was requested, from the commit of the request until its cancellation.

**Invariant:** every query of such rows uses these conditions. Rows that are written later, or that a legal hold preserves, are hidden too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from server.data.schema.deletion_schema import erased
from server.data.schema.moderation_schema import OPEN, appeal, ban, case
from server.data.schema.record_schema import log, log_party

# Created once: building an alias costs as much as a query.
_PEOPLE, _CASES, _BANS, _APPEALS = (
    log_party.alias("people"),
    case.alias("one"),
    ban.alias("bans"),
    appeal.alias("appeals"),
)


def erased_row(value: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match rows of the person stored as `value`, dated `at`, that are hidden."""
    return exists(select(erased.c.value).where(erased.c.value == value, at <= erased.c.before))


def shown_log() -> ColumnElement[bool]:
    """Match saved logs that are not hidden, and that neither participant asked to have deleted."""
    theirs = select(_PEOPLE.c.log).where(_PEOPLE.c.log == log.c.id, erased_row(_PEOPLE.c.identity, log.c.saved))
    return and_(log.c.hidden.is_(None), not_(exists(theirs)))


def exempt_case(now: int, ident: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match rows of cases that no deletion removes: open, with a running ban, or with an open appeal. `ident`: the case's id."""
    return or_(
        exists(select(_CASES.c.id).where(_CASES.c.id == ident, _CASES.c.state == OPEN)),
        exists(select(_BANS.c.id).where(_BANS.c.case == ident, _BANS.c.lifted.is_(None), _BANS.c.until > now)),
        exists(select(_APPEALS.c.id).where(_APPEALS.c.case == ident, _APPEALS.c.state == "open")),
    )


def shown_case(
    now: int, value: ColumnElement[Any], at: ColumnElement[Any], ident: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Match visible rows of moderation, of the person stored as `value`, dated `at`: not erased, or exempt. `ident`: the case's id."""
    return or_(not_(erased_row(value, at)), exempt_case(now, ident))
