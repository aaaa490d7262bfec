"""What banned people read and write. Rule: who has the address may read why and appeal, without account, cookie or script.

One appeal at a time; another one AGAIN seconds after the last was answered.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.safety.ban_rows import TOLD
from server.safety.bans import APPEAL, SENTENCES
from server.safety.interface import Reasons
from server.security.url_secrets import SECRET, decode
from server.store.database import Database
from server.store.epochs import KeyGone
from server.store.pseudonyms import Pseudonyms
from server.store.safety_schema import appeal, ban

WORDS = b"appeal.text"
LONGEST = 1_000  # characters of an appeal
ANSWER = 300  # characters of what is answered
AGAIN = 7 * 86_400  # seconds


class Appeals:
    """Over one store. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def read(self, text: str) -> Reasons | None:
        """The ban of an appeal's address, by its last part; None where there is none. Raises StoreAway."""
        async with self._database.read() as connection:
            return await self._reasons(connection, await self._bans(connection, text))

    async def write(self, text: str, words: str) -> Reasons | None:
        """Take an appeal, where one may be made now; the ban as it is then. Raises StoreAway."""
        now = int(self._clock())
        async with self._database.write() as connection:
            await self._database.guard(connection)
            bans = await self._bans(connection, text)
            found = await self._reasons(connection, bans)
            if found is None or not found.running or found.appealed == "open" or found.again:
                return found
            await connection.execute(
                insert(appeal).values(
                    id=secrets.token_bytes(16), case=bans[0].case, at=now, state="open", decided_by=None, answer=None,
                    text=self._pseudonyms.seal_text(WORDS, words[:LONGEST]), closed=None,
                )
            )  # fmt: skip
            return await self._reasons(connection, bans)

    async def _bans(self, connection: AsyncConnection, text: str) -> list[Row[tuple[object, ...]]]:
        """The rows of the newest decision: one that was taken back a moment later left its rows too."""
        hashed = self._pseudonyms.secret_hash(APPEAL, decode(text) or bytes(SECRET))
        rows = (await connection.execute(select(ban).where(ban.c.appeal == hashed))).all()
        return [row for row in rows if row.since == max(one.since for one in rows)]

    async def _reasons(self, connection: AsyncConnection, bans: list[Row[tuple[object, ...]]]) -> Reasons | None:
        if not bans:
            return None
        now = int(self._clock())
        newest = select(appeal).where(appeal.c.case == bans[0].case).order_by(appeal.c.at.desc()).limit(1)
        last = (await connection.execute(newest)).first()
        running = [row for row in bans if row.lifted is None and row.until > now]
        again = 0 if last is None or last.closed is None else last.closed + AGAIN
        return Reasons(
            measure=bans[0].measure,
            rule=bans[0].rule,
            sentence=SENTENCES[bans[0].rule],
            words="" if bans[0].words is None else self._text(TOLD, bans[0].words),
            since=bans[0].since,
            until=max(row.until for row in bans),
            kinds=tuple(sorted(row.kind for row in bans)),
            running=bool(running),
            appealed="" if last is None else last.state,
            answer="" if last is None or last.answer is None else self._text(WORDS, last.answer),
            again=again if again > now else 0,
        )

    def _text(self, domain: bytes, sealed: bytes) -> str:
        try:
            return self._pseudonyms.open_text(domain, sealed)
        except KeyGone:
            return ""
