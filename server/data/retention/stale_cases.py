"""Close old cases without a decision, lift bans with unanswered appeals, and end automatic measures without a review, as steps of the purge.

**Invariant:** a decision that was undone restores the whole case, even if the process was killed in between.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention import monthly_counts
from server.data.schema.hold_conditions import held_case
from server.data.schema.moderation_schema import OPEN, appeal, ban, case, case_subject, evidence, notice, report
from server.data.schema.record_schema import doomed

AGED = 30  # days
LAPSE = 14  # days that an appeal may wait
SHORT = 30  # days of a ban that an unanswered appeal lifts
UNDO = 30  # seconds in which a decision can be undone as a whole
REVIEW = 72  # hours that an action of a program may wait for a moderator
UNREVIEWED = 3 * 86_400  # seconds that the text of such a case stays: as if a moderator had found nothing


async def close_aged_cases(connection: AsyncConnection, now: int, most: int) -> int:
    """Close cases without a decision for AGED days, `most` at a time; return their number. Call within a transaction under the guard.

    Cases with apparent abuse material are excluded: a moderator has to decide them, whenever that is.

    Reporters are notified, and the texts and pictures of the case are deleted.
    """
    old = select(case.c.id).where(case.c.state == OPEN, case.c.opened < now - AGED * 86_400, case.c.child.is_(None))
    aged = (await connection.execute(old.limit(most))).scalars().all()
    if aged:
        await connection.execute(update(case).where(case.c.id.in_(aged)).values(state="aged", closed=now))
        await connection.execute(update(case_subject).where(case_subject.c.case.in_(aged)).values(closed=now))
        theirs = update(report).where(report.c.case.in_(aged))
        await connection.execute(theirs.values(outcome="aged", closed=now))
        await connection.execute(theirs.where(not_(held_case(now, report.c.case))).values(note=None))
        await connection.execute(update(evidence).where(evidence.c.case.in_(aged)).values(until=now))
    return len(aged)


async def delete_notes(connection: AsyncConnection, now: int, most: int) -> int:
    """Delete reporters' notes once a decision is final, `most` at a time; return their number. Call within a transaction under the guard."""
    over = select(report.c.id).where(report.c.closed < now - UNDO, report.c.note.is_not(None))
    stale = (await connection.execute(over.where(not_(held_case(now, report.c.case))).limit(most))).scalars().all()
    if stale:
        await connection.execute(update(report).where(report.c.id.in_(stale)).values(note=None))
    return len(stale)


async def delete_evidence(connection: AsyncConnection, now: int, most: int) -> int:
    """Delete expired evidence, `most` pieces at a time; return their number. Call within a transaction under the guard.

    The sweep removes the objects.

    Evidence expires at its own `until`, which the decision sets, unless a legal hold names the person concerned.
    """
    over = (
        select(evidence.c.id, evidence.c.object)
        .where(evidence.c.until <= now, not_(held_case(now, evidence.c.case)))
        .limit(most)
    )
    gone = (await connection.execute(over)).all()
    if gone:
        await connection.execute(delete(evidence).where(evidence.c.id.in_([row.id for row in gone])))
        await connection.execute(
            doomed.insert(), [{"object": row.object, "since": now, "erasure": None} for row in gone]
        )
    return len(gone)


async def lift_unanswered_bans(connection: AsyncConnection, now: int, most: int) -> int:
    """Lift the bans whose appeal was not answered in time, and mark those that have run out, as a reversal does. Return their number, at most `most`.

    A network's appeal lifts that network's ban alone. The appeal was unanswered for LAPSE days, and the ban lasts at most SHORT days. Call within
    a transaction under the guard.
    """
    mine = await _lapse(connection, now, most, network=False)
    return mine + await _lapse(connection, now, most, network=True)


async def _lapse(connection: AsyncConnection, now: int, most: int, *, network: bool) -> int:
    kind = "network" if network else "identity"
    late = (
        select(appeal.c.case)
        .join(ban, ban.c.case == appeal.c.case)
        .where(
            appeal.c.state == "open",
            appeal.c.network.is_(network),
            appeal.c.at < now - LAPSE * 86_400,
            appeal.c.case.not_in(
                select(ban.c.case).where(ban.c.kind == kind, ban.c.until - ban.c.since > SHORT * 86_400)
            ),
        )
        .distinct()
        .limit(most)
    )
    lapsed = (await connection.execute(late)).scalars().all()
    if lapsed:
        await end_sanctions(connection, list(lapsed), now, network_alone=network, ended=True)
        theirs = (appeal.c.case.in_(lapsed), appeal.c.network.is_(network))
        waiting = update(appeal).where(*theirs, appeal.c.state == "open")
        await connection.execute(waiting.values(state="lapsed", closed=now))
    return len(lapsed)


async def end_unreviewed_actions(connection: AsyncConnection, now: int, most: int) -> int:
    """End programs' actions without a review in REVIEW hours, `most` cases at a time; return their number. Call within a transaction under the guard.

    A case with reports by users, or with apparent abuse material, stays open for a moderator, without the measure; other cases are closed.
    """
    unseen = select(case.c.id).where(
        case.c.machine, case.c.measure.is_not(None), case.c.closed.is_(None), case.c.opened < now - REVIEW * 3_600
    )
    late = list((await connection.execute(unseen.limit(most))).scalars().all())
    if late:
        await end_sanctions(connection, late, now)
        waiting = select(report.c.case).where(report.c.case.in_(late), report.c.closed.is_(None))
        grave = select(case.c.id).where(case.c.id.in_(late), case.c.child.is_not(None))
        stay = set((await connection.execute(waiting.union(grave))).scalars().all())
        alone = [ident for ident in late if ident not in stay]
        await connection.execute(update(case).where(case.c.id.in_(stay)).values(measure=None, rule=None))
        await connection.execute(update(case).where(case.c.id.in_(alone)).values(state="lifted", closed=now))
        await connection.execute(update(case_subject).where(case_subject.c.case.in_(alone)).values(closed=now))
        await connection.execute(update(evidence).where(evidence.c.case.in_(alone)).values(until=now + UNREVIEWED))
        await monthly_counts.add(connection, monthly_counts.month_of(now), "lifted", len(late))
    return len(late)


async def end_sanctions(
    connection: AsyncConnection, cases: list[bytes], now: int, *, network_alone: bool = False, ended: bool = False
) -> None:
    """Lift the bans of these cases and withdraw their warnings, within a transaction.

    `network_alone`: only the bans of their networks; `ended`: mark also bans that have run out as lifted, and leave their end as it was.
    """
    theirs: list[ColumnElement[bool]] = [ban.c.case.in_(cases), ban.c.lifted.is_(None)]
    if network_alone:
        theirs.append(ban.c.kind == "network")
    if ended:
        await connection.execute(update(ban).where(*theirs, ban.c.until <= now).values(lifted=now, changed=now))
    await connection.execute(update(ban).where(*theirs, ban.c.until > now).values(lifted=now, until=now, changed=now))
    if network_alone:
        return
    warned = update(notice).where(notice.c.case.in_(cases), notice.c.lifted.is_(None))
    await connection.execute(warned.values(lifted=now, changed=now))
