"""The operators' trail. Rule: looking is an act. Who looks somebody up is in the trail before they look, and what came of it after.

A line that cannot be written stops what it is about. The person concerned is there as a keyed value in a domain of its own, made from
what is stored of them, so that they can be told later when and why somebody looked; by the trail alone nobody is found.
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
from server.data.schema.chat_schema import audit, log_party
from server.data.schema.moderation_schema import case_subject
from server.ops.security.url_secrets import SECRET, decode

ASKED = "asked"  # the outcome of the line before


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail."""

    time: int
    operator: str
    action: str
    why: str
    outcome: str


async def note(
    database: Database, *, now: int, operator: str, action: str, why: str, outcome: str, subject: bytes | None = None
) -> None:
    """Write a line. Raises StoreAway: a command that cannot be noted is not done (call this before, and after with the outcome)."""
    row = {
        "time": now,
        "operator": operator[:64],
        "action": action[:40],
        "why": why[:500],
        "outcome": outcome[:2000],
        "subject": subject,
    }
    async with database.write() as connection:
        await connection.execute(insert(audit).values(row))


class Act:
    """What an operator does, from the line before to the line after. `outcome`: what the line after says."""

    def __init__(self, database: Database, operator: str, action: str, why: str, subject: bytes | None) -> None:
        self.outcome = ""
        self._database = database
        self._operator = operator
        self._action = action
        self._why = why
        self._subject = subject

    async def about(self, subjects: Sequence[bytes]) -> None:
        """It was found out whom this is about, a line each; before anything of them is shown or changed. Raises StoreAway."""
        for subject in subjects:
            await self._note("about", subject)

    async def _note(self, outcome: str, subject: bytes | None) -> None:
        await note(
            self._database, now=int(time.time()), operator=self._operator, action=self._action, why=self._why,
            outcome=outcome, subject=subject,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def act(
    database: Database, *, operator: str, action: str, why: str, subject: bytes | None = None, dry: bool = False
) -> AsyncIterator[Act]:
    """Around a look-up or a deed: its line before, and after it its outcome, or by what it failed. Raises StoreAway.

    `subject`: a value of `Pseudonyms.audit_subject`; `dry`: it only counts, which is a look all the same.
    """
    doing = Act(database, operator, action, why, subject)
    await doing._note(f"{ASKED}, to count only" if dry else ASKED, subject)
    try:
        yield doing
    except BaseException as error:
        with contextlib.suppress(StoreAway):  # what went wrong first is what is told
            await doing._note(f"failed: {type(error).__name__}", subject)
        raise
    await doing._note(doing.outcome, subject)


def of_log_address(pseudonyms: Pseudonyms, text: str) -> bytes:
    """The subject of a look at a saved log, by the last part of its address, before it is known whose log it is."""
    return pseudonyms.audit_subject(pseudonyms.secret_hash(b"log.url", decode(text) or bytes(SECRET)))


async def of_log(database: Database, pseudonyms: Pseudonyms, ident: bytes) -> list[bytes]:
    """The subjects of a saved log: its people, by identity, or by address where there was no cookie. Raises StoreAway."""
    wanted = select(log_party.c.identity, log_party.c.address_mac).where(log_party.c.log == ident)
    async with database.read() as connection:
        people = (await connection.execute(wanted.order_by(log_party.c.side))).all()
    values = [row.identity or row.address_mac for row in people]
    return [pseudonyms.audit_subject(value) for value in values if value is not None]


async def of_case(database: Database, pseudonyms: Pseudonyms, ident: bytes) -> bytes | None:
    """The subject of a case: whom it is about, by identity, or by network. Raises StoreAway."""
    wanted = select(case_subject.c.identity, case_subject.c.network).where(case_subject.c.case == ident)
    async with database.read() as connection:
        row = (await connection.execute(wanted)).first()
    value = (row.identity or row.network) if row is not None else None
    return None if value is None else pseudonyms.audit_subject(value)


async def listed(database: Database, since: int, most: int = 1000) -> Sequence[Entry]:
    """The newest lines since a time, newest first."""
    wanted = select(audit).where(audit.c.time >= since).order_by(audit.c.id.desc()).limit(most)
    async with database.read() as connection:
        rows = (await connection.execute(wanted)).all()
    return [Entry(row.time, row.operator, row.action, row.why, row.outcome) for row in rows]
