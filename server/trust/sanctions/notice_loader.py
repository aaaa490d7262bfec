"""The notices that the store has, read into the table of those to be read (`server.trust.sanctions.notice_table`). Rule: one person a row.

What is unread is read anew with the bans. Which session somebody without an identity was reported in stands nowhere but here, in memory.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import case_subject, notice
from server.trust.sanctions.ban_loader import BEHIND
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.ban_table import hash_of
from server.trust.sanctions.notice_table import REMEMBERED, Notice, NoticeTable, Owner
from server.trust.sanctions.sanction_table import Decision

WARNING = "warning"
PERSON = "person"  # who decided
KEPT = 120 * 86_400  # seconds that a row is there


class Notices(NoticeTable):
    """All that is unread. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        super().__init__(pseudonyms, clock)
        self._database = database
        self._sessions: OrderedDict[bytes, int] = OrderedDict()  # of the case about somebody without an identity
        self._unstored: dict[bytes, int] = {}  # when it was read, by its id
        self._latest = 0

    def reported(self, case: bytes, session: int) -> None:
        """A case is about this session, whose person has no identity."""
        self._sessions[case] = session
        self._sessions.move_to_end(case)
        if len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)

    def read_now(self, id: bytes, owner: Owner) -> None:
        """It is written down by `store`."""
        self._unstored[id] = int(self._clock())

    async def refresh(self) -> int:
        """Read what changed; how many are new. Raises StoreAway."""
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
        """What no table says, for another process: which session a case is about, and what was read. All of it stays here too."""
        read = [[id.hex(), owner if isinstance(owner, int) else owner.hex()] for id, owner in self._read.items()]
        return {"sessions": [[case.hex(), session] for case, session in self._sessions.items()], "read": read}

    def unpack(self, facts: dict[str, Any]) -> None:
        """Know it here, from the next `refresh` on. Raises TypeError, ValueError."""
        for case, session in facts.get("sessions", ()):
            self.reported(bytes.fromhex(case), int(session))
        for id, owner in facts.get("read", ()):
            bits = bytes.fromhex(id)
            self.drop(bits)
            self._read[bits] = owner if isinstance(owner, int) else bytes.fromhex(owner)
        self._latest = 0  # what was nobody's before is read again

    async def store(self) -> None:
        """Write down what was read. Raises StoreAway; then it may be asked for again."""
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
    """Within a transaction under the guard: the row of a warning; what follows, in words."""
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
