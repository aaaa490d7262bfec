"""What a deletion leaves, and why. Rule: these reasons and no others; each names its rows by a query, and the answer names it with its end.

A hold whose order forbids to speak of it is named by nobody: every answer carries one sentence (`words.SENTENCE`), and is made by the same queries. A
duty to preserve is placed as a hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import exists, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention.legal_holds import THEMSELVES
from server.data.schema.chat_schema import hold, hold_match, log_party, party
from server.data.schema.erasure_conditions import exempt_case
from server.data.schema.moderation_schema import ban, case_subject, report

TICKET = 730 * 86_400  # seconds: 24 months


class Exemption(Enum):
    """Why something stays."""

    HOLD = "an order to preserve it, by a court or another authority, or a duty to preserve it"
    MODERATION = "an open report, a ban that runs, or an appeal that waits"
    TRAIL = "when and why operators looked at data, without names: each line 12 months, for it guards everybody's data"
    TICKET = "this request itself, without your records: 24 months"


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays. `until`: Unix seconds; None: until the case, or each line's time, is over."""

    exemption: Exemption
    until: int | None


async def kept(connection: AsyncConnection, values: Sequence[bytes], asked: int, now: int) -> tuple[Kept, ...]:
    """What stays of the person who is stored under these values, in the enum's order. Raises StoreAway."""
    found = []
    if (until := await _held(connection, values, now)) is not None:
        found.append(Kept(Exemption.HOLD, until))
    if (moderated := await _moderated(connection, values, now)) is not None:
        found.append(Kept(Exemption.MODERATION, moderated or None))
    return (*found, Kept(Exemption.TRAIL, None), Kept(Exemption.TICKET, asked + TICKET))


async def _held(connection: AsyncConnection, values: Sequence[bytes], now: int) -> int | None:
    """The end of the last hold on the person, an address of theirs, or a saved log that they are in; what may be told alone."""
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
    """The end of the longest ban, 0 where none runs; None where nothing stays."""
    mine = union_all(
        select(report.c.case).where(report.c.identity.in_(values), exempt_case(now, report.c.case)),
        select(case_subject.c.case).where(case_subject.c.identity.in_(values), exempt_case(now, case_subject.c.case)),
    )
    cases = (await connection.execute(mine)).scalars().all()
    if not cases:
        return None
    running = (ban.c.mac.in_(values), ban.c.lifted.is_(None), ban.c.until > now)
    return (await connection.execute(select(func.max(ban.c.until)).where(*running))).scalar() or 0
