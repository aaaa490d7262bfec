"""Let moderators work on cases: list, claim, read, decide, undo. The console and the command line both call this module.

**Invariant:** a case is claimed by one moderator at a time, and decided once. A decision is committed together with all its effects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy import and_, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention import stale_cases
from server.data.retention.stale_cases import UNDO
from server.data.schema.hidden_row_conditions import shown_case
from server.data.schema.moderation_schema import OPEN, appeal, case, case_subject, evidence, report
from server.ops.config.moderation_policy import AGE, MINUTE, RULES, WARNED
from server.trust.cases.alike_cases import AlikeCases
from server.trust.cases.case_base import NAME, Found, Missing
from server.trust.cases.case_figures import CaseFigures
from server.trust.cases.case_queues import ListedCase, ReporterRecord
from server.trust.cases.case_search import CaseSearch
from server.trust.cases.picture_review import CasePicture
from server.trust.cases.report_cases import NOTE
from server.trust.child_protection.referral_content import Referrals
from server.trust.decisions.appeal_decisions import EVIDENCE_AFTER, EVIDENCE_AFTER_NONE, EVIDENCE_MOST, AppealDecisions
from server.trust.decisions.case_comments import CaseComment, CaseComments
from server.trust.decisions.second_reviews import SecondReview, SecondReviews, second
from server.trust.evidence import picture_evidence
from server.trust.evidence.chat_evidence import Evidence
from server.trust.sanctions.ban_rows import earlier_steps, impose
from server.trust.sanctions.notice_loader import warn
from server.trust.sanctions.sanction_scale import (
    CLOSING,
    MEMORY,
    Decision,
    Grade,
    Refused,
    allow,
    check_least,
    next_step,
)

LEASE = 15 * MINUTE  # seconds that a claimed case belongs to its moderator
EARLIER_MOST = 50  # earlier decisions that are listed
CHATS_MOST = 20  # chats of a case that are shown at once, the newest
REPORTS_MOST = 50  # reports with a note that are listed at once, the newest first


@dataclass(frozen=True, slots=True)
class CaseReport:
    """A report with its reporter's note; or, without a note, `count` reports of one reason by reporters with the same record."""

    reason: str
    note: str
    record: ReporterRecord
    count: int = 1


@dataclass(frozen=True, slots=True)
class EarlierDecision:
    """A decision about the same user in the last 120 days, or another open case about them. `state`: open, decided, upheld or reversed; `case`:
    its id; `closed`: Unix seconds, of an open case those of its first report.
    """

    closed: int
    measure: str
    rule: str
    state: str
    case: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision. `undo`: Unix seconds until which its moderator may undo it; `second`: the second review, if there is one."""

    closed: int
    decided_by: str
    measure: str
    rule: str
    undo: int
    second: SecondReview | None = None


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case as a moderator reads it. `texts`: the server's own, the newest CHATS_MOST of `chats`. `steps`: rule to the seconds of its ladder's next
    step; `outcome`: the decision, if there is one; `alike`: number of other open cases that began alike.

    `program`: (measure, rule) of a program's action until a person decides; None without one. `pictures`: without their bytes (`PictureReview.look`);
    `child`: Unix seconds since when it is marked as apparent abuse material. `again`: a second review (`second_reviews`): it is
    decided, and this moderator is not shown how.
    """

    listed: ListedCase
    reports: tuple[CaseReport, ...]
    texts: tuple[Evidence, ...]
    country: str
    earlier: tuple[EarlierDecision, ...]
    steps: dict[str, int]
    outcome: Outcome | None
    program: tuple[str, str] | None = None
    pictures: tuple[CasePicture, ...] = ()
    child: int | None = None
    again: bool = False
    chats: int = 0
    comments: tuple[CaseComment, ...] = ()
    alike: int = 0


