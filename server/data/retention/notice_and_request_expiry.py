"""Close unanswered notices of illegal content, and delete the texts of old data requests, as steps of the purge.

**Invariant:** only the time decides. An unanswered data request loses its text, but stays open and overdue until it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Select, Table, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.schema.data_request_schema import request, request_contact, request_text
from server.data.schema.transparency_schema import law_notice

DAY: Final = 86_400  # seconds
NOTICE_DAYS: Final = 60  # that a notice may wait for a moderator
WORDS_DAYS: Final = 90  # from the receipt of a request: the latest answer that the law allows (GDPR Art. 12(3))
OPEN: Final = "open"
AGED: Final = "aged"


async def close_aged_notices(connection: AsyncConnection, now: int, most: int) -> int:
    """Close the notices that were not decided in time, `most` at a time; return their number. Call within a transaction under the guard."""
    late = law_notice.c.at < now - NOTICE_DAYS * DAY
    old = select(law_notice.c.id).where(law_notice.c.state == OPEN, late).limit(most)
    aged = (await connection.execute(old)).scalars().all()
    if aged:
        await connection.execute(update(law_notice).where(law_notice.c.id.in_(aged)).values(state=AGED, closed=now))
    return len(aged)


async def delete_words(connection: AsyncConnection, now: int, most: int) -> int:
    """Delete the words of requests that are closed or too old, `most` rows per table; return their number.

    Call within a transaction under the guard.
    """
    over = or_(request.c.closed.is_not(None), request.c.received <= now - WORDS_DAYS * DAY)
    gone = 0
    for table in (request_text, request_contact):
        old = select(table.c.request).join(request, request.c.number == table.c.request).where(over).limit(most)
        gone += (await connection.execute(delete(table).where(table.c.request.in_(old)))).rowcount
    return gone


def oldest(now: int) -> Iterator[tuple[str, Select[int | None], int]]:
    """Yield, for the proof of a purge: a place, the query of its oldest waiting row, and the time before which there may be none."""
    waiting = select(func.min(law_notice.c.at)).where(law_notice.c.state == OPEN)
    yield "law_notice.at", waiting, now - NOTICE_DAYS * DAY
    for table in (request_text, request_contact):
        yield f"{table.name}.request", _received(table), now - WORDS_DAYS * DAY


def _received(table: Table) -> Select[int | None]:
    return select(func.min(request.c.received)).join(table, table.c.request == request.c.number)
