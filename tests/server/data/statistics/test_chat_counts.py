"""Counts of chats: bounded per session, summed over hosts, kept while the database is away, and fixed once a month is closed."""

from __future__ import annotations

import asyncio
import datetime
import secrets

import pytest

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.records.chat_rows import EndedChat, Party
from server.data.statistics import chat_counts
from server.data.statistics.chat_counts import SESSION_MAX, ChatCounts
from server.data.statistics.published_statistics import LEAST, months
from tests.server.data.conftest import Kit

HOUR = 3_600
BEGIN = int(datetime.datetime(2026, 10, 5, 18, tzinfo=datetime.UTC).timestamp())  # a Monday
DECEMBER = int(datetime.datetime(2026, 12, 2, 0, 1, tzinfo=datetime.UTC).timestamp())


def chat(at: float, *sessions: int, lasted: float = 2.0, **more: str) -> EndedChat:
    """A chat that began at a time."""
    people = tuple(Party(side, session, "192.0.2.1") for side, session in enumerate(sessions))
    return EndedChat(
        more.get("mode", "text"), "stranger", at, at + lasted, people, more.get("language", "en"), sessions
    )


async def sums(kit: Kit, month: str) -> dict[str, int]:
    """The sums of a month, once it is closed."""
    async with kit.database.read() as connection:
        return (await chat_counts.sums(connection, DECEMBER, 24)).get(month, {})


async def test_a_thousand_chats_of_a_session_move_no_count_by_more_than_three(kit: Kit) -> None:
    counts = ChatCounts(kit.database, lambda: kit.now)
    for number in range(1_000):
        kit.now = BEGIN + 3.5 * number
        counts.add([chat(BEGIN + 3.5 * number, 7, 1_000 + number)])
    kit.now = BEGIN + HOUR - 1
    counts.add([chat(kit.now, 7, 5_000, lasted=3 * HOUR)])  # of the same hour, and arrives when that hour is long over
    kit.now += 3 * HOUR
    counts.add([chat(BEGIN + HOUR, 7, 5_001), chat(BEGIN + 10, 7, 5_002)])
    await counts.flush()
    found = await sums(kit, "2026-10")
    assert found["hour/weekday/18/text"] == SESSION_MAX
    assert sum(found.values()) == 4 * (SESSION_MAX + 1)  # and one that began in the next hour
    assert len(counts) == 0


async def test_hosts_add_up_and_no_count_holds_what_a_client_wrote(kit: Kit) -> None:
    hosts = [ChatCounts(kit.database, lambda: BEGIN + HOUR) for _ in range(4)]
    for number, host in enumerate(hosts):
        host.add(
            [chat(BEGIN, 10 * number, 10 * number + 1), chat(BEGIN + 90, secrets.randbits(60), language="x'); --")]
        )
    await asyncio.gather(*(host.flush() for host in hosts))
    found = await sums(kit, "2026-10")
    assert found == {
        "hour/weekday/18/text": 8, "length/60": 8, "ending/left": 8, "language/en": 4, "language/other": 4,
    }  # fmt: skip


async def test_while_the_database_is_away_counts_wait(kit: Kit) -> None:
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", data=kit.data)
    counts = ChatCounts(away, lambda: BEGIN + HOUR)
    counts.add([chat(BEGIN, 1, 2), chat(BEGIN, 3, 4)])
    with pytest.raises(StoreAway):
        await counts.flush()
    assert len(counts) == 2
    await away.close()


async def test_a_closed_month_does_not_change(kit: Kit) -> None:
    kit.now = BEGIN
    counts = ChatCounts(kit.database, lambda: kit.now)
    late = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC).timestamp()
    counts.add([chat(late - 13 * HOUR, 1, 2), chat(late - 13 * HOUR, 3, 4)])
    kit.now = late
    assert await months(kit.database, int(kit.now)) == []  # it is over, and may still get counts of other hosts
    await counts.flush()
    assert (await sums(kit, "2026-10"))["length/60"] == 2
    counts.add([chat(late - 13 * HOUR, 5, 6)])
    kit.now = late + 24 * HOUR
    assert [month["month"] for month in await months(kit.database, int(kit.now))] == ["2026-10"]
    await counts.flush()
    assert (await sums(kit, "2026-10"))["length/60"] == 2
    assert (await sums(kit, "2026-11"))["length/60"] == 1


async def test_what_is_forgotten_is_published_no_more(kit: Kit) -> None:
    counts = ChatCounts(kit.database, lambda: BEGIN + HOUR)
    counts.add(chat(BEGIN, 2 * number, 2 * number + 1) for number in range(31 * LEAST))
    await counts.flush()
    assert (await months(kit.database, DECEMBER))[0]["modes"]
    async with kit.database.write() as connection:
        assert await chat_counts.forget(connection, "2026-09") == 0
        assert await chat_counts.forget(connection, "2026-10") == 4
    assert await months(kit.database, DECEMBER) == []
