"""Return the pictures of a case to a moderator, one by one, and mark apparent child abuse material.

**Invariant:** each view is in the audit log before the picture is returned. Pictures in the folder `child/` (apparent child abuse material) are
given only to moderators with the role `child`, and only after they state a reason.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from server.data.errors import ObjectsAway
from server.data.retention.monthly_counts import SEEN
from server.data.schema.moderation_schema import OPEN, case, case_subject, evidence
from server.ops.config.moderation_policy import CHILDREN, DAY, PAUSE
from server.trust.cases import automatic_bans
from server.trust.cases.case_base import NAME, CaseBase, Missing
from server.trust.evidence import child_abuse_material as child
from server.trust.evidence import picture_evidence
from server.trust.sanctions.ban_rows import impose
from server.trust.sanctions.sanction_scale import Decision, Refused

PAUSED = Decision(PAUSE, CHILDREN, DAY)  # of the subject of a marked case, until it is decided


@dataclass(frozen=True, slots=True)
class CasePicture:
    """A picture of a case, without its bytes. `kind`: strip, own or sent; `subject`: of the subject's camera, or sent by them; `at`: Unix seconds;
    `child`: apparent abuse material; `listed`: the hash list's entry that it matches, or empty.
    """

    id: str
    kind: str
    subject: bool
    at: int
    child: bool
    listed: str = ""


class PictureReview(CaseBase):
    """Review of pictures by a moderator."""

    async def shots(self, ident: bytes) -> tuple[CasePicture, ...]:
        """List the pictures of a case, oldest first. Raises StoreAway."""
        wanted = select(evidence).where(evidence.c.case == ident, picture_evidence.PICTURE, self._there)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(evidence.c.made, evidence.c.id))).all()
        return tuple(
            CasePicture(
                row.id.hex(),
                row.kind,
                bool(row.subject),
                row.made,
                row.object.startswith(picture_evidence.CHILD),
                row.listed or "",
            )
            for row in rows
        )

    async def look(self, text: str, piece: str, operator: str, why: str, *, role: bool = False) -> bytes:
        """Return one picture of a case. `role`: the moderator has the role child. Raises Missing, Refused, StoreAway, ObjectsAway.

        Missing is raised too if another moderator has the case, or the object is gone.
        """
        ident = await self._ident(text)
        one = bytes.fromhex(piece) if len(piece) == 32 else b""
        free = or_(
            case.c.state != OPEN, case.c.claimed_by == operator[:NAME], case.c.claimed_until.is_(None),
            case.c.claimed_until <= self.now,
        )  # fmt: skip
        wanted = (
            select(evidence.c.object, evidence.c.object_key)
            .join(case, case.c.id == evidence.c.case)
            .where(evidence.c.id == one, evidence.c.case == ident, picture_evidence.PICTURE, self._there, free)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None or (row.object.startswith(picture_evidence.CHILD) and not (role and why.strip())):
            raise Missing("refused.case.missing")
        await self._note(SEEN, operator, why, ident, f"picture {piece}")
        body = await self._sealed.get(row.object, row.object_key)
        if body is None:
            raise Missing("refused.case.missing")
        return body

    @property
    def _there(self) -> ColumnElement[bool]:
        """Condition that a picture has not expired."""
        return or_(evidence.c.until.is_(None), evidence.c.until > self.now)

    async def child(self, text: str) -> bool:
        """Whether a case has apparent abuse material. Raises Missing, Refused, StoreAway."""
        ident = await self._ident(text)
        async with self._database.read() as connection:
            return await child.is_marked(connection, ident)

    async def mark(self, text: str, operator: str, why: str) -> None:
        """Mark apparent abuse material in a case: kept for a year in its own folder, its subject paused for a day; the case stays open.

        Raises Refused, StoreAway, ObjectsAway; steps already done then stay done, and it may be called again.
        """
        ident, now = await self._ident(text), self.now
        if not why.strip():
            raise Refused("refused.why")
        await self._note("safety mark", operator, why, ident, "asked")
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._row(connection, ident)
            if row.state == OPEN:
                self._free_for(row, operator)
            held = await child.mark(connection, self._pseudonyms, ident, now)
            if not await automatic_bans.is_banned(connection, ident, now):
                subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
                with contextlib.suppress(Refused):  # neither identity nor network is known: the material is kept
                    await impose(connection, self._pseudonyms, subject, PAUSED, operator[:NAME], now, neutral=True)
        moved = await child.move_apart(self._database, self._sealed, ident, now)
        await self._note(
            "safety mark", operator, why, ident, f"{moved} pictures apart, {'held' if held else 'no hold'}"
        )

    async def _apart(self, ident: bytes) -> None:
        """Move what could not be moved before."""
        with contextlib.suppress(ObjectsAway):
            await child.move_apart(self._database, self._sealed, ident, self.now)
