"""Provide the base class of all work on cases: the store, the clock, look-up of a case by its digits, the audit log.

**Invariant:** a moderator's view of a case is in the audit log before its data is returned, and an action before it is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.sealed_objects import Sealed
from server.data.privacy import audit_log
from server.data.schema.moderation_schema import OPEN, ban, case
from server.ops.config.moderation_policy import MINUTE
from server.trust.sanctions.sanction_scale import Refused

SHORTEST = 4  # least digits of a case that a moderator types; they must be unique
NAME = 64  # characters of a moderator's account name


Found = Row[tuple[object, ...]]


class Missing(Refused):
    """No such case."""


class Taken(Refused):
    """Another moderator has this case."""


class CaseBase:
    """Access to the cases of one store. `clock`: Unix seconds."""

    def __init__(
        self, database: Database, sealed: Sealed, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._sealed = sealed
        self._pseudonyms = pseudonyms
        self._clock = clock

    @property
    def now(self) -> int:
        """Unix seconds, by this object's clock."""
        return int(self._clock())

    async def _ident(self, text: str) -> bytes:
        """Return the id of the one case that begins with these hexadecimal digits, SHORTEST at least.

        A ban outlives its case and is found by the same digits. Raises Missing, Refused, StoreAway.
        """
        digits = text.strip().rstrip("….").lower()  # a narrow table prints shortened digits
        if not SHORTEST <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
            raise Refused("refused.case.digits", digits=SHORTEST)
        first, last = bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
        async with self._database.read() as connection:
            found: set[bytes] = set()
            for column in (case.c.id, ban.c.case):
                within = select(column).where(column >= first, column <= last).distinct().limit(2)
                found |= {bytes(one) for one in (await connection.execute(within)).scalars()}
        if len(found) != 1:
            raise Refused("refused.case.several") if found else Missing("refused.case.missing")
        return found.pop()

    async def _row(self, connection: AsyncConnection, ident: bytes) -> Found:
        row = (await connection.execute(select(case).where(case.c.id == ident))).first()
        if row is None:
            raise Missing("refused.case.missing")
        return row

    def _free_for(self, row: Found, operator: str) -> None:
        """Check that this moderator may work on a case. Raises Taken if another one has it, Refused if it is not open any more."""
        if row.state != OPEN:
            raise Refused("refused.aged" if row.state == "aged" else "refused.decided")
        if row.claimed_by not in (None, operator[:NAME]) and row.claimed_until > self.now:
            minutes = -(-(row.claimed_until - self.now) // MINUTE)
            raise Taken("refused.taken", who=row.claimed_by, n=minutes)

    def _opened(self, sealed: bytes | None, domain: bytes) -> str:
        """Return the text of a sealed column; empty for NULL, or if its key is gone."""
        if sealed is None:
            return ""
        try:
            return self._pseudonyms.open_text(domain, sealed)
        except KeyGone:
            return ""

    async def _note(self, action: str, operator: str, why: str, ident: bytes, outcome: str) -> None:
        """Write a line of the audit log, under the keyed value of the case's subject. Raises StoreAway."""
        await audit_log.write_entry(
            self._database, now=self.now, operator=operator, action=action, why=why,
            subject=await audit_log.case_subject_of(self._database, self._pseudonyms, ident),
            outcome=f"case {ident.hex()}: {outcome}",
        )  # fmt: skip

    async def _log(self, action: str, operator: str, why: str, outcome: str) -> None:
        """Write a line of the audit log that is about no single case. Raises StoreAway."""
        await audit_log.write_entry(
            self._database, now=self.now, operator=operator, action=action, why=why, outcome=outcome
        )
