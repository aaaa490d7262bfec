"""Test the metrics of moderation: what waits, and each decision once, wherever it was made."""

from __future__ import annotations

from typing import Any

from server.ops.metrics.histogram import Buckets
from server.trust.cases.user_appeals import Appeals
from server.trust.moderation.moderation_gauges import BEHIND, ModerationGauges
from server.trust.moderation_protocol import KINDS, NoticeForm
from server.trust.reports.illegal_content_notices import PublicNotices
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import cases, desk, reported


async def looked(figures: ModerationGauges) -> dict[str, Any]:
    """The numbers after a look."""
    await figures.read()
    return dict(figures.reading())


async def test_what_waits_is_told_by_queue_with_the_age_of_the_oldest(kit: Kit) -> None:
    figures = ModerationGauges(kit.database, clock=lambda: kit.now)
    await cases(kit).take(reported(reason="minor"))
    await cases(kit).take(reported(about=33, at=NOW - 100))
    await PublicNotices(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(NoticeForm("other", "", "x", ""))
    kit.now = NOW + 60
    found = await looked(figures)
    assert (found["serendip_cases_open"]["urgent",], found["serendip_cases_oldest_seconds"]["urgent",]) == (1, 60)
    assert (found["serendip_cases_open"]["spam",], found["serendip_cases_oldest_seconds"]["spam",]) == (1, 160)
    assert found["serendip_cases_open"]["people",] == 0
    of_kind = {metric: found[f"serendip_notices_{metric}"] for metric in ("open", "oldest_seconds")}
    assert {name: {kind: n for (kind,), n in by.items() if n} for name, by in of_kind.items()} == {
        "open": {"other": 1}, "oldest_seconds": {"other": 60}
    }  # fmt: skip
    assert [kind for (kind,) in of_kind["open"]] == list(KINDS)
    assert (found["serendip_appeals_open"][()], found["serendip_appeals_oldest_seconds"][()]) == (0, 0)


async def test_each_decision_is_counted_once_and_none_from_before_the_start(kit: Kit) -> None:
    takes, at_desk = cases(kit), desk(kit)
    early = await takes.take(reported(about=99))
    await at_desk.decide(early.hex(), "ada", "so", Decision("ban", "R4", 86_400))
    kit.now = NOW + 1_000
    figures = ModerationGauges(kit.database, clock=lambda: kit.now)
    bad = await takes.take(reported(at=NOW + 1_000))
    kit.now += 700
    await at_desk.decide(bad.hex(), "ada", "adverts", Decision("ban", "R5"))
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(path_of(kit.pseudonyms, bad).rpartition("/")[2], "not me")
    kit.now += 300
    await at_desk.answer(bad.hex(), "bob", "right", uphold=False, words="")
    kit.now += BEHIND + 1
    for _ in range(3):
        found = await looked(figures)
    assert found["serendip_measures"]["ban", "R5", "person"] == 1
    assert sum(found["serendip_measures"].values()) == 1
    assert found["serendip_appeals"]["reversed", "R5"] == 1
    decided, answered = found["serendip_case_decide_seconds"]["spam",], found["serendip_appeal_seconds"]
    assert isinstance(decided, Buckets)
    assert (sum(decided.counts), decided.total) == (1, 700)
    assert (sum(answered.counts), answered.total) == (1, 300)


async def test_founded_reports_are_counted_by_reason_and_what_nobody_read_too(kit: Kit) -> None:
    figures = ModerationGauges(kit.database, clock=lambda: kit.now)
    bad = await cases(kit).take(reported(reason="hate"))
    await cases(kit).take(reported(about=44))
    await desk(kit).decide(bad.hex(), "ada", "so", Decision("ban", "R4", 86_400))
    kit.now = NOW + BEHIND + 1
    assert (await looked(figures))["serendip_reports_founded"]["hate",] == 1
    kit.now = NOW + 31 * 86_400
    await kit.purge().run()
    kit.now += BEHIND + 1
    assert (await looked(figures))["serendip_cases_unread"]["aged",] == 1


async def test_second_looks_are_counted_by_what_came_of_them(kit: Kit) -> None:
    figures, at_desk = ModerationGauges(kit.database, clock=lambda: kit.now), desk(kit)
    at_desk.drawn = lambda: True  # type: ignore[method-assign]
    idents = [(await cases(kit).take(reported(about=about))).hex() for about in (22, 33)]
    for ident in idents:
        await at_desk.decide(ident, "ada", "so", Decision("none"))
    kit.now = NOW + 60
    assert await at_desk.answer_second_review(idents[0], "bob", "so", "none")
    kit.now += BEHIND + 1
    assert (await looked(figures))["serendip_second_looks"] == {("agreed",): 1, ("differed",): 0, ("missed",): 0}
    kit.now = NOW + 3 * 86_400 + BEHIND + 1
    for _ in range(2):
        assert (await looked(figures))["serendip_second_looks"]["missed",] == 1
