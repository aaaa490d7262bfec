"""Load new and changed bans from the store into the ban table in memory (`ban_table`).

**Invariant:** the store is authoritative. `server.trust.moderation.service` runs this every two seconds, so a decision reaches each process that
shares the database within that time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, or_, select

from engine.wire.protocol import PAIR_DAYS
from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import ban, case
from server.ops.config.moderation_policy import AGE
from server.trust.sanctions.ban_table import Ban, BanTable, ignore_minor, unheard

HOUR = 3_600
BEHIND = 60  # seconds that are read again each time: hosts' clocks differ, and a transaction takes a while
# how long a network counts as that of a banned user (`engine.conduct.friction_points`); a later reversal changes nothing there
BARRED_S = 7 * 86_400
PAIRS_S = PAIR_DAYS * 86_400  # how long a pair token lives, which a ban of its holder makes invalid


def _by_program(row: Row[Any]) -> bool:
    """Whether only a program decided; a decision by a person about a program's case is that person's."""
    return bool(row.machine) and row.decided_by is None


class Bans(BanTable):
    """Bans, loaded from the store; `len`: those in force. `clock`: Unix seconds."""

    def __init__(
        self,
        database: Database,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
        *,
        on_minor: Callable[[int], None] = ignore_minor,
        on_lifted: Callable[[bytes], None] = unheard,
        longest: int = PAIRS_S,
    ) -> None:
        """`on_minor`, `on_lifted`: as of `BanTable`; `longest`: seconds for which a ban that is over counts in `last_ban`."""
        super().__init__(pseudonyms, clock, on_minor=on_minor, on_lifted=on_lifted)
        self._database = database
        self._longest = min(longest, PAIRS_S)
        self._over: set[bytes] = set()  # keyed values of the table whose ban is over
        # keyed values by the hour in which their ban ends, or is deleted, so that expiry never scans all bans
        self._ends: dict[int, list[bytes]] = {}
        self._seen = 0
        self._reversed: dict[
            bytes, int
        ] = {}  # bans reported as reversed after their end, by id: when, while they may be read again

    def __len__(self) -> int:
        return len(self._kept) - len(self._over)

    def drop(self, mac: bytes) -> None:
        """See `BanTable`."""
        self._over.discard(mac)
        super().drop(mac)

    async def refresh(self) -> list[Ban]:
        """Read the changed rows. Return the new bans in force. Raises StoreAway."""
        now = int(self._clock())
        counts = ban.c.until > now - self._longest  # it is in force, or may still make tokens invalid
        touched = (ban.c.changed >= self._seen - BEHIND) & (or_(counts, ban.c.lifted.is_not(None)))
        mac = ban.c.mac
        columns = (ban.c.id, mac, ban.c.changed, ban.c.case, ban.c.until, ban.c.lifted)
        async with self._database.read() as connection:
            changed = (await connection.execute(select(*columns).where(touched))).all()
            again = (
                select(ban, case.c.machine)
                .outerjoin(case, case.c.id == ban.c.case)
                .where(mac.in_(select(mac).where(touched)), ban.c.lifted.is_(None), counts)
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
                if made.until > now:
                    self.put(key, made.packed())
                    self._over.discard(key)
                    self._ends.setdefault(made.until // HOUR, []).append(key)
                    new.append(made)
                elif made.kept_until(self._longest) > now:
                    self.put(key, made.packed())
                    self._end(key, made)
                else:
                    self.drop(key)  # its end was moved
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

    def _end(self, mac: bytes, made: Ban) -> None:
        """Note that a ban is over, and when it is deleted."""
        self._over.add(mac)
        self._ends.setdefault(made.kept_until(self._longest) // HOUR, []).append(mac)

    def _forget(self, now: int) -> None:
        """Drop bans that ended before this hour and count no more; `find` checks the time itself."""
        for hour in [hour for hour in self._ends if hour < now // HOUR]:
            for mac in self._ends.pop(hour):
                packed = self._kept.get(mac)
                if packed is None or (made := Ban.of(packed)).until > now:
                    continue
                if made.kept_until(self._longest) > now:
                    self._end(mac, made)
                else:
                    self.drop(mac)
