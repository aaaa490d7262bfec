"""Build the SQL conditions that select rows under a legal hold.

**Invariant:** a deletion contains the condition in its own statement, never in an earlier query.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Table, and_, exists, or_, select, union

from server.data.schema.moderation_schema import ban, case_subject, report
from server.data.schema.record_schema import hold, hold_match, log, log_party, party


def matched(now: int, *columns: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Match if an active hold names one of these columns' values."""
    active = and_(hold.c.id == hold_match.c.hold, hold.c.released.is_(None), hold.c.until > now)
    return or_(*(exists(select(hold_match.c.hold).where(active, hold_match.c.value == column)) for column in columns))


def held_party(now: int, table: Table = party) -> ColumnElement[bool]:
    """Match participants' rows that are held by identity or address."""
    return matched(now, table.c.identity, table.c.address_mac)


def held_chat(now: int, table: Table, people: Table = party) -> ColumnElement[bool]:
    """Match chats of which a participant's row is held."""
    return exists(select(people.c.chat).where(people.c.chat == table.c.id, held_party(now, people)))


def held_people(now: int, table: Table, within: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Select the held rows among many, each once; starts from the holds, which are few, by index."""
    active = and_(hold.c.id == hold_match.c.hold, hold.c.released.is_(None), hold.c.until > now)
    return union(
        *(
            select(table).where(active, hold_match.c.value == column, within)
            for column in (table.c.identity, table.c.address_mac)
        )
    )


def held_log(now: int) -> ColumnElement[bool]:
    """Match saved logs that are held themselves or by a participant."""
    people = select(log_party.c.log).where(
        log_party.c.log == log.c.id, matched(now, log_party.c.identity, log_party.c.address_mac)
    )
    return or_(matched(now, log.c.id), exists(people))


def held_case(now: int, ident: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Match rows of a case in which the reported person, a reporter or a banned person is held. `ident`: the column with the case's id."""
    subject, reporter, barred = (
        case_subject.alias(),
        report.alias(),
        ban.alias(),
    )  # aliases, since the enclosing statement may be about one of these tables
    return or_(
        exists(
            select(subject.c.case).where(subject.c.case == ident, matched(now, subject.c.identity, subject.c.network))
        ),
        exists(select(reporter.c.case).where(reporter.c.case == ident, matched(now, reporter.c.identity))),
        exists(select(barred.c.case).where(barred.c.case == ident, matched(now, barred.c.mac))),
    )
