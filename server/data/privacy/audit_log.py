"""Write the operators' audit log: one line before an operator reads or changes a person's data, and one line with the outcome afterwards.

**Invariant:** if the first line cannot be written, the operation does not happen. The person is recorded as a keyed hash that is used in no other
table: it answers a person's question when and why an operator looked, and identifies no person by itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.moderation_schema import case_subject
from server.data.schema.record_schema import audit, log_party
from server.ops.security.url_token_generator import SECRET, decode

ASKED = "asked"  # the outcome in the line that precedes the action
ABOUT = "about"  # the outcome in a line that names one of several persons
REHEARSED = "not done, counted only: "  # begins the outcome of a rehearsal that does not say so itself


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log."""

    time: int
    operator: str
    action: str
    why: str
    outcome: str


async def write_entry(
    database: Database, *, now: int, operator: str, action: str, why: str, outcome: str, subject: bytes | None = None
) -> None:
    """Write a line, in a rehearsal too. Raises StoreAway: the caller must not act if the line before is not written.

    `now`: Unix seconds. A command that acts as of another day is in the log of today: an old line would be purged before anyone reads it.
    """
    if database.rehearses and not outcome.startswith((ASKED, ABOUT, "would ")):
        outcome = f"{REHEARSED}{outcome}"
    row = {
        "time": int(time.time()) if database.is_dated else now,
        "operator": operator[:64],
        "action": action[:40],
        "why": why[:500],
        "outcome": outcome[:2000],
        "subject": subject,
    }
    async with database.write(always=True) as connection:
        await connection.execute(insert(audit).values(row))


class AuditedAction:
    """An action of an operator, between its two lines. Set `outcome` to the text of the second line."""

    def __init__(self, database: Database, operator: str, action: str, why: str, subject: bytes | None) -> None:
        self.outcome = ""
        self._database = database
        self._operator = operator
        self._action = action
        self._why = why
        self._subject = subject

    async def about(self, subjects: Sequence[bytes]) -> None:
        """Record the persons concerned, one line each, before any of their data is shown or changed. Raises StoreAway."""
        for subject in subjects:
            await self._note(ABOUT, subject)

    async def _note(self, outcome: str, subject: bytes | None) -> None:
        await write_entry(
            self._database, now=int(time.time()), operator=self._operator, action=self._action, why=self._why,
            outcome=outcome, subject=subject,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def act(
    database: Database, *, operator: str, action: str, why: str, subject: bytes | None = None, dry: bool = False
) -> AsyncIterator[AuditedAction]:
    """Wrap an action: write its line before, and after it the outcome or the name of the exception. Raises StoreAway.

    `subject`: a value of `Pseudonyms.audit_subject`; `dry`: the action only counts, which is audited all the same.
    """
    doing = AuditedAction(database, operator, action, why, subject)
    await doing._note(f"{ASKED}, to count only" if dry or database.rehearses else ASKED, subject)
    try:
        yield doing
    except BaseException as error:
        with contextlib.suppress(StoreAway):  # the first error is the one to raise
            await doing._note(f"failed: {type(error).__name__}", subject)
        raise
    await doing._note(doing.outcome, subject)


def log_address_subject(pseudonyms: Pseudonyms, text: str) -> bytes:
    """Return the audit subject of a saved log's address (its last part), for use before the log's participants are known."""
    return pseudonyms.audit_subject(pseudonyms.secret_hash(b"log.url", decode(text) or bytes(SECRET)))


async def log_subjects(database: Database, pseudonyms: Pseudonyms, ident: bytes) -> list[bytes]:
    """Return the audit subjects of a saved log's participants, by identity, or by address if there was no cookie. Raises StoreAway."""
    wanted = select(log_party.c.identity, log_party.c.address_mac).where(log_party.c.log == ident)
    async with database.read() as connection:
        people = (await connection.execute(wanted.order_by(log_party.c.side))).all()
    values = [row.identity or row.address_mac for row in people]
    return [pseudonyms.audit_subject(value) for value in values if value is not None]


async def case_subject_of(database: Database, pseudonyms: Pseudonyms, ident: bytes) -> bytes | None:
    """Return the audit subject of the person whom a case is about, by identity or by network, or None. Raises StoreAway."""
    wanted = select(case_subject.c.identity, case_subject.c.network).where(case_subject.c.case == ident)
    async with database.read() as connection:
        row = (await connection.execute(wanted)).first()
    value = (row.identity or row.network) if row is not None else None
    return None if value is None else pseudonyms.audit_subject(value)


async def recent_entries(database: Database, since: int, most: int = 1000) -> Sequence[Entry]:
    """Return the newest lines since a Unix time, newest first."""
    wanted = select(audit).where(audit.c.time >= since).order_by(audit.c.id.desc()).limit(most)
    async with database.read() as connection:
        rows = (await connection.execute(wanted)).all()
    return [Entry(row.time, row.operator, row.action, row.why, row.outcome) for row in rows]
