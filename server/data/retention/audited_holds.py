"""Place and release legal holds as an operator's acts, with their lines in the audit log.

**Invariant:** the audit log has a line before anything is looked up. The console and the command line both call this module.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from server.data.chat_logs.log_removal import last
from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.data.privacy.audit_log import AuditedAction
from server.data.retention import legal_holds
from server.data.retention.legal_holds import BadHold, Selector
from server.ops.security import secret_keys
from server.ops.security.identity_cookie import Identities

DAY = 86_400


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to place: on `chosen`, or else on the saved log of the address `log`; for `days`."""

    chosen: Selector | None
    log: str
    authority: str
    reason: str
    days: int
    secret: bool


def chosen_selector(data: Path, identity: str, address: str) -> Selector | None:
    """Return the identity or address that an operator typed; None for neither. Nothing is looked up. Raises BadHold.

    `data`: folder with the keys; `identity`: a cookie's value, or a stored keyed value as hex.
    """
    if address:
        return Selector("address", address).checked()
    if not identity:
        return None
    keys = secret_keys.load(data).lasting
    number = Identities(keys[secret_keys.Purpose.COOKIE]).of(identity.encode())
    return Selector("identity", str(number) if number else identity).checked()


async def place(
    database: Database, logs: SavedLogs, one: NewHold, operator: str, now: int, *, dry: bool = False
) -> str:
    """Place a hold, or count what it would hold; return the outcome in words. Raises BadHold, StoreAway."""
    pseudonyms = logs.pseudonyms
    if one.chosen is None:
        subject = audit_log.log_address_subject(pseudonyms, last(one.log))
    else:
        subject = _subject(pseudonyms, one.chosen)
    async with audit_log.act(
        database, operator=operator, action="hold place", why=f"{one.authority}: {one.reason}", subject=subject, dry=dry
    ) as act:
        selector = one.chosen or await _of_log(database, logs, act, last(one.log))
        found = await legal_holds.count_matches(database, legal_holds.values(selector, pseudonyms))
        rows = f"{found['parties']} chats, {found['logs']} saved logs, {found['cases']} cases"
        if dry:
            act.outcome = f"would hold {rows} of today"
            return act.outcome
        until = now + one.days * DAY
        number = await legal_holds.place(
            database, pseudonyms, selector,
            authority=one.authority, reason=one.reason, now=now, until=until, secret=one.secret,
        )  # fmt: skip
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(until))
        act.outcome = f"hold {number}: {rows}, and what comes, until {at}"
    return act.outcome


async def release(database: Database, number: int, operator: str, why: str, now: int) -> bool:
    """End a hold. False: no active hold has this number. Raises StoreAway."""
    async with audit_log.act(database, operator=operator, action="hold release", why=why) as act:
        done = await legal_holds.release(database, number, now)
        act.outcome = f"hold {number} " + ("released" if done else "was not in force")
    return done


def _subject(pseudonyms: Pseudonyms, selector: Selector) -> bytes:
    """Return the audit log's value for an identity or an address."""
    if selector.kind == "address":
        return pseudonyms.audit_subject(pseudonyms.kept_address_mac(selector.value))
    if len(selector.value) == 34:
        return pseudonyms.audit_subject(bytes.fromhex(selector.value))
    return pseudonyms.audit_subject(pseudonyms.kept_identity(int(selector.value)))


async def _of_log(database: Database, logs: SavedLogs, act: AuditedAction, text: str) -> Selector:
    """Return the selector of a log by the last part of its address, and note its participants in the audit log. Raises BadHold."""
    ident = await logs.find(text)
    if ident is None:
        raise BadHold("refused.hold.log")
    await act.about(await audit_log.log_subjects(database, logs.pseudonyms, ident))
    return Selector("log", ident.hex()).checked()
