"""Whether somebody asked to have a row deleted, as SQL. Rule: every query that shows something carries it, and nothing else decides.

It holds from the commit of the request on, for rows that are still on their way too, and until a cancellation takes it back.
What a hold keeps stays hidden by it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from server.data.schema.chat_schema import log, log_party
from server.data.schema.deletion_schema import erased
from server.data.schema.moderation_schema import OPEN, appeal, ban, case

# Made once: to list the columns of an alias costs as much as a query.
_PEOPLE, _CASES, _BANS, _APPEALS = (
    log_party.alias("people"),
    case.alias("one"),
    ban.alias("bans"),
    appeal.alias("appeals"),
)


def erased_row(value: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
    """A row of the person stored as `value`, from the time `at`."""
    return exists(select(erased.c.value).where(erased.c.value == value, at <= erased.c.before))


def shown_log() -> ColumnElement[bool]:
    """A saved log that nobody took away and neither of its people asked to have deleted."""
    theirs = select(_PEOPLE.c.log).where(_PEOPLE.c.log == log.c.id, erased_row(_PEOPLE.c.identity, log.c.saved))
    return and_(log.c.hidden.is_(None), not_(exists(theirs)))


def exempt_case(now: int, ident: ColumnElement[Any]) -> ColumnElement[bool]:
    """What belongs to a case that is open, or behind which a ban runs or an appeal waits: no deletion takes it. `ident`: the case's id."""
    return or_(
        exists(select(_CASES.c.id).where(_CASES.c.id == ident, _CASES.c.state == OPEN)),
        exists(select(_BANS.c.id).where(_BANS.c.case == ident, _BANS.c.lifted.is_(None), _BANS.c.until > now)),
        exists(select(_APPEALS.c.id).where(_APPEALS.c.case == ident, _APPEALS.c.state == "open")),
    )


def shown_case(
    now: int, value: ColumnElement[Any], at: ColumnElement[Any], ident: ColumnElement[Any]
) -> ColumnElement[bool]:
    """A row of moderation, of the person stored as `value`, from the time `at`: not erased, or exempt. `ident`: its case's id."""
    return or_(not_(erased_row(value, at)), exempt_case(now, ident))
