"""Offer moderation to the rest of the server as one object: intake of reports, bans, notices to users, receipts, appeals.

**Invariant:** the object exists only if the server has a database; otherwise reports are counted, and not stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from engine.conduct.detection_consequences import NUDITY
from engine.views import Act, Report, SeatView
from engine.wire.protocol import PAIR_DAYS
from server.data.database.change_detector import ChangePoll
from server.data.errors import StoreAway
from server.data.objects.sealed_objects import Sealed
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.data.store.store_runner import Parts
from server.ops import log
from server.ops.config.moderation_policy import DAY, HOUR, QUEUES, WAITING, reason
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.metric_type import Reading
from server.ops.process.first_done import is_set_within
from server.ops.security.report_receipt_url import secret
from server.ops.security.url_token_generator import SECRET
from server.trust.cases.report_cases import Cases
from server.trust.cases.user_appeals import Appeals
from server.trust.evidence.reported_chat import Reported, of_seat
from server.trust.moderation.moderation_gauges import ModerationGauges
from server.trust.moderation_protocol import Receipt, SafetyPorts
from server.trust.publication import monthly_figures
from server.trust.reports import report_outcome
from server.trust.reports.cookie_age import has_old_cookie
from server.trust.reports.illegal_content_notices import PublicNotices
from server.trust.reports.report_intake import Intake
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.notice_loader import Notices
from server.trust.sanctions.notice_table import NoticeTable

EVERY = 2.0  # seconds between reads of moderators' decisions
AT_FIRST = 0.2  # seconds between attempts until they were read once: before that, banned users are let in
LOOK = 5.0  # seconds between reads of which queues have a reader
IN_ANY_CASE = 60.0  # seconds after which both are read even without a write: a ban may have expired
CLOSING = 5.0  # seconds that waiting reports have at shutdown to reach the store

logger = log.get()


NO_PORTS = SafetyPorts()


class Safety:
    """Moderation of one process. `country`: returns two letters for an address, or None.

    `unread`: returns the queues of WAITING that no account with a passkey may open.
    """

    def __init__(
        self,
        parts: Parts,
        country: Callable[[str], str | None],
        tasks: Tasks,
        unread: Callable[[], Awaitable[frozenset[str]]],
        pause: int = HOUR,
        ports: SafetyPorts = NO_PORTS,
        *,
        days: int = PAIR_DAYS,
    ) -> None:
        """`pause`: length in seconds of the pause for `repeat` (`server.trust.cases.automatic_bans`); `days`: of retention."""
        self._parts = parts
        self._tasks = tasks
        self._find_unread = unread
        self.unread = WAITING
        self._ports = ports
        sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
        self._cases = Cases(parts.database, sealed, parts.pseudonyms, country, pause)
        self._intake = Intake(self._cases, self._weigh, self._filed)
        self._bans = Bans(
            parts.database, parts.pseudonyms, on_minor=ports.on_minor, on_lifted=ports.on_lifted, longest=days * DAY
        )
        self._figures = ModerationGauges(parts.database)
        self._written = ChangePoll(parts.database.commit_count, IN_ANY_CASE)
        self._news = asyncio.Event()  # read now: a program's measure was stored, or another host saw a change
        self._heard = False  # from another host
        self._read = False  # decisions were read since the start; before that nothing is stale, and `store.away` says what is wrong
        self._stale = False  # the last read failed, which is logged once
        self._unattended = 0
        self._notices = Notices(parts.database, parts.pseudonyms)

    async def start(self, told: Callable[[], None]) -> None:
        """Read the decisions if the store is there, and start the tasks. `told` is called after each change of bans or notices."""
        with contextlib.suppress(StoreAway):  # the tasks read it when the store is back
            await self._bans.refresh()
            await self._notices.refresh()
            self.unread = await self._find_unread()
            self._read = True
        self._tasks.start("safety-intake", self._intake.run)
        self._tasks.start("safety-figures", self._figures.run)
        self._tasks.start("safety-bans", lambda: self._follow(told))
        self._tasks.start("safety-attended", self._look)

    async def _look(self) -> None:
        """Keep `unread` up to date until cancelled; accounts may be made on another host."""
        written = ChangePoll(self._parts.database.commit_count, IN_ANY_CASE)
        while True:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(StoreAway):  # the last known value stays
                if await written.is_due():
                    self._attend(await self._find_unread())
                    written.mark_read()

    def _attend(self, unread: frozenset[str]) -> None:
        before, self.unread = self.unread, unread
        if unread == before:
            return
        if not self.moderated and before.isdisjoint(QUEUES):  # until now all queues had a reader
            logger.warning("safety.unattended", queues=sorted(unread))
        self._ports.on_attended()

    async def _follow(self, told: Callable[[], None]) -> None:
        """Read changed bans and notices, and store which notices were read, until cancelled."""
        while True:
            heard, self._heard = self._heard, False
            try:
                if await self._written.is_due():
                    news = False
                    for refresh in (self._bans.refresh, self._notices.refresh):
                        if await refresh():
                            news = True
                            told()
                    if news and not heard:
                        self._ports.on_decision()
                    self._written.mark_read()
                await self._notices.store()
                self._read, self._stale = True, False
            except StoreAway as error:
                if self._read and not self._stale:
                    logger.warning("safety.bans_stale", **log.described(error))
                    self._stale = True
            await is_set_within(self._news, EVERY if self._read else AT_FIRST)
            self._news.clear()

    def look_now(self) -> None:
        """Read bans and notices at once: another host saw a change."""
        self._heard = True
        self._news.set()

    def unwell(self) -> list[str]:
        """Return that bans were not read since the start (`readyz`)."""
        return [] if self._read else ["safety: bans are not read yet; banned users are let in"]

    @property
    def moderated(self) -> bool:
        """Whether each queue of cases has a reader, by accounts with a passkey or by the operator's statement."""
        return self.unread.isdisjoint(QUEUES) or self._ports.is_promised()

    def has_reader(self, queue: str) -> bool:
        """Whether a moderator may open this queue of WAITING."""
        return queue not in self.unread or self._ports.is_promised()

    def pack(self) -> dict[str, Any]:
        """Return the state that another process continues with. This process keeps it too."""
        return self._notices.pack()

    def unpack(self, facts: dict[str, Any]) -> None:
        """Restore the state of `pack`; unknown keys are skipped. Raises TypeError, ValueError."""
        self._written.reset()
        self._notices.unpack(facts)

    async def _weigh(self, reported: Reported) -> bool:
        """Whether a report counts against its subject: its reporter has been here for more than a day. Raises StoreAway."""
        reporter = reported.reporter.identity
        if reported.program or not reporter:
            return False
        return await has_old_cookie(self._parts.database, self._parts.pseudonyms, reporter, int(time.time()))

    async def _filed(self, case: bytes, reported: Reported, weighs: bool) -> None:
        pictures = self._ports.find_pictures()
        if pictures is not None and reported.chat and (not reported.program or reported.reason == NUDITY):
            adds = partial(self._cases.add_pictures, case, reported.side)
            pictures.follow(reported.chat, reported.side, reported.shown, adds)
        subject = reported.subject
        if reported.program:
            self._news.set()
            return
        if not subject.identity and subject.session:
            self._notices.reported(case, subject.session)
            self._written.reset()  # a notice of the case may have been read before its owner was known
        if weighs:
            self._ports.on_weighed(subject.identity, subject.session, reported.reporter.identity)

    def take(self, seat: SeatView, what: Report | Act, mode: str) -> None:
        """Accept a report or a detection in the turn in which it came: the chat's lines are read now, because its ring is freed with the chat."""
        self.file(of_seat(seat, what, mode))

    def file(self, made: Reported) -> None:
        """Accept a report that left its chat, possibly in another process. A detection in a queue without a reader is only counted."""
        if made.program and not self.has_reader(reason(made.reason, program=True).queue):
            self._unattended += 1
            return
        pictures = self._ports.find_pictures()
        if pictures is not None and made.chat:
            made = replace(made, shown=pictures.shown(made.chat, made.side))
        self._intake.take(made)

    @property
    def bans(self) -> BanTable:
        """The bans in force."""
        return self._bans

    @property
    def notices(self) -> NoticeTable:
        """The unread notices."""
        return self._notices

    async def receipt(self, text: str) -> Receipt | None:
        """Return the outcome of a report by the last part of its receipt's address, or None if there is no such report. Raises StoreAway."""
        bits = secret(text) or bytes(SECRET)
        if self._intake.holds(bits):
            return Receipt(report_outcome.RECEIVED, int(time.time()))
        return await report_outcome.find(self._parts.database, self._parts.pseudonyms, bits)

    @property
    def appeals(self) -> Appeals:
        """Access to reasons and appeals for banned users."""
        return Appeals(self._parts.database, self._parts.pseudonyms)

    @property
    def law_notices(self) -> PublicNotices:
        """Access to public notices for their writers."""
        return PublicNotices(self._parts.database, self._parts.pseudonyms)

    async def months(self) -> list[dict[str, Any]]:
        """Return the published figures of each closed month, newest first. Raises StoreAway."""
        return await monthly_figures.months(self._parts.database)

    async def ledger_mark(self) -> dict[str, Any] | None:
        """Return the hash of the month's mark in the disclosure ledger, and its Unix time: `hash`, `at`. Raises StoreAway."""
        newest = await DisclosureLedger(self._parts.database).published()
        return None if newest is None else asdict(newest)

    async def close(self) -> None:
        """Store the waiting reports, within CLOSING seconds, and end the tasks."""
        await self._intake.flush(CLOSING)
        for name in ("safety-intake", "safety-figures", "safety-bans", "safety-attended"):
            await self._tasks.end(name)
        with contextlib.suppress(StoreAway):  # then its reader is shown the notice once more
            await self._notices.store()

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        intake = self._intake
        return {
            **self._figures.reading(),
            "serendip_banned_connects": self._bans.turned_away,
            "serendip_reports_taken": intake.taken,
            "serendip_reports_lost": intake.lost,
            "serendip_reports_waiting": intake.waiting,
            "serendip_report_failures": intake.failures,
            "serendip_bans_in_force": len(self._bans),
            "serendip_notices_unread": len(self._notices),
            "serendip_measures_unattended": self._unattended,
        }
