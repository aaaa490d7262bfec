"""Load unread notices (warnings to a user) from the store into the notice table in memory (`notice_table`), together with the bans.

**Invariant:** each stored notice belongs to one user.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ext.base.ageing_map import AgeingMap
from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import case_subject, notice
from server.trust.sanctions.ban_loader import BEHIND
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.ban_table import hash_of
from server.trust.sanctions.notice_table import REMEMBERED, Notice, NoticeTable, Owner
from server.trust.sanctions.sanction_scale import Decision

WARNING = "warning"
PERSON = "person"  # `by` of a moderator's decision
KEPT = 120 * 86_400  # seconds that a row is kept


class Notices(NoticeTable):
    """Unread notices, loaded from the store. `clock`: Unix seconds.

    The session in which a user without an identity was reported is only kept here, in memory.
    """

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        super().__init__(pseudonyms, clock)
        self._database = database
        self._sessions: AgeingMap[bytes, int] = AgeingMap(
            REMEMBERED
        )  # case → session of a reported user without an identity
        self._unstored: dict[bytes, int] = {}  # id → Unix seconds at which it was read
        self._latest = 0

    def reported(self, case: bytes, session: int) -> None:
        """Remember that a case is about this session, whose user has no identity."""
        self._sessions.put(case, session)

    def read_now(self, id: bytes, owner: Owner) -> None:
        """Note the time of reading; `store` writes it."""
        self._unstored[id] = int(self._clock())

    async def refresh(self) -> int:
        """Read the changed rows. Return the number of new notices. Raises StoreAway."""
        first, now = not self._latest, int(self._clock())
        wanted = select(notice).where(notice.c.changed >= self._latest - BEHIND, notice.c.since > now - KEPT)
        if first:
            wanted = wanted.where(notice.c.seen.is_(None), notice.c.lifted.is_(None))
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(notice.c.since))).all()
        new = 0
        for row in rows:
            self._latest = max(self._latest, row.changed)
            if row.seen is not None or row.lifted is not None:
                self.drop(row.id)
                continue
            owner = row.mac if row.mac is not None else self._sessions.get(row.case)
            if owner is not None:
                new += self.put(owner, Notice(row.id, row.kind, row.rule, row.since, row.by, row.case))
        self.known = True
        return new

    def pack(self) -> dict[str, Any]:
        """Return the state that no table has, for another process: sessions of cases, and read notices. This process keeps it too."""
        read = [[id.hex(), owner if isinstance(owner, int) else owner.hex()] for id, owner in self._read.items()]
        return {"sessions": [[case.hex(), session] for case, session in self._sessions.items()], "read": read}

    def unpack(self, facts: dict[str, Any]) -> None:
        """Restore the state of `pack`; it applies from the next `refresh`. Raises TypeError, ValueError."""
        for case, session in facts.get("sessions", ()):
            self.reported(bytes.fromhex(case), int(session))
        for id, owner in facts.get("read", ()):
            bits = bytes.fromhex(id)
            self.drop(bits)
            self._read.put(bits, owner if isinstance(owner, int) else bytes.fromhex(owner))
        self._latest = 0  # notices without a known owner are read again

    async def store(self) -> None:
        """Write which notices were read. Raises StoreAway; it may then be called again."""
        if not self._unstored:
            return
        read = dict(self._unstored)
        one = update(notice).where(notice.c.id == bindparam("which"), notice.c.seen.is_(None))
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await connection.execute(
                one.values(seen=bindparam("at"), changed=bindparam("at")),
                [{"which": id, "at": at} for id, at in read.items()],
            )
        for id in read:
            del self._unstored[id]


async def warn(
    connection: AsyncConnection, pseudonyms: Pseudonyms, case: bytes, decision: Decision, operator: str, now: int
) -> str:
    """Insert the row of a warning, within a transaction under the guard. Return its effect in words."""
    about = select(case_subject.c.identity).where(case_subject.c.case == case)
    mac = (await connection.execute(about)).scalar_one()
    words = pseudonyms.seal_text(TOLD, decision.words) if decision.words else None
    await connection.execute(
        insert(notice).values(
            id=secrets.token_bytes(16), mac=mac, kind=WARNING, rule=decision.rule, since=now, by=PERSON, case=case,
            appeal=hash_of(pseudonyms, case), decided_by=operator, words=words, seen=None, lifted=None, changed=now,
        )
    )  # fmt: skip
    return "they read it before their next search" + ("" if mac is not None else ", if their session is still there")
