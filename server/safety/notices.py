"""What a person must have read before the next search: a warning. Rule: one person a row; nothing is looked up where nobody has one to read.

What is unread is held in memory like the bans, and read anew with them. Somebody without an identity gets it in the session
in which they were reported, while that lasts: which one it is stands nowhere but here, in memory.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.views import notice as frame_of
from server.safety.ban_rows import TOLD
from server.safety.bans import BEHIND, SENTENCES, day_of, hash_of, path_of
from server.safety.measures import Decision
from server.security.url_secrets import decode, encode
from server.store.database import Database
from server.store.pseudonyms import Pseudonyms
from server.store.safety_schema import case_subject, notice

WARNING = "warning"
PERSON = "person"  # who decided
KEPT = 120 * 86_400  # seconds that a row is there
REMEMBERED = (
    10_000  # sessions of reported people without an identity, and notices that were read here; the oldest goes first
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One that nobody read yet. `since`: Unix seconds; `case`: its random id."""

    id: bytes
    kind: str
    rule: str
    since: int
    by: str
    case: bytes


class Notices:
    """All that is unread. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._unread: dict[bytes | int, list[Notice]] = {}  # by keyed identity or session, the oldest first
        self._owners: dict[bytes, bytes | int] = {}  # whose an unread one is, by its id
        self._sessions: OrderedDict[bytes, int] = OrderedDict()  # of the case about somebody without an identity
        self._read: OrderedDict[bytes, bytes | int] = OrderedDict()  # whose it was, by its id
        self._unstored: dict[bytes, int] = {}  # when it was read, by its id
        self._latest = 0

    def __len__(self) -> int:
        """How many are unread."""
        return len(self._owners)

    def reported(self, case: bytes, session: int) -> None:
        """A case is about this session, whose person has no identity."""
        self._sessions[case] = session
        self._sessions.move_to_end(case)
        if len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)

    def unread(self, identity: int, session: int) -> tuple[str, bytes] | None:
        """The oldest that this person has to read: its id and its frame. `identity` 0: none, then the session counts."""
        if not self._unread:
            return None
        found = self._unread.get(self._owner(identity, session))
        return None if found is None else (encode(found[0].id), self._frame(found[0]))

    def seen(self, identity: int, session: int, id: str) -> bool:
        """They read it; True again for one that they had read. False: it was never theirs."""
        bits = decode(id)
        if bits is None:
            return False
        owner = self._owner(identity, session)
        if self._owners.get(bits) != owner:
            return self._read.get(bits) == owner
        self._drop(bits)
        self._unstored[bits] = int(self._clock())
        self._read[bits] = owner
        if len(self._read) > REMEMBERED:
            self._read.popitem(last=False)
        return True

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
                self._drop(row.id)
            elif row.id not in self._owners and row.id not in self._read:
                owner = row.mac if row.mac is not None else self._sessions.get(row.case)
                if owner is not None:
                    self._owners[row.id] = owner
                    made = Notice(row.id, row.kind, row.rule, row.since, row.by, row.case)
                    self._unread.setdefault(owner, []).append(made)
                    new += 1
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
            self._drop(bits)
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

    def _owner(self, identity: int, session: int) -> bytes | int:
        return self._pseudonyms.safety_identity(identity) if identity else session

    def _drop(self, id: bytes) -> None:
        owner = self._owners.pop(id, None)
        if owner is not None:
            left = [one for one in self._unread[owner] if one.id != id]
            if left:
                self._unread[owner] = left
            else:
                del self._unread[owner]

    def _frame(self, found: Notice) -> bytes:
        return frame_of(
            encode(found.id), found.kind, found.rule, SENTENCES[found.rule], day_of(found.since), found.by,
            path_of(self._pseudonyms, found.case),
        )  # fmt: skip


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
