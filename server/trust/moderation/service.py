"""Moderation as the server uses it. Rule: it is there where a store is; without one reports are counted, and nobody will read them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from engine.views import Act, Report, SeatView
from server.data.database.database_changes import News
from server.data.errors import StoreAway
from server.data.objects.sealed_objects import Sealed
from server.data.store.service import Parts
from server.ops import log
from server.ops.config.moderation_policy import HOUR, QUEUES, WAITING, reason
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import Reading
from server.ops.security.receipt_address import secret
from server.ops.security.url_secrets import SECRET
from server.trust.cases.appeal_access import Appeals
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_chat import Reported, of_seat
from server.trust.moderation.moderation_gauges import Figures
from server.trust.moderation_ports import Pictured, Receipt
from server.trust.publication import monthly_figures
from server.trust.publication.public_notices import LawNotices
from server.trust.reports import receipt_answers
from server.trust.reports.cookie_age import lasting
from server.trust.reports.report_intake import Intake
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.notice_loader import Notices
from server.trust.sanctions.notice_table import NoticeTable

EVERY = 2.0  # seconds between looks at what operators decided
LOOK = 5.0  # seconds between looks at whether somebody has an account
IN_ANY_CASE = 60.0  # seconds after which both are looked at though nobody wrote anything: a ban may have run out
CLOSING = 5.0  # seconds that reports which wait for the store have at the end

logger = log.get()


def nobody_promised() -> bool:
    """Where the operator says nothing."""
    return False


def no_other_host() -> None:
    """Nobody else is to look."""


def nobody_asks() -> None:
    """Nothing follows from whether anybody reads reports."""


def nobody_counts(_identity: int, _session: int, _reporter: int) -> None:
    """Where nobody is asked for challenges."""


class Safety:
    """One a process. `country`: two letters of an address, or None; `unread`: which of WAITING no account with a passkey may open."""

    def __init__(
        self,
        parts: Parts,
        country: Callable[[str], str | None],
        tasks: Tasks,
        unread: Callable[[], Awaitable[frozenset[str]]],
        pause: int = HOUR,
    ) -> None:
        """`pause`: seconds of one for `repeat` (`server.trust.cases.automatic_actions`)."""
        self._parts = parts
        self._tasks = tasks
        self._find_unread = unread
        self.unread = WAITING
        self.promised: Callable[[], bool] = nobody_promised
        sealed = Sealed(parts.database, parts.objects, parts.pseudonyms)
        self._cases = Cases(parts.database, sealed, parts.pseudonyms, country, pause)
        self._intake = Intake(self._cases, self._filed)
        self.looks: Pictured | None = None  # where pictures of cameras lie; None: nobody takes any
        self._bans = Bans(parts.database, parts.pseudonyms)
        self._figures = Figures(parts.database)
        self._written = News(parts.database.version, IN_ANY_CASE)
        self._news = asyncio.Event()  # a program's measure is in the store, or another host saw one: it is read now
        self._heard = False  # by another host
        self._stale = False  # decisions could not be read anew, which is logged
        # told where this process is the first to see that a ban or a notice is another than it was: other hosts look at once
        self.decided: Callable[[], None] = no_other_host
        self.on_attended: Callable[[], None] = nobody_asks  # told where `unread` is another than it was
        self._unattended = 0
        self._notices = Notices(parts.database, parts.pseudonyms)
        # told of a report by somebody whose cookie is older than a day: identity (0: none) and session of who was reported, who did
        self.weighed: Callable[[int, int, int], None] = nobody_counts

    async def start(self, told: Callable[[], None]) -> None:
        """Know what was decided, where the store is there, and begin to store what is reported; `told`: there is news of it."""
        with contextlib.suppress(StoreAway):  # it is read as soon as the store is back
            await self._bans.refresh()
            await self._notices.refresh()
            self.unread = await self._find_unread()
        self._tasks.start("safety-intake", self._intake.run)
        self._tasks.start("safety-figures", self._figures.run)
        self._tasks.start("safety-bans", lambda: self._follow(told))
        self._tasks.start("safety-attended", self._look)

    async def _look(self) -> None:
        """Until it is cancelled: know whether anybody reads reports, wherever their account was made."""
        written = News(self._parts.database.version, IN_ANY_CASE)
        while True:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(StoreAway):  # what was known holds
                if await written.there():
                    self._attend(await self._find_unread())
                    written.read()

    def _attend(self, unread: frozenset[str]) -> None:
        before, self.unread = self.unread, unread
        if unread == before:
            return
        if not self.moderated and before.isdisjoint(QUEUES):  # somebody read all of them until now
            logger.warning("safety.unattended", queues=sorted(unread))
        self.on_attended()

    async def _follow(self, told: Callable[[], None]) -> None:
        """Until it is cancelled."""
        while True:
            heard, self._heard = self._heard, False
            try:
                if await self._written.there():
                    news = False
                    for refresh in (self._bans.refresh, self._notices.refresh):
                        if await refresh():
                            news = True
                            told()
                    if news and not heard:
                        self.decided()
                    self._written.read()
                await self._notices.store()
                self._stale = False
            except StoreAway as error:
                if not self._stale:
                    logger.warning("safety.bans_stale", **log.described(error))
                self._stale = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), EVERY)
            self._news.clear()

    def look_now(self) -> None:
        """Another host saw that a ban or a notice is another than it was."""
        self._heard = True
        self._news.set()

    @property
    def moderated(self) -> bool:
        """Whether each queue of cases has a reader: accounts with a passkey say so, or the operator."""
        return self.unread.isdisjoint(QUEUES) or self.promised()

    def has_reader(self, queue: str) -> bool:
        """Whether somebody may open one of WAITING."""
        return queue not in self.unread or self.promised()

    def pack(self) -> dict[str, Any]:
        """What another process goes on with; it stays here too."""
        return self._notices.pack()

    def unpack(self, facts: dict[str, Any]) -> None:
        """The other way; what is not known here is passed over. Raises TypeError, ValueError."""
        self._written.anew()
        self._notices.unpack(facts)

    async def _filed(self, case: bytes, reported: Reported) -> None:
        if self.looks is not None and reported.chat and not reported.program:
            adds = partial(self._cases.add_pictures, case, reported.side)
            self.looks.follow(reported.chat, reported.side, reported.shown, adds)
        reporter, subject = reported.reporter.identity, reported.subject
        if reported.program:
            self._news.set()
            return
        if not subject.identity and subject.session:
            self._notices.reported(case, subject.session)
            self._written.anew()  # a notice of the case may have been read before it was known whose it is
        if reporter:
            with contextlib.suppress(StoreAway):  # then it does not count
                if await lasting(self._parts.database, self._parts.pseudonyms, reporter, int(time.time())):
                    self.weighed(subject.identity, subject.session, reporter)

    def take(self, seat: SeatView, what: Report | Act, mode: str) -> None:
        """A report, or what a program found, in the turn in which it came: what was said is read now, for the ring goes with the chat."""
        self.file(of_seat(seat, what, mode))

    def file(self, made: Reported) -> None:
        """One that left its chat, maybe in another process of this host. Of what a program found nothing follows where nobody could look."""
        if made.program and not self.has_reader(reason(made.reason, program=True).queue):
            self._unattended += 1
            return
        if self.looks is not None and made.chat:
            made = replace(made, shown=self.looks.shown(made.chat, made.side))
        self._intake.take(made)

    @property
    def bans(self) -> BanTable:
        """The bans in force."""
        return self._bans

    @property
    def notices(self) -> NoticeTable:
        """What is to be read."""
        return self._notices

    async def receipt(self, text: str) -> Receipt | None:
        """What came of a report, by the last part of its receipt; None where there is none. Raises StoreAway."""
        bits = secret(text) or bytes(SECRET)
        if self._intake.holds(bits):
            return Receipt(receipt_answers.RECEIVED, int(time.time()))
        return await receipt_answers.find(self._parts.database, self._parts.pseudonyms, bits)

    @property
    def appeals(self) -> Appeals:
        """What banned people read and write."""
        return Appeals(self._parts.database, self._parts.pseudonyms)

    @property
    def law_notices(self) -> LawNotices:
        """What anybody tells us."""
        return LawNotices(self._parts.database, self._parts.pseudonyms)

    async def months(self) -> list[dict[str, Any]]:
        """What is published of each closed month, the newest first. Raises StoreAway."""
        return await monthly_figures.months(self._parts.database)

    async def close(self) -> None:
        """Store what waits, within CLOSING seconds."""
        await self._intake.flush(CLOSING)
        for name in ("safety-intake", "safety-figures", "safety-bans", "safety-attended"):
            await self._tasks.end(name)
        with contextlib.suppress(StoreAway):  # who read one is asked once more
            await self._notices.store()

    def reading(self) -> Reading:
        """Numbers for the metrics."""
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
