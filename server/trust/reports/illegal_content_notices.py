"""Store public notices: anyone may report illegal content, or a child who uses this server, without being in a chat (DSA, Art. 16).

**Invariant:** the writer needs no account, cookie or script. Words and contact are encrypted, and nothing of the writer's connection is stored. At
most BOUND notices wait for an answer.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from sqlalchemy import func, insert, select

from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.transparency_schema import law_notice
from server.ops.security.url_token_generator import SECRET, decode, draw, encode
from server.trust.moderation_protocol import NoticeAnswer, NoticeForm

BOUND = 10_000  # open notices; beyond it the page names the operator's mail and postal address
OPEN = "open"
RECEIPT = b"law.receipt"
ABOUT, WORDS, CONTACT, ANSWER = b"law.about", b"law.text", b"law.contact", b"law.answer"


class PublicNotices:
    """Public notices in one store. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def write(self, written: NoticeForm) -> str | None:
        """Store a notice. Return the last part of its receipt's address, or None if too many wait. Raises StoreAway."""
        secret, seal = draw(), self._pseudonyms.seal_text
        waiting = select(func.count()).select_from(law_notice).where(law_notice.c.state == OPEN)
        async with self._database.write() as connection:
            if (await connection.execute(waiting)).scalar_one() >= BOUND:
                return None
            await connection.execute(
                insert(law_notice).values(
                    id=secrets.token_bytes(16), at=int(self._clock()), kind=written.kind, state=OPEN, decided_by=None, answer=None,
                    about=seal(ABOUT, written.about) if written.about else None, text=seal(WORDS, written.words),
                    contact=seal(CONTACT, written.contact) if written.contact else None,
                    receipt=self._pseudonyms.secret_hash(RECEIPT, secret), closed=None,
                )
            )  # fmt: skip
        return encode(secret)

    async def read(self, receipt: str) -> NoticeAnswer | None:
        """Return the outcome of a notice by the last part of its receipt's address, or None for an unknown one. Raises StoreAway."""
        hashed = self._pseudonyms.secret_hash(RECEIPT, decode(receipt) or bytes(SECRET))
        async with self._database.read() as connection:
            row = (await connection.execute(select(law_notice).where(law_notice.c.receipt == hashed))).first()
        if row is None:
            return None
        return NoticeAnswer(row.state, row.at, row.closed, opened(self._pseudonyms, ANSWER, row.answer), row.kind)


def opened(pseudonyms: Pseudonyms, domain: bytes, sealed: bytes | None) -> str:
    """Return sealed words; empty for None, or if their key is gone."""
    if sealed is None:
        return ""
    try:
        return pseudonyms.open_text(domain, sealed)
    except KeyGone:
        return ""
