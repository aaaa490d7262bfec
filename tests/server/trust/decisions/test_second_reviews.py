"""Test second reviews: one decided case in twenty, shown without its decision; the answer is counted, and no more."""

from __future__ import annotations

import pytest

from server.data.retention.stale_cases import UNDO
from server.data.schema.second_look_queries import WITHIN
from server.ops.config.moderation_policy import AGE, DAY
from server.trust.cases.user_appeals import Appeals
from server.trust.decisions.case_work import CaseWork
from server.trust.decisions.second_reviews import ONE_IN, drawn
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision, Grade, Refused
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, ban, bans, cases, desk, reported, text


def always(kit: Kit) -> CaseWork:
    """A desk that draws each case."""
    made = desk(kit)
    made.drawn = lambda: True  # type: ignore[method-assign]
    return made


async def waiting(at_desk: CaseWork, operator: str) -> list[str]:
    return [one.id for one in await at_desk.open_second_reviews(operator)]


async def drawn_case(
    kit: Kit, at_desk: CaseWork, decision: Decision = NONE, about: int = 22, reason: str = "spam"
) -> str:
    """A case that ada decided, when nobody can take that back any more."""
    ident = (await cases(kit).take(reported(about=about, reason=reason, at=int(kit.now), said=text("hi", "buy")))).hex()
    await at_desk.decide(ident, "ada", "so", decision)
    kit.now += UNDO + 1
    return ident


def test_one_in_twenty_is_drawn() -> None:
    tries = 20_000
    assert 0.7 < sum(drawn() for _ in range(tries)) * ONE_IN / tries < 1.3  # twelve times the spread of chance


async def test_another_operator_sees_nothing_of_the_decision_until_they_said_theirs(kit: Kit) -> None:
    at_desk = always(kit)
    ident = await drawn_case(kit, at_desk, ban("R2", 7), reason="nudity")
    mine, theirs = await at_desk.show(ident, "ada", "so"), await at_desk.show(ident, "bob", "so")
    assert not mine.again
    assert mine.outcome is not None
    assert mine.outcome.measure == "ban"
    assert mine.steps["R2"] == 7 * DAY
    assert theirs.again
    assert (theirs.outcome, theirs.program, theirs.earlier) == (None, None, ())
    assert theirs.steps["R2"] == DAY  # as it was
    assert [(one.record.right, one.record.of) for one in theirs.reports] == [(0, 0)]
    assert [line.text for line in theirs.texts[0].lines] == ["hi", "buy"]
    assert await at_desk.answer_second_review(ident, "bob", "so", "ban", "R2") is True
    shown = await at_desk.show(ident, "bob", "so")
    assert not shown.again
    assert shown.outcome is not None
    assert shown.outcome.second is not None
    assert (shown.outcome.second.by, shown.outcome.second.measure, shown.outcome.second.agreed) == ("bob", "ban", True)
    known = bans(kit)
    await known.refresh()
    assert known.find(22, "") is not None  # nothing follows
    with pytest.raises(Refused, match="does not wait"):
        await at_desk.answer_second_review(ident, "cyd", "so", "none")


@pytest.mark.parametrize(
    ("decided", "measure", "rule", "alike"),
    [
        (NONE, "none", "", True),
        (NONE, "warning", "R4", False),
        (ban("R5", 1), "ban", "R5", True),
        (ban("R5", 1), "ban", "R4", False),
        (ban("R5", 1), "none", "", False),
        (Decision("pause", "R4", 3_600), "pause", "R4", True),
        (Decision(AGE, "R1"), AGE, "R1", True),
    ],
)
async def test_alike_is_the_same_measure_by_the_same_rule(
    kit: Kit, decided: Decision, measure: str, rule: str, alike: bool
) -> None:
    at_desk = always(kit)
    ident = await drawn_case(kit, at_desk, decided)
    assert await at_desk.answer_second_review(ident, "bob", "so", measure, rule) is alike
    found = (await at_desk.show(ident, "ada", "so")).outcome
    assert found is not None
    assert found.second is not None
    assert (found.second.agreed, found.measure) == (alike, decided.measure)


async def test_what_nobody_could_decide_is_refused(kit: Kit) -> None:
    at_desk = always(kit)
    ident = await drawn_case(kit, at_desk)
    for measure, rule in (("", ""), ("none", "R5"), ("ban", ""), ("ban", "R9"), (AGE, "R5"), ("jail", "R5")):
        with pytest.raises(Refused):
            await at_desk.answer_second_review(ident, "bob", "so", measure, rule)
    assert await waiting(at_desk, "bob") == [ident]


async def test_with_one_operator_it_waits_for_nobody_and_holds_nothing_up(kit: Kit) -> None:
    at_desk = always(kit)
    ident = await drawn_case(kit, at_desk, ban("R5", 7))
    assert await waiting(at_desk, "ada") == []
    with pytest.raises(Refused, match="does not wait"):
        await at_desk.answer_second_review(ident, "ada", "so", "ban", "R5")
    known = bans(kit)
    await known.refresh()
    assert known.find(22, "") is not None
    kit.now = NOW + WITHIN + UNDO + 2
    assert await waiting(at_desk, "bob") == []
    shown = await at_desk.show(ident, "bob", "so")
    assert (shown.again, shown.outcome is not None) == (False, True)


async def test_it_begins_when_the_decision_cannot_be_taken_back_and_leaves_with_it(kit: Kit) -> None:
    at_desk = always(kit)
    ident = (await cases(kit).take(reported())).hex()
    await at_desk.decide(ident, "ada", "so", NONE)
    assert await waiting(at_desk, "bob") == []
    await at_desk.undo(ident, "ada")
    at_desk.drawn = lambda: False  # type: ignore[method-assign]
    await at_desk.decide(ident, "ada", "so", ban())
    kit.now += UNDO + 1
    assert await waiting(at_desk, "bob") == []


async def test_what_was_appealed_ended_or_took_two_is_not_seen_again(kit: Kit) -> None:
    at_desk = always(kit)
    appealed = await drawn_case(kit, at_desk, ban("R5", 7))
    ended = await drawn_case(kit, at_desk, ban("R5", 7), about=33)
    two = (await cases(kit).take(reported(about=44, at=int(kit.now)))).hex()
    await at_desk.decide(two, "ada", "so", Decision("ban", "R5", 200 * DAY), Grade.PAIR)
    kit.now += UNDO + 1
    assert await waiting(at_desk, "bob") == [appealed, ended]
    token = path_of(kit.pseudonyms, bytes.fromhex(appealed)).rpartition("/")[2]
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "no")
    await at_desk.unban(ended, "cyd", "so")
    assert await waiting(at_desk, "bob") == []


async def test_of_two_who_look_at_once_one_is_counted(kit: Kit) -> None:
    at_desk = always(kit)
    ident = await drawn_case(kit, at_desk)
    assert (await at_desk.show(ident, "bob", "so")).again
    assert (await at_desk.show(ident, "cyd", "so")).again
    assert await at_desk.answer_second_review(ident, "cyd", "so", "none") is True
    with pytest.raises(Refused, match="does not wait"):
        await at_desk.answer_second_review(ident, "bob", "so", "warning", "R4")
