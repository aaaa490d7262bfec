"""Show banned and warned users the reasons, and accept their appeals.

**Invariant:** the secret URL of the ban is the only credential: no account, cookie or script is needed. A ban has at most one open appeal; another
may be made AGAIN seconds after the last was answered.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import appeal, ban, case, notice, report
from server.ops.config.moderation_policy import NEUTRAL, program_cause
from server.ops.security.url_token_generator import SECRET, decode
from server.trust.moderation_protocol import Reasons
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.ban_table import APPEAL
from server.trust.sanctions.notice_loader import KEPT

WORDS = b"appeal.text"
LONGEST = 1_000  # characters of an appeal
ANSWER = 300  # characters of an answer
AGAIN = 7 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """A case's decision as its rows have it. `words`: sealed; days as Unix seconds."""

    case: bytes
    measure: str
    rule: str
    words: bytes | None
    since: int
    until: int
    network: bool  # the network's refusal, which any user of that network may read
    running: bool
    program: bool = False  # no person decided it


class Appeals:
    """Reasons and appeals over one store. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def read(self, text: str) -> Reasons | None:
        """Return the ban or warning of an appeal's address by its last part, or None for an unknown address. Raises StoreAway."""
        async with self._database.read() as connection:
            return await self._reasons(connection, await self._decided(connection, text))

    async def write(self, text: str, words: str) -> Reasons | None:
        """Store an appeal if one may be made now. Return the ban as it is afterwards. Raises StoreAway."""
        now = int(self._clock())
        async with self._database.write() as connection:
            await self._database.guard(connection)
            decided = await self._decided(connection, text)
            found = await self._reasons(connection, decided)
            if decided is None or found is None or not found.running or found.appealed == "open" or found.again:
                return found
            await connection.execute(
                insert(appeal).values(
                    id=secrets.token_bytes(16), case=decided.case, at=now, state="open", decided_by=None, answer=None,
                    text=self._pseudonyms.seal_text(WORDS, words[:LONGEST]), closed=None, network=decided.network,
                )
            )  # fmt: skip
            return await self._reasons(connection, decided)

    async def _decided(self, connection: AsyncConnection, text: str) -> CaseDecision | None:
        """Return the newest decision of this address: one that was undone a moment later left its rows too."""
        now = int(self._clock())
        hashed = self._pseudonyms.secret_hash(APPEAL, decode(text) or bytes(SECRET))
        bans = (await connection.execute(select(ban).where(ban.c.appeal == hashed).order_by(ban.c.since))).all()
        notices = select(notice).where(notice.c.appeal == hashed).order_by(notice.c.since.desc()).limit(1)
        warned = (await connection.execute(notices)).first()
        if warned is not None and not (bans and bans[-1].since >= warned.since):
            until, running = warned.since + KEPT, warned.lifted is None
            return CaseDecision(warned.case, "warning", warned.rule, warned.words, warned.since, until, False, running)
        newest = [row for row in bans if row.since == bans[-1].since]
        if not newest:
            return None
        until, running = max(row.until for row in newest), any(row.lifted is None and row.until > now for row in newest)
        one = newest[0]
        if one.kind == "network":
            return CaseDecision(one.case, one.measure, NEUTRAL, None, one.since, until, True, running)
        program = one.decided_by is None and one.measure != "ban" and one.rule != NEUTRAL
        return CaseDecision(one.case, one.measure, one.rule, one.words, one.since, until, False, running, program)

    async def _reasons(self, connection: AsyncConnection, found: CaseDecision | None) -> Reasons | None:
        if found is None:
            return None
        now = int(self._clock())
        theirs = (appeal.c.case == found.case, appeal.c.network.is_(found.network))
        last = (await connection.execute(select(appeal).where(*theirs).order_by(appeal.c.at.desc()).limit(1))).first()
        program = await self._found(connection, found.case) if found.program else ""
        source = "person" if found.network else await self._source(connection, found.case)
        again = 0 if last is None or last.closed is None else last.closed + AGAIN
        return Reasons(
            measure=found.measure,
            rule=found.rule,
            words="" if found.words is None else self._text(TOLD, found.words),
            since=found.since,
            until=found.until,
            network=found.network,
            running=found.running,
            appealed="" if last is None else last.state,
            answer="" if last is None or last.answer is None else self._text(WORDS, last.answer),
            again=again if again > now else 0,
            program=program,
            source=source,
        )

    @staticmethod
    async def _source(connection: AsyncConnection, ident: bytes) -> str:
        """Return `Reasons.source` of a case."""
        if (await connection.execute(select(report.c.id).where(report.c.case == ident).limit(1))).first() is not None:
            return "reported"
        alone = select(case.c.id).where(case.c.id == ident, case.c.machine)
        return "found" if (await connection.execute(alone)).first() is not None else "person"

    @staticmethod
    async def _found(connection: AsyncConnection, ident: bytes) -> str:
        """Return the gravest detection of a case, or `program` if the case is deleted."""
        reasons = (await connection.execute(select(case.c.reasons).where(case.c.id == ident))).scalar() or ""
        return program_cause(reasons) or "program"

    def _text(self, domain: bytes, sealed: bytes) -> str:
        try:
            return self._pseudonyms.open_text(domain, sealed)
        except KeyGone:
            return ""
