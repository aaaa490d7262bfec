"""Ends what no person has answered: a notice closes and says so, and the words of a request leave. Invariant: each has an end, by the clock alone.

A request that is answered loses its words at once (server.trust.data_requests.request_log); what nobody answers loses them here. The request itself
stays, open
and overdue, until it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Select, Table, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.schema.data_request_schema import request, request_contact, request_text
from server.data.schema.transparency_schema import law_notice

DAY: Final = 86_400  # seconds
NOTICE_DAYS: Final = 30  # that a notice may wait for a person, as a case may
CHILD_NOTICE_DAYS: Final = 90  # the same of one that is about a child
WORDS_DAYS: Final = 90  # from the receipt of a request: the latest answer that the law allows (GDPR Art. 12(3))
OPEN: Final = "open"
AGED: Final = "aged"
CHILD: Final = "child"


async def age_notices(connection: AsyncConnection, now: int, most: int) -> int:
    """Within a transaction under the guard: close the notices that nobody decided in time, `most` at a time; how many."""
    late = or_(
        law_notice.c.at < now - CHILD_NOTICE_DAYS * DAY,
        (law_notice.c.kind != CHILD) & (law_notice.c.at < now - NOTICE_DAYS * DAY),
    )
    old = select(law_notice.c.id).where(law_notice.c.state == OPEN, late).limit(most)
    aged = (await connection.execute(old)).scalars().all()
    if aged:
        await connection.execute(update(law_notice).where(law_notice.c.id.in_(aged)).values(state=AGED, closed=now))
    return len(aged)


async def forget_words(connection: AsyncConnection, now: int, most: int) -> int:
    """Within a transaction under the guard: take what was written in requests that are over or too old, `most` rows a table; how many."""
    over = or_(request.c.closed.is_not(None), request.c.received <= now - WORDS_DAYS * DAY)
    gone = 0
    for table in (request_text, request_contact):
        old = select(table.c.request).join(request, request.c.number == table.c.request).where(over).limit(most)
        gone += (await connection.execute(delete(table).where(table.c.request.in_(old)))).rowcount
    return gone


def oldest(now: int) -> Iterator[tuple[str, Select[int | None], int]]:
    """For the proof of a purge: a place, the query of the oldest thing that waits there, and the time before which there may be none."""
    waiting = select(func.min(law_notice.c.at)).where(law_notice.c.state == OPEN)
    yield "law_notice.at", waiting.where(law_notice.c.kind != CHILD), now - NOTICE_DAYS * DAY
    yield "law_notice.at (child)", waiting.where(law_notice.c.kind == CHILD), now - CHILD_NOTICE_DAYS * DAY
    for table in (request_text, request_contact):
        yield f"{table.name}.request", _received(table), now - WORDS_DAYS * DAY


def _received(table: Table) -> Select[int | None]:
    return select(func.min(request.c.received)).join(table, table.c.request == request.c.number)
