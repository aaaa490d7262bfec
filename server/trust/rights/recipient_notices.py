"""Tell recipients of personal data that a person had it deleted, by webhook or mail, with retries for 30 days.

A notice names the addresses by which a recipient knows the person, with the first and last time of each, and nothing else of them.

**Invariant:** a try is claimed in the database before it begins, so that each of several processes or hosts makes it once; one that is killed is
made again after LEASE seconds. The disclosure ledger has its intent before the first byte leaves, and its outcome says whether any did, also to a
recipient who refused them. A notice that ended holds no address.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Final

import orjson
from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger, NoIntent
from server.data.privacy.registry_model import Category, What
from server.data.retention import deletion_notices
from server.data.schema.deletion_schema import deletion, deletion_notice
from server.ops import log
from server.ops.config.recipient_settings import Recipient, Way
from server.ops.config.settings import Settings
from server.ops.metrics.metric_type import Reading
from server.ops.process import mail_relay
from server.ops.process.mail_relay import MailRefused, RelayAway
from server.trust.rights import recipient_webhook
from server.trust.rights.recipient_webhook import Outcome

DAY: Final = 86_400
FIRST, LEASE, LIFE = 60, 120, 30 * DAY  # seconds: the first wait, a claimed try, from the removal to the last try
EVERY: Final = 60.0  # seconds between passes
SOME: Final = 50  # notices of one recipient in a pass
RECENT: Final = 7 * DAY  # how long a failure counts in the metric
BASIS: Final = "deletion"
WAITING, TOLD, REFUSED, FAILED = "waiting", "told", "refused", "failed"
STATES: Final = (WAITING, TOLD, REFUSED, FAILED, "nothing", "untold", "by_us", "contract")
logger = log.get()


def wait_after(tries: int) -> int:
    """Return the seconds until the next try: a minute, four times as long each time, a day at most."""
    return int(min(DAY, FIRST * 4 ** max(0, min(tries, 10) - 1)))


def notice_id(number: str, recipient: str) -> str:
    """Return the id of a notice: the same at each try, without the number, which is the person's."""
    return hashlib.sha256(f"{number} {recipient}".encode()).hexdigest()[:32]


