"""Let moderators comment on cases, and pass a case on to another moderator or to a role.

**Invariant:** a comment is sealed, is read only with its case, and is deleted DEFAULT_DAYS after it was written. Passing on changes no permission:
the caller checks that the receiver may open the queue.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.schema.moderation_schema import OPEN, case, case_comment
from server.ops.config.moderation_policy import URGENT
from server.trust.cases.case_base import NAME, CaseBase
from server.trust.sanctions.sanction_scale import Refused

COMMENT = b"case.comment"  # domain of the sealed text
LONGEST = 500  # characters of a comment
COMMENTS_MOST = 50  # comments of a case


@dataclass(frozen=True, slots=True)
class CaseComment:
    """A comment. `at`: Unix seconds; `passed_to`: the moderator, or @role, that received the case with it, or empty."""

    at: int
    by: str
    text: str
    passed_to: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A case that a moderator has now. `until`: Unix seconds at which the claim ends."""

    case: str
    queue: str
    by: str
    until: int


class CaseComments(CaseBase):
    """Comments on cases, passing on, and the claims of all moderators."""

    async def comment(self, text: str, operator: str, words: str) -> None:
        """Write a comment on a case, open or decided. Raises Refused, StoreAway."""
        ident, said = await self._ident(text), _checked(words)
        await self._note("safety comment", operator, "work in the console", ident, f"{len(said)} characters")
        async with self._database.write() as connection:
            await self._row(connection, ident)
            await self._write_comment(connection, ident, operator, said, None)

    async def pass_on(self, text: str, operator: str, target: str, words: str) -> None:
        """Reserve an open case for a moderator or @role, and release it. Raises Refused, StoreAway.

        The role `child` reads the queue of apparent abuse material, so that a case for it moves there.
        """
        ident, said = await self._ident(text), _checked(words)
        await self._note("safety pass", operator, "work in the console", ident, f"to {target}")
        values: dict[str, object] = {"passed_to": target, "claimed_by": None, "claimed_until": None}
        if target == "@child":
            values["queue"] = URGENT
        async with self._database.write() as connection:
            await self._database.guard(connection)
            self._free_for(await self._row(connection, ident), operator)
            await connection.execute(update(case).where(case.c.id == ident).values(values))
            await self._write_comment(connection, ident, operator, said, target)

    async def claims(self) -> tuple[Claim, ...]:
        """Return the cases that moderators have now, by moderator. Raises StoreAway."""
        wanted = select(case.c.id, case.c.queue, case.c.claimed_by, case.c.claimed_until).where(
            case.c.state == OPEN, case.c.claimed_until > self.now
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(case.c.claimed_by, case.c.claimed_until))).all()
        return tuple(Claim(row.id.hex(), row.queue, row.claimed_by, row.claimed_until) for row in rows)

    async def _comments(self, connection: AsyncConnection, ident: bytes) -> tuple[CaseComment, ...]:
        """Return the comments on a case, oldest first."""
        wanted = select(case_comment).where(case_comment.c.case == ident).order_by(case_comment.c.at, case_comment.c.id)
        return tuple(
            CaseComment(row.at, row.by, self._opened(row.text, COMMENT), row.passed_to or "")
            for row in (await connection.execute(wanted.limit(COMMENTS_MOST))).all()
        )

    async def _write_comment(
        self, connection: AsyncConnection, ident: bytes, operator: str, words: str, target: str | None
    ) -> None:
        had = select(func.count()).where(case_comment.c.case == ident)
        if (await connection.execute(had)).scalar_one() >= COMMENTS_MOST:
            raise Refused("refused.comments", most=COMMENTS_MOST)
        await connection.execute(
            insert(case_comment).values(
                id=time.time_ns().to_bytes(8) + secrets.token_bytes(8), case=ident, at=self.now, by=operator[:NAME], passed_to=target,
                text=self._pseudonyms.seal_text(COMMENT, words),
            )
        )  # fmt: skip


def _checked(words: str) -> str:
    """Return a comment's text. Raises Refused if it is empty or too long."""
    said = words.strip()
    if not said or len(said) > LONGEST:
        raise Refused("refused.comment", most=LONGEST)
    return said
