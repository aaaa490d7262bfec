"""What nobody answers ends by the clock, in steps, and a legal end of one kind never takes what is still to be answered."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.data.retention import notice_and_request_expiry
from server.data.retention.notice_and_request_expiry import DAY, NOTICE_DAYS, WORDS_DAYS
from server.data.schema.data_request_schema import request, request_contact, request_text
from server.data.schema.transparency_schema import law_notice
from tests.server.data.conftest import NOW, Kit

LATE = NOW + NOTICE_DAYS * DAY + 1


def asked(number: str, received: int, closed: int | None = None) -> dict[str, object]:
    """A request's row."""
    empty = {"by": "page", "level": 0, "why": "", "state": "open", "reason": "", "acknowledged": received}
    return {
        **empty,
        "number": number,
        "kind": "other",
        "received": received,
        "due": received,
        "outer": received,
        "closed": closed,
    }


async def test_notices_that_nobody_decided_are_closed_a_few_at_a_time(kit: Kit) -> None:
    rows = [
        {
            "id": bytes([i] * 16),
            "at": NOW if kind != "other" else NOW + DAY,
            "kind": kind,
            "text": b"x",
            "receipt": bytes([i] * 16),
            "state": state,
            "closed": closed,
        }
        for i, (kind, state, closed) in enumerate(
            [("log", "open", None), ("child", "open", None), ("chat", "acted", NOW), ("other", "open", None)]
        )
    ]
    states = select(law_notice.c.state).order_by(law_notice.c.id)
    async with kit.database.write() as connection:
        for row in rows:
            await connection.execute(insert(law_notice).values(row))
        assert await notice_and_request_expiry.close_aged_notices(connection, LATE - 1, 10) == 0
        assert [await notice_and_request_expiry.close_aged_notices(connection, LATE, 1) for _ in range(3)] == [1, 1, 0]
        assert (await connection.execute(states)).scalars().all() == ["aged", "aged", "acted", "open"]


async def test_words_leave_with_their_request_or_at_their_age_and_never_before(kit: Kit) -> None:
    async with kit.database.write() as connection:
        for row in (asked("young", NOW), asked("closed", NOW, closed=NOW + 1), asked("old", NOW - WORDS_DAYS * DAY)):
            await connection.execute(insert(request).values(row))
            await connection.execute(insert(request_text).values(request=row["number"], text=b"t"))
            await connection.execute(insert(request_contact).values(request=row["number"], contact=b"c"))
        assert [await notice_and_request_expiry.delete_words(connection, NOW, 1) for _ in range(3)] == [2, 2, 0]
        for table in (request_text, request_contact):
            assert (await connection.execute(select(table.c.request))).scalars().all() == ["young"]
        limits = {
            place: (await connection.execute(query)).scalar()
            for place, query, _ in notice_and_request_expiry.oldest(NOW)
        }
        assert limits["request_text.request"] == limits["request_contact.request"] == NOW
