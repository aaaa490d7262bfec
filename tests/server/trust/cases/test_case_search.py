"""Test how a moderator finds a case, and their own work."""

from __future__ import annotations

import time

import pytest

from server.data.privacy.audit_log import recent_entries
from server.ops.config.moderation_policy import DAY
from server.ops.security.url_token_generator import encode
from server.trust.cases.case_search import day_of
from server.trust.sanctions.sanction_scale import Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import ban, cases, desk, reported


async def test_a_case_is_found_by_digits_by_receipt_and_by_day(kit: Kit) -> None:
    work, made = desk(kit), reported(about=30)
    ident = (await cases(kit).take(made)).hex()
    other = (await cases(kit).take(reported(about=31, at=NOW - 3 * DAY))).hex()
    address = f"https://chat.example/report/{encode(made.receipt)}"
    for words in (
        ident,
        ident[:8],
        f" {ident[:8]}… ",
        f"#{ident[:10]}",
        ident.upper()[:12],
        address,
        encode(made.receipt),
    ):
        assert [one.id for one in await work.search(words, "ada")] == [ident], words
    found = {day: {one.id for one in await work.search(day, "ada")} for day in (day_text(NOW), day_text(NOW - 3 * DAY))}
    assert found[day_text(NOW)] == {ident}
    assert found[day_text(NOW - 3 * DAY)] == {other}


def day_text(at: int) -> str:
    """A day as a moderator types it."""
    return time.strftime("%Y-%m-%d", time.gmtime(at))


@pytest.mark.parametrize("words", ["2026-02-30", "12", "zz", "' or 1=1", "report/"])
async def test_what_is_neither_is_refused_in_words(kit: Kit, words: str) -> None:
    with pytest.raises(Refused):
        await desk(kit).search(words, "ada")


async def test_a_search_is_logged_without_the_receipts_secret(kit: Kit) -> None:
    made = reported(about=30)
    await cases(kit).take(made)
    await desk(kit).search(encode(made.receipt), "ada")
    said = [one.outcome for one in await recent_entries(kit.database, 0) if one.action == "safety search"]
    assert said == ["receipt"]


async def test_own_decisions_are_ones_own_of_thirty_days(kit: Kit) -> None:
    work = desk(kit)
    mine, theirs = [(await cases(kit).take(reported(about=about))).hex() for about in (40, 41)]
    await work.decide(mine, "ada", "so", ban())
    await work.decide(theirs, "bob", "so", ban())
    assert [(one.id, one.measure, one.rule) for one in await work.own_decisions("ada")] == [(mine, "ban", "R5")]
    kit.now += 31 * DAY
    assert await work.own_decisions("ada") == []


async def test_a_day_begins_at_midnight_utc() -> None:
    assert day_of("1970-01-02") == DAY
    assert day_of("1970-1-2") is None
