"""Publish the statistics of closed months as means of a day: chats by hour of their start, mode, length, ending and language.

A mean under LEAST is merged with its smaller neighbour, or in a table without order with the smallest other, until none is under it; then each is
rounded to ROUND. The groups of a table have all its chats: nothing is hidden that a subtraction could show. Weekdays are not shown without weekends.
**Invariant:** no mean under LEAST is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.retention.monthly_counts import month_of
from server.data.statistics.chat_counts import ChatCounts, sums
from server.data.statistics.count_names import DAY, DAYS, ENDINGS, HOUR, LENGTHS, MODES, OTHER, weekday_of
from server.ops import log

LEAST: Final = 10  # chats a day
ROUND: Final = 5
LANGUAGE_SHARE: Final = 0.05  # of the chats; languages with less are `other`
MONTHS: Final = 24  # months shown
BUSY_HOURS: Final = 10  # hours at most that are called the usual ones
RECENT: Final = 62 * DAY  # seconds since the begin of a month whose hours are still the usual ones
RETRY_S: Final = 10.0
SPREAD_S: Final = 20.0  # seconds in which hosts that share a database write one after the other
Group = tuple[tuple[str, ...], float]  # the names of parts, and their mean of a day
logger = log.get()


def merge(means: Iterable[tuple[str, float]], *, ordered: bool) -> list[Group]:
    """Merge means until no group is under LEAST; empty if all together are."""
    groups: list[Group] = [((name,), mean) for name, mean in means]
    while groups and min(mean for _, mean in groups) < LEAST:
        if len(groups) == 1:
            return []
        at = min(range(len(groups)), key=lambda place: groups[place][1])
        others = [place for place in range(len(groups)) if place != at and (not ordered or abs(place - at) == 1)]
        first, second = sorted((at, min(others, key=lambda place: groups[place][1])))
        (names, mean), (more, other) = groups[first], groups.pop(second)
        groups[first] = (names + more, mean + other)
    return groups


def month(name: str, counts: Mapping[str, int], since: int) -> dict[str, Any]:
    """Return the published figures of a month. `counts`: as `chat_counts.sums`; `since`: Unix time of the first counted day."""
    begin = datetime.datetime.fromisoformat(f"{name}-01T00:00:00Z")
    days = Counter(
        weekday_of(at)
        for at in range(int(begin.timestamp()), int(begin.timestamp()) + 31 * DAY, DAY)
        if at >= since and month_of(at) == name
    )
    tables: dict[str, Counter[str]] = {}
    for key, number in counts.items():
        table, part, *rest = key.split("/")
        if table == "hour":
            tables.setdefault(part, Counter())[rest[0]] += number
            table, part = "mode", rest[1]
        tables.setdefault(table, Counter())[part] += number

    def groups_of(table: str, of: int, names: Iterable[str], *, ordered: bool = False) -> list[Group]:
        found = tables.get(table, Counter[str]())
        return merge([(part, found[part] / max(1, of)) for part in names], ordered=ordered)

    hours = [f"{hour:02}" for hour in range(24)]
    tables["day"] = tables.get("weekday", Counter[str]()) + tables.get("weekend", Counter[str]())
    apart = {kind: groups_of(kind, days[kind], hours, ordered=True) for kind in ("weekday", "weekend")}
    every = {"day": groups_of("day", days.total(), hours, ordered=True)}
    languages = tables.get("language", Counter[str]())
    rare = {part for part, number in languages.items() if number < LANGUAGE_SHARE * languages.total()}
    for part in rare - {OTHER}:
        languages[OTHER] += languages.pop(part)
    return {
        "month": name,
        "hours": [
            {"days": kind, "from": int(names[0]), "to": int(names[-1]) + 1, "chats": rounded(mean)}
            for kind, groups in (apart if all(apart.values()) else every).items()
            for names, mean in groups
        ],
        "lengths": [
            {"from": _least(names[0]), "to": int(names[-1]) or None, "chats": rounded(mean)}
            for names, mean in groups_of("length", days.total(), [*map(str, LENGTHS), "0"], ordered=True)
        ],
        **{
            f"{table}s": [
                {"of": list(names), "chats": rounded(mean)}
                for names, mean in sorted(groups_of(table, days.total(), parts), key=lambda row: -row[1])
            ]
            for table, parts in (("mode", MODES), ("ending", ENDINGS), ("language", sorted(languages)))
        },
    }  # fmt: skip


def rounded(mean: float) -> int:
    """Return a mean as it is published."""
    return ROUND * round(mean / ROUND)


def _least(length: str) -> int:
    """Return the seconds at which a class of lengths begins."""
    places = (0, *LENGTHS)
    return places[LENGTHS.index(int(length)) if length != "0" else len(LENGTHS)]


def busy_hours(published: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the shortest time of a day, as hours from and to of UTC, in which half of the chats of a week start; None if it is a long one."""
    starts = [0.0] * 24
    for row in published["hours"]:
        for hour in range(row["from"], row["to"]):
            starts[hour] += DAYS[row["days"]] * row["chats"] / (row["to"] - row["from"])
    for length in range(1, BUSY_HOURS + 1):
        best = max(range(24), key=lambda first: sum(starts[(first + hour) % 24] for hour in range(length)))
        if 0 < sum(starts) <= 2 * sum(starts[(best + hour) % 24] for hour in range(length)):
            return best, (best + length) % 24
    return None


class Statistics:
    """The statistics of one host: `counts`, which it writes to the database once an hour, and what is published of all hosts.

    `months`: newest first; None until the database was read. `busy`: the hours of UTC in which most chats start, by the last month.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self.counts = ChatCounts(database, clock)
        self.months: list[dict[str, Any]] | None = None
        self.busy: tuple[int, int] | None = None

    async def run(self, opened: Callable[[], Awaitable[object]]) -> None:
        """Write and read as soon as the database is open, and at each full hour. While it is away, which the store reports, counts wait."""
        await opened()
        while True:
            pause = RETRY_S
            with contextlib.suppress(StoreAway):
                await self.refresh()
                pause = HOUR - self._clock() % HOUR + SPREAD_S * random.random()
            await asyncio.sleep(pause)

    async def refresh(self) -> None:
        """Write the counts, and read what is published. Raises StoreAway."""
        await self.counts.flush()
        self.months = found = await months(self._database, int(self._clock()))
        is_recent = bool(found) and found[0]["month"] >= month_of(int(self._clock()) - RECENT)
        self.busy = busy_hours(found[0]) if is_recent else None

    async def close(self) -> None:
        """Write the counts. If the database is away they are lost, and their number is logged."""
        try:
            await self.counts.flush()
        except StoreAway:
            logger.warning("store.statistics_lost", count=len(self.counts))


async def months(database: Database, now: int, most: int = MONTHS) -> list[dict[str, Any]]:
    """Return the published figures of each closed month, newest first. Raises StoreAway."""
    async with database.read() as connection:
        found = await sums(connection, now, most)
    since = found.pop("", {}).get("since", 0)
    return [month(name, counts, since) for name, counts in found.items()]
