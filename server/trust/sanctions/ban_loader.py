"""Load new and changed bans from the store into the ban table in memory (`ban_table`).

**Invariant:** the store is authoritative. `server.trust.moderation.service` runs this every two seconds, so a decision reaches each process that
shares the database within that time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, or_, select

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import ban, case
from server.ops.config.moderation_policy import AGE
from server.trust.sanctions.ban_table import Ban, BanTable, ignore_minor, unheard

HOUR = 3_600
BEHIND = 60  # seconds that are read again each time: hosts' clocks differ, and a transaction takes a while
# how long a network counts as that of a banned user (`engine.conduct.friction_points`); a later reversal changes nothing there
BARRED_S = 7 * 86_400


def _by_program(row: Row[Any]) -> bool:
    """Whether only a program decided; a decision by a person about a program's case is that person's."""
    return bool(row.machine) and row.decided_by is None


class Bans(BanTable):
    """Bans in force, loaded from the store. `clock`: Unix seconds."""

    def __init__(
        self,
        database: Database,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
        *,
        on_minor: Callable[[int], None] = ignore_minor,
        on_lifted: Callable[[bytes], None] = unheard,
    ) -> None:
        """`on_minor`, `on_lifted`: as of `BanTable`."""
        super().__init__(pseudonyms, clock, on_minor=on_minor, on_lifted=on_lifted)
        self._database = database
        # keyed values by the hour in which their ban ends, so that expiry never scans all bans
        self._ends: dict[int, list[bytes]] = {}
        self._seen = 0
        self._reversed: dict[
            bytes, int
        ] = {}  # bans reported as reversed after their end, by id: when, while they may be read again

    async def refresh(self) -> list[Ban]:
        """Read the changed rows. Return the new bans. Raises StoreAway."""
        now = int(self._clock())
        touched = (ban.c.changed >= self._seen - BEHIND) & (or_(ban.c.until > now, ban.c.lifted.is_not(None)))
        mac = ban.c.mac
        columns = (ban.c.id, mac, ban.c.changed, ban.c.case, ban.c.until, ban.c.lifted)
        async with self._database.read() as connection:
            changed = (await connection.execute(select(*columns).where(touched))).all()
            again = (
                select(ban, case.c.machine)
                .outerjoin(case, case.c.id == ban.c.case)
                .where(mac.in_(select(mac).where(touched)), ban.c.lifted.is_(None), ban.c.until > now)
            )
            rows = (await connection.execute(again.order_by(ban.c.until))).all() if changed else ()
        longest = {
            row.mac: Ban(
                row.kind == "network", row.until, row.rule, row.case, row.since, _by_program(row), row.measure == AGE
            )
            for row in rows
        }
        for row in changed:
            self._seen = max(self._seen, row.changed)
            if row.mac not in longest:
                self.drop(row.mac)
        self._report_reversed(changed, now)
        new = []
        for key, made in longest.items():
            if self._kept.get(key) != made.packed():
                self.put(key, made.packed())
                self._ends.setdefault(made.until // HOUR, []).append(key)
                new.append(made)
        self._forget(now)
        self.known = True
        return new

    def _report_reversed(self, changed: Sequence[Any], now: int) -> None:
        """Report each ban once that was reversed after its end: `drop` no longer knows of it."""
        for row in changed:
            # a ban that is lifted earlier ends at that moment
            late = row.lifted is not None and row.lifted > row.until
            if late and row.changed > now - BARRED_S and row.id not in self._reversed:
                self._reversed[row.id] = row.changed
                self.reverse_ended(row.case)
        self._reversed = {id: at for id, at in self._reversed.items() if at >= self._seen - BEHIND}

    def _forget(self, now: int) -> None:
        """Drop bans that expired before this hour; `find` checks the time itself."""
        for hour in [hour for hour in self._ends if hour < now // HOUR]:
            for mac in self._ends.pop(hour):
                packed = self._kept.get(mac)
                if packed is not None and Ban.of(packed).until <= now:
                    self.drop(mac)
