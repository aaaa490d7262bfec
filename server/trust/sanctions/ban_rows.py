"""Write the database rows of a ban, and read a user's earlier sanctions, which make the next one longer.

**Invariant:** the identity (cookie) is banned for the whole length; the network only for a day (a week for the second ban of one identity in 30
days), and never if many users share it. Only an identity has earlier sanctions. The row of a network contains no text for the user, and has an
appeal of its own.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Row, func, insert, literal, not_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.errors import KeyAwaited
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.hidden_row_conditions import erased_row
from server.data.schema.moderation_schema import ban, case, case_subject
from server.data.schema.record_schema import party
from server.ops.config.moderation_policy import AGE, DAY, FOR_GOOD, NEUTRAL
from server.trust.sanctions.ban_table import hash_of
from server.trust.sanctions.sanction_scale import MEMORY, Decision, Refused, end, lasts

SHARED = 5  # identities of one address in a day from which on the address counts as shared
TOLD = b"ban.words"
Found = Row[tuple[object, ...]]


async def earlier_steps(
    connection: AsyncConnection, subject: Found, now: int, *, but: bytes = b""
) -> dict[str, list[tuple[str, int]]]:
    """Return (measure, Unix seconds) of this identity's sanctions of the last 120 days by rule, without reversed ones; a rule without any has no key.

    A subject without an identity has none. `but`: a case whose own measure does not count.
    """
    if subject.identity is None:
        return {}
    since = now - MEMORY
    bans = (
        select(
            ban.c.case, literal("decided").label("state"), ban.c.measure, ban.c.rule, func.min(ban.c.since).label("at")
        )
        .where(
            ban.c.mac == subject.identity,
            ban.c.since > since,
            ban.c.lifted.is_(None),
            ban.c.measure == "ban",
            ban.c.case != but,
        )
        .group_by(ban.c.case, ban.c.measure, ban.c.rule)
    )
    warned = (
        select(case.c.id, case.c.state, case.c.measure, case.c.rule, case.c.closed)
        .join(case_subject, case_subject.c.case == case.c.id)
        .where(
            case_subject.c.identity == subject.identity, case.c.closed > since, case.c.measure == "warning", case.c.id != but,
        )
    )  # fmt: skip
    found: dict[str, list[tuple[str, int]]] = {}
    for row in (await connection.execute(union_all(bans, warned))).all():
        if row.state == "decided":  # as a condition in SQL, SQLite would scan all decided cases
            found.setdefault(row.rule, []).append((row.measure, row.at))
    return found


async def impose(
    connection: AsyncConnection,
    pseudonyms: Pseudonyms,
    subject: Found,
    decision: Decision,
    operator: str | None,
    now: int,
    *,
    neutral: bool = False,
) -> tuple[str, int]:
    """Insert the rows of a ban, within the transaction of a decision that has a length. Return (description in words, Unix seconds of its end).

    `operator`: the moderator, or None for a program. `neutral`: the rule is not stored, so that no page and no answer tells it. Raises Refused.
    """
    seconds = decision.seconds or 0
    until = end(now, seconds)
    rows = [("identity", subject.identity, until)] if subject.identity is not None else []
    alone = decision.measure == AGE and bool(rows)  # the household's other members are not meant
    if subject.network is not None and not alone and not await _shared(connection, pseudonyms, subject.address, now):
        earlier = (await earlier_steps(connection, subject, now)).get(decision.rule, [])
        recent = any(measure == "ban" and since > now - 30 * DAY for measure, since in earlier)
        rows.append(("network", subject.network, min(until, now + (7 if recent else 1) * DAY)))
    if not rows:
        raise Refused("refused.nobody")
    words = pseudonyms.seal_text(TOLD, decision.words) if decision.words else None
    for kind, mac, over in rows:
        network = kind == "network"
        await connection.execute(
            insert(ban).values(
                id=secrets.token_bytes(16), kind=kind, mac=mac, since=now, until=over,
                rule=NEUTRAL if neutral else decision.rule, case=subject.case,
                appeal=hash_of(pseudonyms, subject.case, network=network), measure=decision.measure,
                decided_by=operator, words=None if network else words, lifted=None, changed=now,
            )
        )  # fmt: skip
    return ", ".join(f"{kind} {lasts(over if over >= FOR_GOOD else over - now)}" for kind, _, over in rows), until


async def _shared(connection: AsyncConnection, pseudonyms: Pseudonyms, sealed: bytes | None, now: int) -> bool:
    """Whether SHARED or more identities used this address in the last day."""
    if sealed is None:
        return False
    try:
        macs = pseudonyms.live_addresses(pseudonyms.safety_address(sealed).address)
    except KeyGone:
        return False
    except KeyAwaited:  # unknown: ban the person alone rather than others on the address
        return True
    people = select(func.count(party.c.identity.distinct())).where(
        party.c.address_mac.in_(macs), party.c.ended > now - DAY, not_(erased_row(party.c.identity, party.c.ended))
    )
    return bool((await connection.execute(people)).scalar_one() >= SHARED)
