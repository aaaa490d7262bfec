"""Test the figures of the console: queues by day, and the agreement of second reviews."""

from __future__ import annotations

import pytest

from server.data.retention.stale_cases import UNDO
from server.ops.config.moderation_policy import DAY
from server.trust.cases.case_figures import TREND_DAYS, Agreement
from server.trust.decisions.second_reviews import SecondReviews
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, ban, cases, desk, reported


async def test_a_trend_counts_what_came_was_closed_and_waited_each_day(kit: Kit) -> None:
    work = desk(kit)
    old = [(await cases(kit).take(reported(about=number, at=NOW - 2 * DAY))).hex() for number in (30, 31, 32)]
    await cases(kit).take(reported(about=33, at=NOW))
    kit.now = NOW - DAY
    await work.decide(old[0], "ada", "so", NONE)
    kit.now = NOW
    await work.decide(old[1], "ada", "so", ban())
    spam = next(one for one in await work.trends() if one.queue == "spam")
    assert len(spam.opened) == TREND_DAYS
    assert (spam.opened[-3:], spam.closed[-3:], spam.waiting[-3:]) == ((3, 0, 1), (0, 1, 1), (3, 2, 2))
    assert spam.waiting[0] == 0


async def test_agreement_is_that_of_second_reviews_by_moderator(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecondReviews, "drawn", staticmethod(lambda: True))
    work = desk(kit)
    idents = [(await cases(kit).take(reported(about=about))).hex() for about in (40, 41, 42)]
    for ident in idents:
        await work.decide(ident, "ada", "so", ban())
    kit.now += UNDO + 1
    await work.answer_second_review(idents[0], "bob", "so", "ban", "R5")
    await work.answer_second_review(idents[1], "bob", "so", "none")
    assert list(await work.agreement()) == [Agreement("ada", 3, 2, 1)]
