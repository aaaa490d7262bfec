"""Test that reports about one person form one case, in the queue of the gravest, with the server's own text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from server.data.schema.moderation_schema import case_subject, evidence, report
from server.trust.cases.report_cases import A_DAY, NOTE
from server.trust.evidence.chat_evidence import Detection
from server.trust.reports import report_outcome
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, cases, desk, reported, text


async def test_a_report_is_stored_under_keyed_values_with_its_text(kit: Kit) -> None:
    await cases(kit).take(reported(note="sells things", said=text("hello", "buy this")))
    async with kit.database.read() as connection:
        row = (await connection.execute(select(report))).one()
        subject = (await connection.execute(select(case_subject))).one()
        piece = (await connection.execute(select(evidence))).one()
    assert row.identity == kit.pseudonyms.safety_identity(11)
    assert kit.pseudonyms.open_text(NOTE, row.note) == "sells things"
    assert subject.identity == kit.pseudonyms.safety_identity(22)
    assert subject.identity != kit.pseudonyms.kept_identity(22)  # joins with no other table
    body = await kit.objects.get(piece.object)
    assert body is not None
    assert b"buy this" not in body
    assert await kit.count("doomed") == 0


async def test_reports_about_one_person_join_their_open_case_and_its_gravest_queue(kit: Kit) -> None:
    takes = cases(kit)
    first = await takes.take(reported(by=11))
    assert await takes.take(reported(by=12, reason="minor")) == first
    assert await takes.take(reported(by=11, about=33)) != first
    found = await desk(kit).cases()
    assert [(one.queue, one.reasons, one.reports) for one in found] == [
        ("urgent", ("minor", "spam"), 2),
        ("spam", ("spam",), 1),
    ]


async def test_a_decided_case_takes_the_same_pair_for_a_day_and_nobody_else(kit: Kit) -> None:
    takes = cases(kit)
    first = await takes.take(reported(by=11))
    await desk(kit).decide(first.hex(), "ada", "nothing in it", NONE)
    again = reported(by=11, at=NOW + 3600, said=text("hello"))
    assert await takes.take(again) == first
    receipt = await report_outcome.find(kit.database, kit.pseudonyms, again.receipt)
    assert receipt is not None
    assert (receipt.state, receipt.closed) == ("none", NOW + 3600)
    assert await takes.take(reported(by=12, at=NOW + 3600)) != first
    assert await takes.take(reported(by=11, at=NOW + 2 * 86_400)) != first


async def test_without_a_cookie_the_network_is_the_person(kit: Kit) -> None:
    takes = cases(kit)
    first = await takes.take(reported(by=11, about=0))
    assert await takes.take(reported(by=12, about=0)) == first
    assert await takes.take(reported(by=12, about=22)) != first


@pytest.mark.timeout(60)
async def test_who_reports_many_is_heard_last_and_never_dropped(kit: Kit) -> None:
    takes = cases(kit)
    for about in range(100, 100 + A_DAY + 3):
        await takes.take(reported(by=11, about=about, reason="threat"))
    queues = [one.queue for one in await desk(kit).cases()]
    assert queues == ["people"] * A_DAY + ["low"] * 3


async def test_a_report_without_text_says_so(kit: Kit) -> None:
    ident = await cases(kit).take(reported())
    assert (await desk(kit).show(ident.hex(), "ada", "looking")).texts == ()


@pytest.mark.parametrize(
    ("reason", "rules", "points"),
    [
        ("spam", (), 20),
        ("spam", ("link", "contact"), 40),
        ("spam", ("money",), 60),
        ("spam", ("money", "link"), 80),
        ("other", ("money",), 60),
        ("other", ("threat",), 10),
        ("threat", ("threat",), 80),
        ("threat", ("hate",), 60),
        ("hate", ("hate",), 60),
        ("minor", ("age.claim",), 120),
        ("danger", ("threat",), 110),
        ("nudity", ("link",), 50),
    ],
)
async def test_what_a_program_found_of_the_reported_side_makes_a_report_graver_where_it_says_the_same(
    kit: Kit, reason: str, rules: tuple[str, ...], points: int
) -> None:
    said = text("hello", "and so on")
    theirs, others = (tuple(Detection(1, side, rule) for rule in rules) for side in (1, 0))
    takes = cases(kit)
    await takes.take(reported(reason=reason, said=replace(said, found=theirs)))
    await takes.take(reported(by=13, about=33, reason=reason, said=replace(said, found=others)))
    base = {"spam": 20, "other": 10, "threat": 60, "hate": 40, "minor": 100, "danger": 90, "nudity": 50}[reason]
    assert [one.points for one in await desk(kit).cases()] == sorted((points, base), reverse=True)
