"""Test public notices: sealed, bounded, readable by the receipt alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from server.data.schema.transparency_schema import law_notice
from server.trust.decisions.public_notice_work import PublicNoticeWork
from server.trust.moderation_protocol import NoticeForm
from server.trust.reports import illegal_content_notices
from server.trust.reports.illegal_content_notices import PublicNotices
from tests.server.data.conftest import NOW, Kit

SAID = NoticeForm("chat", "25 November, about 18:00 UTC", "Somebody sells passports.", "me@example.org")


def notices(kit: Kit) -> PublicNotices:
    """What takes them, at the test's time."""
    return PublicNotices(kit.database, kit.pseudonyms, clock=lambda: kit.now)


async def test_a_notice_is_sealed_and_its_receipt_says_that_it_came(kit: Kit) -> None:
    receipt = await notices(kit).write(SAID)
    assert receipt is not None
    found = await notices(kit).read(receipt)
    assert found is not None
    assert (found.state, found.at, found.closed, found.answer) == ("open", NOW, None, "")
    async with kit.database.read() as connection:
        row = (await connection.execute(select(law_notice))).one()
    for value in (row.about, row.text, row.contact):
        assert not any(word.encode() in value for word in ("November", "passports", "example"))


async def test_a_guess_finds_nothing(kit: Kit) -> None:
    await notices(kit).write(SAID)
    for guess in ("", "x", "A" * 22, "é" * 22):
        assert await notices(kit).read(guess) is None


async def test_beyond_the_bound_none_is_kept_until_one_is_decided(kit: Kit, monkeypatch: Any) -> None:
    monkeypatch.setattr(illegal_content_notices, "BOUND", 2)
    assert [bool(await notices(kit).write(SAID)) for _ in range(3)] == [True, True, False]
    desk = PublicNoticeWork(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await desk.answer((await desk.waiting())[0].id, "ada", "read", "none")
    assert await notices(kit).write(SAID) is not None


async def test_longest_words_of_any_script_fit(kit: Kit) -> None:
    longest = NoticeForm("other", "𝔞" * 300, "𝔞" * 2_000, "𝔞" * 254)
    assert await notices(kit).write(longest) is not None
    async with kit.database.read() as connection:
        row = (await connection.execute(select(law_notice))).one()
    for name in ("about", "text", "contact"):
        assert len(getattr(row, name)) <= law_notice.c[name].type.length  # type: ignore[attr-defined]


async def test_a_decided_notice_leaves_in_its_time_and_one_that_nobody_decided_is_closed_and_says_so(kit: Kit) -> None:
    desk = PublicNoticeWork(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await notices(kit).write(SAID)
    await desk.answer((await desk.waiting())[0].id, "ada", "read", "acted")
    receipts = [await notices(kit).write(said) for said in (replace(SAID, kind="other"), replace(SAID, kind="child"))]
    for days, left, states in (
        (59, 3, ["open", "open"]),
        (61, 3, ["aged", "aged"]),
        (121, 2, ["aged", "aged"]),
        (182, 0, [None, None]),
    ):
        kit.now = NOW + days * 86_400
        done = await kit.purge().run()
        assert done.proved
        assert {proof.place for proof in done.proofs} >= {"law_notice.at", "request_text.request"}
        assert await kit.count("law_notice") == left
        found = [await notices(kit).read(receipt or "") for receipt in receipts]
        assert [one.state if one else None for one in found] == states
        assert [one.closed is not None for one in found if one] == [one.state == "aged" for one in found if one]
