"""What came of second looks, as the metrics and the figures of a month ask for it: each once, in the moment in which it ended."""

from __future__ import annotations

from collections import Counter

from server.data.retention.stale_cases import UNDO
from server.data.schema.second_look_queries import WITHIN, results
from server.trust.decisions.case_work import CaseWork
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, cases, desk, reported


def always(kit: Kit) -> CaseWork:
    """A desk that draws each case."""
    made = desk(kit)
    made.drawn = lambda: True  # type: ignore[method-assign]
    return made


async def ended(kit: Kit, begin: float, end: float) -> Counter[str]:
    async with kit.database.read() as connection:
        return Counter((await connection.execute(results(int(begin), int(end)))).scalars().all())


async def test_each_ends_once_by_a_look_or_by_the_clock(kit: Kit) -> None:
    at_desk = always(kit)
    idents = [(await cases(kit).take(reported(about=about))).hex() for about in (22, 33, 44, 55)]
    for ident in idents[:3]:
        await at_desk.decide(ident, "ada", "so", Decision("warning", "R4"))
    kit.now = NOW + UNDO + 1
    await at_desk.answer_second_review(idents[0], "bob", "so", "warning", "R4")
    await at_desk.answer_second_review(idents[1], "bob", "so", "none")
    await desk(kit).decide(idents[3], "ada", "so", NONE)  # not drawn
    looked = NOW + UNDO + 1
    assert await ended(kit, looked, looked + 1) == {"agreed": 1, "differed": 1}
    assert await ended(kit, looked + 1, NOW + WITHIN) == {}
    assert await ended(kit, NOW + WITHIN, NOW + WITHIN + 1) == {"missed": 1}
    assert await ended(kit, 0, NOW + 10 * WITHIN) == {"agreed": 1, "differed": 1, "missed": 1}
    kit.now = NOW + WITHIN  # whoever comes now comes too late: it is missed already
    assert list(await at_desk.open_second_reviews("bob")) == []