class RecipientNotices:
    """Notices of one store. `clock`: Unix seconds."""

    def __init__(
        self, database: Database, pseudonyms: Pseudonyms, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._mail = settings.mail
        self._ways = {one.name: (one, way) for one, way in deletion_notices.ways(settings)}
        self._ledger = DisclosureLedger(database, clock)
        self._clock = clock
        self._counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Tell what is due every EVERY seconds until cancelled."""
        while True:
            with contextlib.suppress(StoreAway):  # the next pass does it
                await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Make the tries that are due, and end the notices that are too old. Raises StoreAway."""
        now = int(self._clock())
        await self._expire(now)
        due: dict[str, list[Row[Any]]] = defaultdict(list)
        for name in self._ways:
            wanted = select(deletion_notice).where(deletion_notice.c.recipient == name, deletion_notice.c.next <= now)
            async with self._database.read() as connection:
                due[name] = list((await connection.execute(wanted.order_by(deletion_notice.c.next).limit(SOME))).all())
        done = await asyncio.gather(
            *(self._tell_all(*self._ways[name], due[name]) for name in due), return_exceptions=True
        )
        await self._count(now)
        for error in done:
            if isinstance(error, BaseException):
                raise error

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {"serendip_deletion_notices": {(state,): self._counts[state] for state in (WAITING, REFUSED, FAILED)}}

    async def _tell_all(self, one: Recipient, way: Way, rows: Sequence[Row[Any]]) -> None:
        """Make the due tries of a recipient, in turn. One who is away keeps the rest for later, and costs one wait a pass."""
        for row in rows:
            lease = await self._claim(row)
            if lease is not None and await self._tell(one, way, row, lease) in (Outcome.AWAY, Outcome.LOST):
                return

    async def _claim(self, row: Row[Any]) -> int | None:
        """Return until when the try is this process's alone; None if it is another's to make."""
        same = (*_is(row), deletion_notice.c.next == row.next)
        lease = int(self._clock()) + LEASE
        mine = {"next": lease, "tries": row.tries + 1}
        async with self._database.write() as connection:
            done = await connection.execute(update(deletion_notice).where(*same).values(mine))
        return lease if done.rowcount else None

    async def _tell(self, one: Recipient, way: Way, row: Row[Any], lease: int) -> Outcome:
        """Make a claimed try, and write what came of it, unless the lease was over and another process made the next try."""
        try:
            known = orjson.loads(self._pseudonyms.open_text(deletion_notices.DOMAIN, row.known))
        except KeyGone:  # the operator destroyed the key
            await self._end(row, FAILED, row.line)
            return Outcome.REFUSED
        row_line = row.line or await self._intent(row, len(known))
        outcome = await self._sent(one, way, row, known)
        if outcome is Outcome.TOLD:
            await self._end(row, TOLD, row_line)
            return outcome
        if outcome is Outcome.LOST or (outcome is Outcome.REFUSED and way == "webhook"):
            await self._left(row_line)
        state = REFUSED if outcome is Outcome.REFUSED else WAITING
        now = int(self._clock())
        later = {"state": state, "at": now, "next": now + wait_after(row.tries + 1)}
        mine = (*_is(row), deletion_notice.c.next == lease)
        async with self._database.write() as connection:
            await connection.execute(update(deletion_notice).where(*mine).values(later))
        logger.info("rights.recipient_not_told", recipient=one.name, state=state, tries=row.tries + 1)
        return outcome

    async def _intent(self, row: Row[Any], count: int) -> int:
        """Write the ledger's intent, which all tries share."""
        whose = select(deletion.c.who).where(deletion.c.number == row.number)
        async with self._database.read() as connection:
            who = (await connection.execute(whose)).scalar()
        told = Disclosure(What.TOLD, row.recipient, BASIS, (Category.A,), count, request=row.number)
        subjects = [] if who is None else [self._pseudonyms.disclosure_subject(who)]

        async def keep(connection: AsyncConnection, lines: tuple[int, ...]) -> None:
            await connection.execute(update(deletion_notice).where(*_is(row)).values(line=lines[0]))

        (line,) = await self._ledger.intent(told, subjects, keep)
        return line

    async def _sent(self, one: Recipient, way: Way, row: Row[Any], known: list[list[Any]]) -> Outcome:
        now, ident = int(self._clock()), notice_id(row.number, row.recipient)
        if way == "webhook":
            addresses = [{"address": address, "first": first, "last": last} for address, first, last in known]
            body = orjson.dumps({"type": "deletion", "id": ident, "removed": row.began, "addresses": addresses})
            return await recipient_webhook.send(one, ident, body, now)
        if way != "mail":  # the settings changed: the notice waits until they are corrected
            return Outcome.AWAY
        try:
            await mail_relay.send(_letter(self._mail.sender, one, ident, known), self._mail)
        except MailRefused:
            return Outcome.REFUSED
        except RelayAway:
            return Outcome.AWAY
        return Outcome.TOLD

    async def _expire(self, now: int) -> None:
        """Give up the notices that could not be given for LIFE seconds, also of a recipient who is no longer named."""
        old = select(deletion_notice).where(deletion_notice.c.next.is_not(None), deletion_notice.c.began <= now - LIFE)
        async with self._database.read() as connection:
            rows = (await connection.execute(old.limit(SOME))).all()
        for row in rows:
            await self._end(row, FAILED, row.line)
            logger.warning("rights.recipient_failed", recipient=row.recipient)

    async def _end(self, row: Row[Any], state: str, line: int | None = None) -> None:
        if line is not None and state == TOLD:
            await self._left(line)
        elif line is not None:
            with contextlib.suppress(
                NoIntent
            ):  # it was refused, or a killed process wrote the outcome, and not the state
                await self._ledger.failed([line])
        over = {"state": state, "at": int(self._clock()), "next": None, "known": None}
        async with self._database.write() as connection:
            await connection.execute(update(deletion_notice).where(*_is(row)).values(over))

    async def _left(self, line: int) -> None:
        """Write into the ledger that the notice reached the recipient, at the first try that did, whatever the answer."""
        with contextlib.suppress(NoIntent):
            await self._ledger.done([line])

    async def _count(self, now: int) -> None:
        recent = or_(deletion_notice.c.next.is_not(None), deletion_notice.c.at > now - RECENT)
        wanted = select(deletion_notice.c.state, func.count()).where(recent).group_by(deletion_notice.c.state)
        async with self._database.read() as connection:
            self._counts = Counter({str(state): count for state, count in (await connection.execute(wanted)).all()})


def _is(row: Row[Any]) -> tuple[Any, Any]:
    return deletion_notice.c.number == row.number, deletion_notice.c.recipient == row.recipient


def _letter(sender: str, one: Recipient, ident: str, known: list[list[Any]]) -> EmailMessage:
    """Return a notice as a mail, in English: its reader is a provider."""
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, one.contact
    letter["Subject"] = f"Deletion of personal data, notice {ident}"
    letter["Message-ID"] = f"<{ident}@{sender.rpartition('@')[2].strip('<> ') or 'localhost'}>"  # the same at each try
    letter["Auto-Submitted"] = "auto-generated"
    when = "\n".join(f"{address}  from {_utc(first)} to {_utc(last)}" for address, first, last in known)
    letter.set_content(
        "A user of our service had their personal data deleted (GDPR Articles 17 and 19; CCPA 1798.105(c)). Please delete"
        f" what you hold of it for us, under these IP addresses at these times (UTC):\n\n{when}\n\n"
        f"If you get this notice twice, its number is the same: {ident}\n"
    )
    return letter


def _utc(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
