"""Count open and decided cases, appeals and notices for the Prometheus metrics.

**Invariant:** a task reads the counts from the store every EVERY seconds, so a scrape never reads the store. Metric labels are bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.schema.moderation_schema import appeal, case, report
from server.data.schema.second_look_queries import results
from server.data.schema.transparency_schema import law_notice
from server.ops import log
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.storage_metrics import DECIDE_BOUNDS

EVERY = 30.0  # seconds
SOON = 1.0  # seconds between tries until the store has opened
BEHIND = 60  # seconds; SQLite waits five for its lock, and a decision may be undone for UNDO seconds
OTHER = "other"  # label of a value that is not in the list

logger = log.get()


class ModerationGauges:
    """Figures of moderation, read from one store. `clock`: Unix seconds.

    Decisions are made elsewhere (the command line, the console, another host), so they are counted from their rows: each in the first read that is
    at least BEHIND seconds later, because the transaction of a decision may still be open. Counts begin with the process.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._upto = int(clock()) - BEHIND
        self._waiting: dict[str, dict[tuple[str, ...], float]] = {}
        self._counts: dict[str, Counter[tuple[str, ...]]] = {name: _noughts(name) for name in COUNTED}
        self._decided = {queue: Histogram(DECIDE_BOUNDS) for queue in _values("serendip_cases_open", "queue")}
        self._answered = Histogram(DECIDE_BOUNDS)

    async def run(self) -> None:
        """Read every EVERY seconds until cancelled."""
        while True:
            try:
                await self.read()
            except StoreAway as error:
                logger.debug("safety.figures_stale", **log.described(error))
            await asyncio.sleep(EVERY if self._waiting else SOON)

    async def read(self) -> None:
        """Read once. Raises StoreAway; the next read then counts what this one missed."""
        now = int(self._clock())
        async with self._database.read() as connection:
            waiting = await _waiting(connection, now)
            ended = await _ended(connection, self._upto, now - BEHIND)
        self._waiting = waiting
        self._upto = max(self._upto, now - BEHIND)
        for name, labels, took in ended:
            if name == "case":
                self._decided[_known("serendip_cases_open", "queue", *labels)].add(took)
            elif name == "appeal":
                self._answered.add(took)
            else:
                self._counts[name][labels] += 1

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            **self._waiting,
            **self._counts,
            "serendip_case_decide_seconds": {(queue,): found.reading() for queue, found in self._decided.items()},
            "serendip_appeal_seconds": self._answered.reading(),
        }


COUNTED = (
    *("serendip_measures", "serendip_appeals", "serendip_reports_founded", "serendip_cases_unread"),
    "serendip_second_looks",
)
Ended = tuple[str, tuple[str, ...], float]


async def _waiting(connection: AsyncConnection, now: int) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the number of open cases, appeals and notices, and the age of the oldest of each, by metric."""
    queues = _values("serendip_cases_open", "queue")
    number: dict[tuple[str, ...], float] = {(queue,): 0.0 for queue in queues}
    oldest = dict(number)
    open_cases = select(case.c.queue, func.count(), func.min(case.c.opened)).where(case.c.closed.is_(None))
    for queue, many, first in (await connection.execute(open_cases.group_by(case.c.queue))).all():
        label = (_known("serendip_cases_open", "queue", queue),)
        number[label] += many
        oldest[label] = max(oldest[label], float(now - first))
    found = {"serendip_cases_open": number, "serendip_cases_oldest_seconds": oldest}
    wanted = select(func.count(), func.min(appeal.c.at)).where(appeal.c.state == "open")
    many, first = (await connection.execute(wanted)).one()
    found["serendip_appeals_open"] = {(): float(many)}
    found["serendip_appeals_oldest_seconds"] = {(): float(now - first) if first is not None else 0.0}
    number = {(kind,): 0.0 for kind in _values("serendip_notices_open", "kind")}
    oldest = dict(number)
    of_kind = select(law_notice.c.kind, func.count(), func.min(law_notice.c.at)).where(law_notice.c.state == "open")
    for kind, many, first in (await connection.execute(of_kind.group_by(law_notice.c.kind))).all():
        label = (_known("serendip_notices_open", "kind", kind),)
        number[label] += many
        oldest[label] = max(oldest[label], float(now - first))
    return found | {"serendip_notices_open": number, "serendip_notices_oldest_seconds": oldest}


async def _ended(connection: AsyncConnection, begin: int, end: int) -> list[Ended]:
    """Return what ended in `begin <= time < end`: (metric or kind of duration, labels, duration in seconds)."""
    found: list[Ended] = []
    wanted = select(case).where(case.c.closed >= begin, case.c.closed < end)
    for row in (await connection.execute(wanted)).all():
        if row.state in ("aged", "lifted"):
            found.append(("serendip_cases_unread", (row.state,), 0.0))
        if row.decided_by is not None:
            found.append(("case", (row.queue,), row.closed - row.opened))
        if row.measure not in (None, "none"):
            measure = _known("serendip_measures", "measure", row.measure)
            rule = _known("serendip_measures", "rule", row.rule)
            found.append(
                ("serendip_measures", (measure, rule, "person" if row.decided_by is not None else "program"), 0.0)
            )
    asked = select(appeal.c.state, appeal.c.at, appeal.c.closed, case.c.rule).join(case, case.c.id == appeal.c.case)
    for row in (await connection.execute(asked.where(appeal.c.closed >= begin, appeal.c.closed < end))).all():
        labels = (_known("serendip_appeals", "result", row.state), _known("serendip_appeals", "rule", row.rule))
        found += [("serendip_appeals", labels, 0.0), ("appeal", (), row.closed - row.at)]
    founded = select(report.c.reason).where(
        report.c.closed >= begin, report.c.closed < end, report.c.outcome == "acted"
    )
    for reason in (await connection.execute(founded)).scalars().all():
        found.append(("serendip_reports_founded", (_known("serendip_reports_founded", "reason", reason),), 0.0))
    for result in (await connection.execute(results(begin, end))).scalars().all():
        found.append(("serendip_second_looks", (result,), 0.0))
    return found


def _values(metric: str, label: str) -> tuple[str, ...]:
    return VALUES[metric][label]


def _known(metric: str, label: str, value: str | None) -> str:
    return value if value in _values(metric, label) else OTHER


def _noughts(metric: str) -> Counter[tuple[str, ...]]:
    """Return every series of a metric at 0, so that the first event of each is an increase."""
    series: list[tuple[str, ...]] = [()]
    for values in VALUES[metric].values():
        series = [(*labels, value) for labels in series for value in values]
    return Counter(dict.fromkeys(series, 0))
