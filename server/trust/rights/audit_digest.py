"""Sends the owner of a service once a week a letter of how often each operator looked at or changed stored data, by the audit log.

The letter counts acts by operator: it has no person, no reason and no outcome. It is in English, as what the commands print.

**Invariant:** one letter a week, also with several hosts. A letter that the relay did not take is sent again an hour later; each try is in the audit
log.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from typing import Final

from sqlalchemy import func, select

from server.data.database.database import Database
from server.data.errors import Busy
from server.data.privacy import audit_log
from server.data.privacy.audit_log import ABOUT, ASKED, Entry
from server.data.schema.record_schema import audit
from server.ops import log
from server.ops.process.mail_relay import MailRefused, RelayAway

WEEK: Final = 7 * 86_400
AGAIN: Final = 3_600  # seconds until another try
MOST: Final = 100_000  # lines of the audit log in a week
BY, ACTION = "serendip", "audit digest"
BEGUN, SENT, FAILED = "begun", "sent", "failed"
logger = log.get()


class AuditDigest:
    """Weekly letters of one store. `to`: the owner's address; `send`: sends a mail in one try; raises RelayAway, MailRefused."""

    def __init__(
        self, database: Database, sender: str, to: str, send: Callable[[EmailMessage], Awaitable[None]]
    ) -> None:
        self._database = database
        self._sender = sender
        self._to = to
        self._send = send

    async def run(self, now: int) -> bool:
        """Send the letter if one is due; return whether one was sent. The first is due a week after the first call. Raises StoreAway."""
        if not await self._is_due(now):
            return False
        try:
            async with self._database.only_letter_writer():
                return await self._is_due(now) and await self._run(now)
        except Busy:  # another host does it
            return False

    async def _is_due(self, now: int) -> bool:
        mine = select(audit.c.time, audit.c.outcome).where(audit.c.action == ACTION, audit.c.operator == BY)
        async with self._database.read() as connection:
            last = (await connection.execute(mine.order_by(audit.c.id.desc()).limit(1))).first()
        if last is None:
            await self._note(now, BEGUN)
            return False
        return bool(now >= last.time + (AGAIN if last.outcome == FAILED else WEEK))

    async def _run(self, now: int) -> bool:
        begun = select(func.max(audit.c.time)).where(
            audit.c.action == ACTION, audit.c.operator == BY, audit.c.outcome != FAILED
        )
        async with self._database.read() as connection:
            since = int((await connection.execute(begun)).scalar_one())
        found = [one for one in await audit_log.recent_entries(self._database, since, MOST) if one.time < now]
        try:
            await self._send(_letter(self._sender, self._to, found, since, now))
        except (RelayAway, MailRefused) as error:
            logger.warning("rights.digest_failed", error=type(error).__name__)
            await self._note(now, FAILED)
            return False
        await self._note(now, SENT)
        return True

    async def _note(self, now: int, outcome: str) -> None:
        await audit_log.write_entry(
            self._database, now=now, operator=BY, action=ACTION, why="once a week", outcome=outcome
        )


def counts(entries: Sequence[Entry]) -> dict[str, dict[str, int]]:
    """Return the number of acts by operator and action. An act has a line before it and one with its outcome, unless it was killed."""
    begun: defaultdict[str, Counter[str]] = defaultdict(Counter)
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in entries:
        if one.action == ACTION and one.operator == BY:
            continue
        if one.outcome != ABOUT:
            (begun if one.outcome.startswith(ASKED) else ended)[one.operator][one.action] += 1
    return {
        name: {action: max(begun[name][action], ended[name][action]) for action in sorted({*begun[name], *ended[name]})}
        for name in sorted({*begun, *ended})
    }


def _letter(sender: str, to: str, entries: Sequence[Entry], since: int, now: int) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, to
    letter["Subject"] = f"Who looked at stored data: {_utc(since)[:10]} to {_utc(now)[:10]}"
    letter["Auto-Submitted"] = "auto-generated"
    acts = counts(entries)
    lines = [
        f"{operator}\n" + "\n".join(f"  {number:6}  {action}" for action, number in each.items())
        for operator, each in acts.items()
    ]
    total = sum(number for each in acts.values() for number in each.values())
    days = (now - since + 86_399) // 86_400
    letter.set_content(
        f"From {_utc(since)} to {_utc(now)} UTC {len(acts)} operators looked at or changed stored data {total} times.\n\n"
        + ("\n\n".join(lines) or "Nobody did anything.")
        + f"\n\nReasons and outcomes: /audit in the console, or serendip privacy audit --days {days}\n"
    )
    return letter


def _utc(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))
