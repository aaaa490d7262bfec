"""Decide users' appeals, and lift bans.

**Invariant:** an appeal is never decided by the moderator whose decision it is against. A reversed decision no longer lengthens later bans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.privacy import audit_log
from server.data.retention import stale_cases
from server.data.schema.moderation_schema import appeal, ban, case, case_subject, notice, report
from server.ops.config.moderation_policy import DAY
from server.trust.cases.case_base import NAME, CaseBase
from server.trust.cases.user_appeals import ANSWER, WORDS
from server.trust.evidence import picture_evidence
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.sanction_scale import Refused

EVIDENCE_AFTER_NONE = 3 * DAY  # seconds that evidence is kept after a decision without a measure
EVIDENCE_AFTER = 30 * DAY  # after every other, or as long as its ban lasts,
EVIDENCE_MOST = 120 * DAY  # at most; pictures stay as long as that


@dataclass(frozen=True, slots=True)
class Appeal:
    """An open appeal. `decided_by`: the moderator who may not answer it; `until`: of the ban; `words`: the decision's words for the user.

    `network`: written by a user of a refused network, not necessarily the case's subject.
    """

    case: str
    queue: str
    at: int
    text: str
    measure: str
    rule: str
    since: int
    until: int
    words: str
    decided_by: str
    network: bool = False


class AppealDecisions(CaseBase):
    """Appeals and lifted bans, decided by another moderator than the one who decided.

    The answer to an appeal against a program's action decides its case too, because the moderator has read that case.
    """

    async def appeals(self, operator: str) -> Sequence[Appeal]:
        """Return the open appeals, oldest first. Raises StoreAway."""
        why = "the queue of appeals"
        async with audit_log.act(self._database, operator=operator, action="safety appeals", why=why) as act:
            waiting = await self._waiting()
            await act.about([await self._writer(bytes.fromhex(one.case), one.network) for one in waiting])
            act.outcome = f"{len(waiting)} shown"
        return waiting

    async def _writer(self, ident: bytes, network: bool) -> bytes:
        """Return the audit log's subject of an appeal: the case's subject; the writer of a network's appeal is unknown."""
        found = None if network else await audit_log.case_subject_of(self._database, self._pseudonyms, ident)
        return found or self._pseudonyms.audit_subject(ident)

    async def _waiting(self) -> list[Appeal]:
        waiting = (
            select(appeal.c.case, appeal.c.at, appeal.c.text, appeal.c.network, case.c.queue)
            .outerjoin(case, case.c.id == appeal.c.case)
            .where(appeal.c.state == "open")
            .order_by(appeal.c.at, appeal.c.id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(waiting)).all()
            made = await self._made(connection, [row.case for row in rows])
        return [
            Appeal(
                row.case.hex(), row.queue or "", row.at, self._opened(row.text, WORDS), found.measure, found.rule,
                found.since, found.until, self._opened(found.words, TOLD), found.decided_by or "", row.network,
            )
            for row in rows
            if (found := made.get((row.case, row.network))) is not None
        ]  # fmt: skip

    async def answer(
        self, text: str, operator: str, why: str, *, uphold: bool, words: str, network: bool = False
    ) -> None:
        """Decide an appeal. `words`: shown to its writer; `network`: the appeal of the case's network, whose reversal lifts the network's ban alone.

        Only by another moderator than the one who banned. Raises Refused, StoreAway.
        """
        ident = await self._ident(text)
        if len(words) > ANSWER:
            raise Refused("refused.answer", most=ANSWER)
        outcome = "upheld" if uphold else "reversed"
        whose = " (network)" if network else ""
        await self._note("safety answer", operator, why, ident, f"asked: {outcome}{whose}")
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await self._another(connection, ident, operator)
            theirs = (appeal.c.case == ident, appeal.c.network.is_(network), appeal.c.state == "open")
            waiting = update(appeal).where(*theirs)
            sealed = self._pseudonyms.seal_text(WORDS, words) if words else None
            done = await connection.execute(
                waiting.values(state=outcome, decided_by=operator[:NAME], answer=sealed, closed=self.now)
            )
            if not done.rowcount:
                raise Refused("refused.appeal.none")
            if not network:
                await self._looked_at(connection, ident, operator)
            if not uphold and network:
                await stale_cases.end_sanctions(connection, [ident], self.now, network_alone=True, ended=True)
            elif not uphold:
                await self._reverse(connection, ident)
        await self._note("safety answer", operator, why, ident, f"{outcome}{whose}")

    async def unban(self, text: str, operator: str, why: str) -> None:
        """Lift a ban without an appeal. Only by another moderator than the one who banned. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        await self._note("safety unban", operator, why, ident, "asked")
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await self._another(connection, ident, operator)
            running = select(ban.c.id).where(ban.c.case == ident, ban.c.lifted.is_(None), ban.c.until > self.now)
            if not (await connection.execute(running)).first():
                raise Refused("refused.ban")
            waits = select(appeal.c.id).where(
                appeal.c.case == ident, appeal.c.state == "open", appeal.c.network.is_(False)
            )
            if (await connection.execute(waits)).first():
                raise Refused("refused.appeal.waits")
            await self._looked_at(connection, ident, operator)
            await self._reverse(connection, ident)
        await self._note("safety unban", operator, why, ident, "done")

    async def _looked_at(self, connection: AsyncConnection, ident: bytes, operator: str) -> None:
        """Close a program's case that is still open, with the measure that the program chose."""
        is_open = (case.c.id == ident, case.c.closed.is_(None))
        closing = update(case).where(*is_open).values(state="decided", decided_by=operator[:NAME], closed=self.now)
        if (await connection.execute(closing)).rowcount:
            await connection.execute(update(case_subject).where(case_subject.c.case == ident).values(closed=self.now))
            theirs = update(report).where(report.c.case == ident)
            await connection.execute(theirs.values(outcome="acted", closed=self.now))
            await picture_evidence.leave(connection, ident, self.now + EVIDENCE_AFTER, self.now + EVIDENCE_MOST)

    async def _another(self, connection: AsyncConnection, ident: bytes, operator: str) -> None:
        """Check that this moderator did not make the (last) decision. Raises Refused."""
        made = await self._made(connection, [ident])
        newest = made.get((ident, False)) or made.get((ident, True))
        if newest is not None and newest.decided_by == operator[:NAME]:
            raise Refused("refused.own")

    @staticmethod
    async def _made(connection: AsyncConnection, cases: list[bytes]) -> dict[tuple[bytes, bool], Row[Any]]:
        """Return the newest decision by (case, is network), of several rows the longest; the rows outlive their case."""
        warnings = select(
            notice.c.case, literal("identity").label("kind"), literal("warning").label("measure"), notice.c.rule, notice.c.since,
            notice.c.since.label("until"), notice.c.words, notice.c.decided_by,
        ).where(notice.c.case.in_(cases))  # fmt: skip
        bans = select(
            ban.c.case, ban.c.kind, ban.c.measure, ban.c.rule, ban.c.since, ban.c.until, ban.c.words, ban.c.decided_by
        ).where(ban.c.case.in_(cases))
        both = union_all(bans, warnings).order_by("since", "until")
        return {(row.case, row.kind == "network"): row for row in (await connection.execute(both)).all()}

    async def _reverse(self, connection: AsyncConnection, ident: bytes) -> None:
        await stale_cases.end_sanctions(connection, [ident], self.now, ended=True)
        await connection.execute(update(case).where(case.c.id == ident).values(state="reversed"))
        await connection.execute(update(report).where(report.c.case == ident).values(outcome="reversed"))
