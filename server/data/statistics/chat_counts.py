"""Count ended chats by mode and hour of their start, length, ending and language, and add the counts to the month's sums once an hour.

A count has no identifier beside it: which sessions were counted is known in memory alone, for hours. Months and hours are of UTC.
**Invariant:** a chat counts only while each of its sessions was counted fewer than SESSION_MAX times in the hour of its start, so no session moves a
sum by more. A month's sums do not change once it is closed, a day after its end: later counts join the running month.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ext.base.ageing_map import AgeingMap
from server.data.database.database import Database
from server.data.records.chat_rows import Record
from server.data.retention.monthly_counts import month_of
from server.data.schema.transparency_schema import CHATS, month_figure
from server.data.statistics.count_names import DAY, HOUR, LANGUAGES, LENGTHS, OTHER, names_of

SESSION_MAX: Final = 3  # counted chats of a session that started in one hour
LONGEST: Final = 3 * HOUR  # a longer chat does not count: which of its session were counted in its hour is forgotten
# seconds for which a session is remembered: as long as a chat that began in its last hour may still count
KEPT: Final = LONGEST + HOUR
SESSIONS_MAX: Final = 500_000  # sessions that are remembered: 250 bytes each; then the oldest are forgotten early
SINCE: Final = ("", f"{CHATS}since")  # the Unix time of the day on which counting began
_ADD = text(
    "INSERT INTO month_figure (month, name, count) VALUES (:month, :name, :count)"
    " ON CONFLICT (month, name) DO UPDATE SET count = month_figure.count + excluded.count"
)
_FIRST = text(
    "INSERT INTO month_figure (month, name, count) VALUES (:month, :name, :count) ON CONFLICT (month, name) DO NOTHING"
)


class ChatCounts:
    """The counts of the chats of one host that are not in the database yet."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._sessions: AgeingMap[int, int] = AgeingMap(SESSIONS_MAX)  # hour × 4 + number of counted chats
        self._fresh: Counter[tuple[str, str, int, int, int, str]] = Counter()  # of the chats since the last flush
        self._counts: Counter[tuple[str, str]] = Counter()  # of those before it, by month and name

    def __len__(self) -> int:
        """The number of chats that are counted here."""
        lengths = (number for (_, name), number in self._counts.items() if name.startswith("length/"))
        return self._fresh.total() + sum(lengths)

    def add(self, chats: Iterable[Record]) -> None:
        """Count ended chats. Never blocks."""
        now = self._clock()
        for mode, how, started, ended, _, language, sessions in chats:
            hour, lasted = int(started) // HOUR, ended - started
            if lasted <= LONGEST and self._admits(hour, sessions, now):
                known = language if language in LANGUAGES else OTHER
                self._fresh[mode, how, hour, int(ended) // HOUR, bisect_right(LENGTHS, lasted), known] += 1

    def _sort(self) -> None:
        """Add the fresh counts to those by month and name, of which there are few however long the database is away."""
        for (mode, how, begun, ended, length, language), number in self._fresh.items():
            month = month_of(ended * HOUR)
            for name in names_of(mode, how, begun * HOUR, length, language):
                self._counts[month, name] += number
        self._fresh.clear()

    def _admits(self, hour: int, sessions: Iterable[int], now: float) -> bool:
        """Whether a chat of these sessions counts; if so, it is one of their chats of this hour."""
        found = []
        for session in sessions:
            last, number = divmod(self._sessions.get(session, now) or hour * 4, 4)
            if hour > last:
                last, number = hour, 0
            if hour < last or number >= SESSION_MAX:  # how many of an earlier hour were counted is forgotten
                return False
            found.append((session, hour * 4 + number + 1))
        for session, value in found:
            self._sessions.put(session, value, now + KEPT, now)
        return True

    async def flush(self) -> None:
        """Add the counts to the database. Raises StoreAway: then they stay here."""
        now = int(self._clock())
        self._sessions.expire(now)
        self._sort()
        if not self._counts:
            return
        counts: Counter[tuple[str, str]] = Counter()
        for (month, name), number in self._counts.items():
            counts[max(month, month_of(now - DAY)), CHATS + name] += number
        rows = [{"month": month, "name": name, "count": number} for (month, name), number in sorted(counts.items())]
        taken, self._counts = self._counts, Counter()
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    _FIRST, {"month": SINCE[0], "name": SINCE[1], "count": (now - HOUR) // DAY * DAY}
                )
                await connection.execute(_ADD, rows)
        except BaseException:
            self._counts.update(taken)
            raise


async def sums(connection: AsyncConnection, now: int, most: int) -> dict[str, dict[str, int]]:
    """Return the sums of the newest closed months by month, newest first, and at the end, as the month "", when counting began. Raises StoreAway."""
    mine = select(month_figure).where(_of("")).order_by(month_figure.c.month.desc())
    months = or_(
        month_figure.c.month == "", month_figure.c.month.between(month_of(now - most * 31 * DAY), month_of(now - DAY))
    )
    found: dict[str, dict[str, int]] = {}
    for month, name, number in (await connection.execute(mine.where(months))).all():
        if month != month_of(now - DAY):
            found.setdefault(month, {})[name.removeprefix(CHATS)] = number
    return found


def _of(month: str) -> ColumnElement[bool]:
    """Return the condition of the sums of a month; of all, if it is empty."""
    mine = month_figure.c.name.startswith(CHATS)
    return and_(mine, month_figure.c.month == month) if month else mine


async def number_of(connection: AsyncConnection, month: str = "") -> int:
    """Return how many sums a month has, or all. Raises StoreAway."""
    return int(
        (await connection.execute(select(func.count()).select_from(month_figure).where(_of(month)))).scalar_one()
    )


async def forget(connection: AsyncConnection, month: str = "") -> int:
    """Delete the sums of a month, or all; return how many there were. Raises StoreAway."""
    return (await connection.execute(delete(month_figure).where(_of(month)))).rowcount