class CaseWork(AlikeCases, AppealDecisions, SecondReviews, Referrals, CaseComments, CaseSearch, CaseFigures):
    """All work on cases over one store.

    For UNDO seconds its moderator may undo a decision whole, and the case is open as before. A program's action ends with a person's decision,
    whatever that is, and is not restored by undo.
    """

    async def queue_of(self, text: str) -> str:
        """Return the queue of a case, open or decided. Raises Missing, Refused, StoreAway."""
        ident = await self._ident(text)
        async with self._database.read() as connection:
            queue = (await connection.execute(select(case.c.queue).where(case.c.id == ident))).scalar()
        if queue is None:
            raise Missing("refused.case.missing")
        return str(queue)

    async def show(self, text: str, operator: str, why: str) -> OpenedCase:
        """Read a case, with the server's own text of each reported chat. Raises Refused, StoreAway, ObjectsAway."""
        ident = await self._ident(text)
        await self._note("safety show", operator, why, ident, "asked")
        async with self._database.read() as connection:
            row = await self._row(connection, ident)
            again = await self._again(connection, ident, operator)
            subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
            reports = await connection.execute(
                select(report).where(report.c.case == ident).order_by(report.c.at, report.c.id)
            )
            records = (await self._records(connection, select(case.c.id).where(case.c.id == ident))).get(ident, [])
            noted = self._reports(list(zip(reports.all(), records, strict=True)))
            chats = await self._chats(connection, ident)
            earlier = await self._earlier(connection, subject)
            taken = await earlier_steps(connection, subject, self.now, but=ident if again else b"")
            comments = () if again else await self._comments(connection, ident)
            alike = 0 if row.closed is not None else len(await self._alike(connection, row)) - 1
        texts = await self._texts(ident, CHATS_MOST)
        if row.child is not None:
            await self._apart(ident)
        await self._note("safety show", operator, why, ident, "shown")
        return OpenedCase(
            self._listed(row, records),
            noted,
            texts,
            subject.country or "",
            earlier,
            {rule: next_step(rule, len(taken.get(rule, ()))) for rule in RULES},
            None if again else self._outcome(row),
            (row.measure, row.rule) if row.closed is None and row.measure else None,
            await self.shots(ident),
            row.child,
            again,
            chats,
            comments,
            max(0, alike),
        )

    def _reports(self, listed: Sequence[tuple[Found, ReporterRecord]]) -> tuple[CaseReport, ...]:
        """Return the reports with a note, REPORTS_MOST of them, newest first; then those without, counted by reason and record."""
        noted = [one for one in listed if one[0].note is not None][::-1][:REPORTS_MOST]
        plain = Counter((row.reason, replace(record, at=0)) for row, record in listed if row.note is None)
        return (
            *(CaseReport(row.reason, self._opened(row.note, NOTE), record) for row, record in noted),
            *(CaseReport(reason, "", record, count) for (reason, record), count in plain.most_common(REPORTS_MOST)),
        )

    @staticmethod
    async def _chats(connection: AsyncConnection, ident: bytes) -> int:
        """Count the texts of a case."""
        texts = select(func.count()).where(evidence.c.case == ident, not_(picture_evidence.PICTURE))
        return int((await connection.execute(texts)).scalar_one())

    async def claim(self, text: str, operator: str) -> None:
        """Claim an open case for LEASE seconds, or extend the claim. Raises Taken, Refused, StoreAway."""
        ident, now = await self._ident(text), self.now
        free = or_(case.c.claimed_until.is_(None), case.c.claimed_until <= now, case.c.claimed_by == operator[:NAME])
        taking = update(case).where(case.c.id == ident, case.c.state == OPEN, free)
        async with self._database.write() as connection:
            done = await connection.execute(taking.values(claimed_by=operator[:NAME], claimed_until=now + LEASE))
            if not done.rowcount:
                self._free_for(await self._row(connection, ident), operator)

    async def release(self, text: str, operator: str) -> None:
        """Release a case that this moderator has; otherwise do nothing. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        mine = update(case).where(case.c.id == ident, case.c.claimed_by == operator[:NAME], case.c.state == OPEN)
        async with self._database.write() as connection:
            await connection.execute(mine.values(claimed_by=None, claimed_until=None))

    async def next(self, queue: str, operator: str, after: str = "", roles: Set[str] = frozenset()) -> str:
        """Claim the first free case of a queue, or the first after `after`. Return its id, or "" without a free one.

        Cases that were passed on to this moderator, or to one of their `roles`, come first; those passed on to others are left out. Raises StoreAway.
        """
        waiting = list(await self.cases(queue))
        place = next((at for at, one in enumerate(waiting) if one.id == after), -1)
        in_turn = [*waiting[place + 1 :], *waiting[: max(0, place)]]
        for one in sorted(in_turn, key=lambda one: not one.passed_to):
            if one.claimed_by not in ("", operator[:NAME]) or (one.passed_to and not one.is_for(operator, roles)):
                continue
            try:
                await self.claim(one.id, operator)
            except Refused:  # another moderator claimed or decided it meanwhile
                continue
            return one.id
        return ""

    async def step(self, text: str, rule: str) -> int:
        """Return the seconds of the next step of a rule's ladder for a case's subject; WARNED: a warning. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        if rule not in RULES:
            raise Refused("refused.rule")
        async with self._database.read() as connection:
            about = select(case_subject).where(case_subject.c.case == ident)
            subject = (await connection.execute(about)).one()
            return next_step(rule, len((await earlier_steps(connection, subject, self.now)).get(rule, ())))

    async def undoable_decision(self, text: str, operator: str) -> Outcome | None:
        """Return this moderator's own decision about a case while it may be undone, else None. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        async with self._database.read() as connection:
            found = self._outcome(await self._row(connection, ident))
        return found if found and found.decided_by == operator[:NAME] and found.undo >= self.now else None

    async def decide(
        self,
        text: str,
        operator: str,
        why: str,
        decision: Decision,
        grade: Grade = Grade.LEAD,
        batch: bytes | None = None,
    ) -> str:
        """Decide a case. Return the effect in words. `grade`: whose decision it is; `batch`: common to cases that are decided together.

        Raises Refused, StoreAway.
        """
        ident, chosen, now = await self._ident(text), decision.checked(), self.now
        await self._note("safety decide", operator, why, ident, f"asked: {chosen.measure} {chosen.rule}".strip())
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._row(connection, ident)
            self._free_for(row, operator)
            if row.machine or row.child:
                await stale_cases.end_sanctions(connection, [ident], now)
            subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
            if chosen.measure == "ban" and chosen.seconds is None:
                chosen = await self._step(connection, subject, chosen, now)
            check_least(chosen, str(row.mode))
            allow(chosen.measure, chosen.seconds or 0, grade)
            told, stays = "nothing follows", now + EVIDENCE_AFTER_NONE
            pictures = now + (EVIDENCE_AFTER_NONE if chosen.measure in ("none", AGE) else EVIDENCE_MOST)
            if chosen.measure != "none":
                stays = now + EVIDENCE_AFTER
            if chosen.measure == "warning":
                told = await warn(connection, self._pseudonyms, ident, chosen, operator[:NAME], now)
            if chosen.measure in CLOSING:
                told, until = await impose(connection, self._pseudonyms, subject, chosen, operator[:NAME], now)
                stays = max(stays, min(until, now + EVIDENCE_MOST))
            if chosen.measure == AGE:  # data of minors is deleted (`server.trust.child_protection.minor_deletion`)
                stays = now + EVIDENCE_AFTER_NONE
            asked = now if grade < Grade.PAIR and self.drawn() else None
            await self._close(connection, ident, chosen, operator[:NAME], now, asked, batch)
            await picture_evidence.leave(connection, ident, stays, pictures)
        await self._note("safety decide", operator, why, ident, f"{chosen.measure} {chosen.rule}: {told}")
        return told

    async def undo(self, text: str, operator: str, asked: int | None = None) -> None:
        """Undo one's own decision within UNDO seconds: the case is open as before, and claimed. Raises Refused, StoreAway.

        `asked`: Unix seconds of the request, if the undo is one of several.
        """
        ident, now = await self._ident(text), self.now
        await self._note("safety undo", operator, "a decision of a moment ago", ident, "asked")
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = await self._row(connection, ident)
            if row.state != "decided" or row.decided_by != operator[:NAME] or (asked or now) > row.closed + UNDO:
                raise Refused("refused.undo", most=UNDO)
            if (await connection.execute(select(func.count()).where(appeal.c.case == ident))).scalar_one():
                raise Refused("refused.appealed")
            await stale_cases.end_sanctions(connection, [ident], now)
            back = update(case).where(case.c.id == ident)
            await connection.execute(
                back.values(
                    state=OPEN, decided_by=None, measure=None, rule=None, closed=None, claimed_by=operator[:NAME],
                    claimed_until=now + LEASE, second_asked=None, batch=None,
                )
            )  # fmt: skip
            await connection.execute(update(case_subject).where(case_subject.c.case == ident).values(closed=None))
            await connection.execute(update(report).where(report.c.case == ident).values(outcome=None, closed=None))
            await picture_evidence.leave(connection, ident, None, None)
        await self._note("safety undo", operator, "a decision of a moment ago", ident, "done")

    @staticmethod
    def _outcome(row: Found) -> Outcome | None:
        if row.closed is None:
            return None
        return Outcome(
            row.closed, row.decided_by or "", row.measure or "", row.rule or "", row.closed + UNDO, second(row)
        )

    async def _step(self, connection: AsyncConnection, subject: Found, chosen: Decision, now: int) -> Decision:
        """Return the ban with the length of its ladder's next step. Raises Refused if that is a warning."""
        seconds = next_step(chosen.rule, len((await earlier_steps(connection, subject, now)).get(chosen.rule, ())))
        if seconds == WARNED:
            raise Refused("refused.ladder", rule=chosen.rule)
        return Decision(chosen.measure, chosen.rule, seconds, chosen.words)

    async def _close(
        self, connection: AsyncConnection, ident: bytes, chosen: Decision, operator: str, now: int, asked: int | None,
        batch: bytes | None,
    ) -> None:  # fmt: skip
        """Write the rows of a decided case, except its evidence. `asked`: Unix seconds since when a second review is open."""
        outcome = "none" if chosen.measure == "none" else "acted"
        deciding = update(case).where(case.c.id == ident)
        await connection.execute(
            deciding.values(
                state="decided", decided_by=operator, measure=chosen.measure, rule=chosen.rule or None, closed=now,
                second_asked=asked, batch=batch,
            )
        )  # fmt: skip
        await connection.execute(update(case_subject).where(case_subject.c.case == ident).values(closed=now))
        await connection.execute(update(report).where(report.c.case == ident).values(outcome=outcome, closed=now))

    async def _earlier(self, connection: AsyncConnection, subject: Found) -> tuple[EarlierDecision, ...]:
        """Return the decisions about the same user in the last 120 days and their other open cases, newest first.

        Without a cookie, the network counts as the user.
        """
        if subject.identity is None and subject.network is None:
            return ()
        same = (
            case_subject.c.identity == subject.identity
            if subject.identity is not None
            else (case_subject.c.identity.is_(None)) & (case_subject.c.network == subject.network)
        )
        wanted = (
            select(case.c.id, case.c.queue, case.c.opened, case.c.closed, case.c.measure, case.c.rule, case.c.state)
            .join(case_subject, case_subject.c.case == case.c.id)
            .where(
                same,
                case.c.id != subject.case,
                or_(case.c.state == OPEN, and_(case.c.closed > self.now - MEMORY, case.c.measure.is_not(None))),
                shown_case(self.now, case_subject.c.identity, case.c.opened, case.c.id),
            )
            .order_by(func.coalesce(case.c.closed, case.c.opened).desc())
            .limit(EARLIER_MOST)
        )
        rows = (await connection.execute(wanted)).all()
        return tuple(
            EarlierDecision(
                row.opened if row.closed is None else row.closed, row.measure or "", row.rule or "", row.state,
                row.id.hex(), row.queue,
            )
            for row in rows
        )  # fmt: skip
