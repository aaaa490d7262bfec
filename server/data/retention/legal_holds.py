"""Place, extend and end legal holds: orders to preserve all rows of an identity, an address or a saved log, also future rows.

**Invariant:** an active hold takes precedence over deletion and retention. Placing a hold and each step of the purge exclude each other by a lock,
so a hold never misses a row that still existed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms, canonical
from server.data.schema.moderation_schema import ban, case_subject, report
from server.data.schema.record_schema import hold, hold_match, log, log_party, party
from server.http.words.worded_errors import Worded

PRESETS = {
    "order": 90,
    "cybertipline": 365,
    "eu": 60,
}  # days: 18 USC 2703(f); REPORT Act 2024; Regulation (EU) 2023/1543
THEMSELVES = "the person"  # the authority of a hold that a person placed: restriction during a dispute
RESTRICTED = 730  # days until such a hold ends if the dispute does not end before, as does its request
LONGEST = 3 * 366  # days; a longer one is placed again


class BadHold(Worded):
    """The hold is incomplete or impossible."""


@dataclass(frozen=True, slots=True)
class Selector:
    """The subject of a hold.

    `kind` identity: the 63-bit number, or a stored keyed value as hex; address: an IP address; log: its internal id as hex.
    """

    kind: str
    value: str

    def checked(self) -> Selector:
        """Return the selector in canonical spelling. Raises BadHold."""
        try:
            if self.kind == "address":
                return Selector("address", canonical(self.value))
            if self.kind == "log" and len(bytes.fromhex(self.value)) == 16:
                return self
            if self.kind == "identity" and (
                (len(self.value) == 34 and bytes.fromhex(self.value)) or 0 < int(self.value) < 2**63
            ):
                return self
        except ValueError:
            pass
        raise BadHold("refused.hold.kind", kind=self.kind)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as operators see it."""

    id: int
    kind: str
    authority: str
    reason: str
    secret: bool
    placed: int
    until: int
    released: int | None
    values: int


def values(selector: Selector, pseudonyms: Pseudonyms) -> set[bytes]:
    """Return all keyed values under which rows of this selector are stored today."""
    if selector.kind == "log":
        return {bytes.fromhex(selector.value)}
    if selector.kind == "address":
        return {
            *pseudonyms.live_addresses(selector.value),
            pseudonyms.kept_address_mac(selector.value),
            pseudonyms.safety_network(selector.value),
        }
    if len(selector.value) == 34:
        return {bytes.fromhex(selector.value)}
    number = int(selector.value)
    return {*pseudonyms.live_identities(number), pseudonyms.kept_identity(number), pseudonyms.safety_identity(number)}


async def values_held(connection: AsyncConnection, pseudonyms: Pseudonyms, selector: Selector) -> set[bytes]:
    """Return the keyed values of the holds on this selector: under some of them rows outlive the key of their epoch."""
    found: set[bytes] = set()
    for row in (await connection.execute(select(hold.c.id, hold.c.selector).where(hold.c.kind == selector.kind))).all():
        if pseudonyms.open_selector(row.selector) == f"{selector.kind} {selector.value}":
            theirs = select(hold_match.c.value).where(hold_match.c.hold == row.id)
            found |= set((await connection.execute(theirs)).scalars())
    return found


async def place(
    database: Database,
    pseudonyms: Pseudonyms,
    selector: Selector,
    *,
    authority: str,
    reason: str,
    now: int,
    until: int,
    secret: bool,
) -> int:
    """Place a hold, and return its number. When it returns, no later purge step deletes its rows. Raises BadHold, StoreAway."""
    async with database.write() as connection:
        await database.guard(connection)
        return await place_within(
            connection, pseudonyms, selector, authority=authority, reason=reason, now=now, until=until, secret=secret
        )


async def place_within(
    connection: AsyncConnection,
    pseudonyms: Pseudonyms,
    selector: Selector,
    *,
    authority: str,
    reason: str,
    now: int,
    until: int,
    secret: bool,
) -> int:
    """Do the same within a transaction under the guard. Raises BadHold."""
    selector = selector.checked()
    if not authority.strip() or not reason.strip():
        raise BadHold("refused.hold.needs")
    _check_end(now, until)
    row = {
        "kind": selector.kind,
        "selector": pseudonyms.seal_selector(f"{selector.kind} {selector.value}"),
        "authority": authority.strip()[:200],
        "reason": reason.strip()[:500],
        "secret": secret,
        "placed": now,
        "until": until,
    }
    return await _put(connection, row, values(selector, pseudonyms))


async def restrict(connection: AsyncConnection, pseudonyms: Pseudonyms, identity: int, why: str, now: int) -> int:
    """Place a hold of a person on their own records, and return its number. Call within a transaction under the guard."""
    row = {
        "kind": "identity",
        "selector": pseudonyms.seal_selector(f"identity {identity}"),
        "authority": THEMSELVES,
        "reason": why.strip()[:500],
        "secret": False,
        "placed": now,
        "until": now + RESTRICTED * 86_400,
    }
    return await _put(connection, row, values(Selector("identity", str(identity)), pseudonyms))


