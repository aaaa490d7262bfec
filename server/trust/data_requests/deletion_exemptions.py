"""List the data that a deletion keeps, with the reason and the end of each.

**Invariant:** data is kept only for a reason of `Exemption`; each reason has a query that finds its rows. A legal hold that may not be disclosed is
never named: every answer has the same sentence and takes the same queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import exists, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention.legal_holds import THEMSELVES
from server.data.schema.hidden_row_conditions import exempt_case
from server.data.schema.moderation_schema import ban, case_subject, report
from server.data.schema.record_schema import hold, hold_match, log_party, party

TICKET = 730 * 86_400  # seconds: 24 months


class Exemption(Enum):
    """A reason to keep something."""

    HOLD = "an order to preserve it, by a court or another authority, or a duty to preserve it"
    MODERATION = "an open report, a ban that runs, or an appeal that waits"
    TRAIL = "when and why operators looked at data, without names: each line 12 months, for it guards everybody's data"
    TICKET = "this request itself, without your records: 24 months"


@dataclass(frozen=True, slots=True)
class Exempted:
    """Something kept. `until`: Unix seconds; None: until the case, or each line's time, is over."""

    exemption: Exemption
    until: int | None


async def kept(connection: AsyncConnection, values: Sequence[bytes], asked: int, now: int) -> tuple[Exempted, ...]:
    """Return what is kept of the person stored under these values, in the enum's order. Raises StoreAway.

    A hold whose order forbids disclosure is covered by the sentence of every answer, `receipt_words.SENTENCE`. A duty to preserve is a hold.
    """
    found = []
    if (until := await _held(connection, values, now)) is not None:
        found.append(Exempted(Exemption.HOLD, until))
    if (moderated := await _moderated(connection, values, now)) is not None:
        found.append(Exempted(Exemption.MODERATION, moderated or None))
    return (*found, Exempted(Exemption.TRAIL, None), Exempted(Exemption.TICKET, asked + TICKET))


async def _held(connection: AsyncConnection, values: Sequence[bytes], now: int) -> int | None:
    """Return the end of the last disclosable hold on the person, their address, or a saved log that they are in."""
    address = select(party.c.chat).where(party.c.address_mac == hold_match.c.value, party.c.identity.in_(values))
    by_log = or_(log_party.c.log == hold_match.c.value, log_party.c.address_mac == hold_match.c.value)
    logs = select(log_party.c.log).where(log_party.c.identity.in_(values), by_log)
    theirs = or_(hold_match.c.value.in_(values), exists(address), exists(logs))
    told = (hold.c.released.is_(None), hold.c.until > now, hold.c.secret.is_(False), hold.c.authority != THEMSELVES)
    matched = exists(select(hold_match.c.hold).where(hold_match.c.hold == hold.c.id, theirs))
    wanted = select(func.max(hold.c.until)).where(*told, matched)  # from the holds, which are few, to the person's rows
    until: int | None = (await connection.execute(wanted)).scalar()
    return until


async def _moderated(connection: AsyncConnection, values: Sequence[bytes], now: int) -> int | None:
    """Return the end of the longest ban, 0 without a ban in force; None if nothing is kept."""
    mine = union_all(
        select(report.c.case).where(report.c.identity.in_(values), exempt_case(now, report.c.case)),
        select(case_subject.c.case).where(case_subject.c.identity.in_(values), exempt_case(now, case_subject.c.case)),
    )
    cases = (await connection.execute(mine)).scalars().all()
    if not cases:
        return None
    running = (ban.c.mac.in_(values), ban.c.lifted.is_(None), ban.c.until > now)
    return (await connection.execute(select(func.max(ban.c.until)).where(*running))).scalar() or 0