async def preserve(
    connection: AsyncConnection, pseudonyms: Pseudonyms, value: bytes, authority: str, why: str, now: int, until: int
) -> int:
    """Place a secret hold that a law requires, on a stored value, and return its number. Call within a transaction under the guard.

    An active hold for the same authority is extended to the later end.
    """
    same = (
        select(hold.c.id)
        .join(hold_match, hold_match.c.hold == hold.c.id)
        .where(
            hold_match.c.value == value, hold.c.authority == authority, hold.c.released.is_(None), hold.c.until > now
        )
        .order_by(hold.c.id)
        .limit(1)
    )
    there = (await connection.execute(same)).scalar()
    if there is not None:
        longer = update(hold).where(hold.c.id == there, hold.c.until < until)
        await connection.execute(longer.values(until=until))
        return int(there)
    row = {
        "kind": "identity",
        "selector": pseudonyms.seal_selector(f"identity {value.hex()}"),
        "authority": authority[:200],
        "reason": why[:500],
        "secret": True,
        "placed": now,
        "until": until,
    }
    return await _put(connection, row, {value})


async def _put(connection: AsyncConnection, row: dict[str, object], wanted: set[bytes]) -> int:
    number = int((await connection.execute(insert(hold).values(row).returning(hold.c.id))).scalar_one())
    await _match(connection, number, wanted)
    return number


async def end_of(connection: AsyncConnection, number: int, reason: str, now: int) -> int | None:
    """Return when a hold ends; None if none with this number and reason is in force. `reason`: as for `set_secret`."""
    wanted = select(hold.c.until).where(
        hold.c.id == number, hold.c.reason == reason, hold.c.released.is_(None), hold.c.until > now
    )
    found = (await connection.execute(wanted)).scalar()
    return None if found is None else int(found)


async def move_end(connection: AsyncConnection, number: int, now: int, until: int) -> None:
    """Move the end of a hold that is in force. Call within a transaction under the guard. Raises BadHold."""
    _check_end(now, until)
    await connection.execute(update(hold).where(hold.c.id == number).values(until=until))


def _check_end(now: int, until: int) -> None:
    """Raise BadHold for an end that is past, or too far away."""
    if not now < until <= now + LONGEST * 86_400:
        raise BadHold("refused.hold.end", most=LONGEST)


async def set_secret(connection: AsyncConnection, number: int, reason: str, *, secret: bool) -> None:
    """Change whether a hold is secret, within a transaction. `reason`: that of the hold, since SQLite gives the number of a deleted one again."""
    await connection.execute(update(hold).where(hold.c.id == number, hold.c.reason == reason).values(secret=secret))


async def count_matches(database: Database, wanted: set[bytes]) -> dict[str, int]:
    """Return the number of rows that these values name today: parties, saved logs, and cases with their rows. Reveals nothing about them."""
    some = sorted(wanted)
    people = (
        select(func.count()).select_from(party).where(or_(party.c.identity.in_(some), party.c.address_mac.in_(some)))
    )
    theirs = select(log_party.c.log).where(or_(log_party.c.identity.in_(some), log_party.c.address_mac.in_(some)))
    logs = select(func.count()).select_from(log).where(or_(log.c.id.in_(some), log.c.id.in_(theirs)))
    about = select(case_subject.c.case).where(or_(case_subject.c.identity.in_(some), case_subject.c.network.in_(some)))
    by, barred = (
        select(table.c.case).where(column.in_(some))
        for table, column in ((report, report.c.identity), (ban, ban.c.mac))
    )
    cases = select(func.count()).select_from(about.union(by, barred).subquery())
    async with database.read() as connection:
        return {
            "cases": int((await connection.execute(cases)).scalar_one()),
            "parties": int((await connection.execute(people)).scalar_one()),
            "logs": int((await connection.execute(logs)).scalar_one()),
        }


async def refresh(database: Database, pseudonyms: Pseudonyms, now: int) -> int:
    """Add the keyed values of epochs begun since, and return their number. The purge does this before it deletes anything."""
    added = 0
    async with database.write() as connection:
        await database.guard(connection)
        active = select(hold.c.id, hold.c.selector).where(hold.c.released.is_(None), hold.c.until > now)
        for row in (await connection.execute(active)).all():
            kind, _, value = pseudonyms.open_selector(row.selector).partition(" ")
            added += await _match(connection, row.id, values(Selector(kind, value), pseudonyms))
    return added


async def _match(connection: AsyncConnection, number: int, wanted: set[bytes]) -> int:
    present = {
        row.value for row in await connection.execute(select(hold_match.c.value).where(hold_match.c.hold == number))
    }
    new = [{"hold": number, "value": value} for value in sorted(wanted - present)]
    if new:
        await connection.execute(insert(hold_match), new)
    return len(new)


async def release(database: Database, number: int, now: int) -> bool:
    """End a hold early; rows that it alone kept are deleted by the next purge. False: no active hold has this number."""
    async with database.write() as connection:
        await database.guard(connection)
        ended = (
            update(hold).where(hold.c.id == number, hold.c.released.is_(None), hold.c.until > now).values(released=now)
        )
        return (await connection.execute(ended)).rowcount > 0


async def list_holds(database: Database) -> Sequence[Hold]:
    """Return all stored holds, newest first."""
    async with database.read() as connection:
        rows = (await connection.execute(select(hold).order_by(hold.c.id.desc()))).all()
        matches = (await connection.execute(select(hold_match.c.hold))).scalars().all()
    return [
        Hold(
            row.id,
            row.kind,
            row.authority,
            row.reason,
            row.secret,
            row.placed,
            row.until,
            row.released,
            matches.count(row.id),
        )
        for row in rows
    ]


async def clear_ended(connection: AsyncConnection, now: int) -> int:
    """Delete the holds that are over, within a purge step (the audit log records that they existed)."""
    over = or_(hold.c.released.is_not(None), hold.c.until <= now)
    await connection.execute(delete(hold_match).where(hold_match.c.hold.in_(select(hold.c.id).where(over))))
    return (await connection.execute(delete(hold).where(over))).rowcount
