"""Test which open cases began alike, and the words by which a list shows them."""

from __future__ import annotations

from server.data.privacy.audit_log import recent_entries
from server.trust.decisions.case_work import CaseWork
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.moderation.people import NONE, acted, cases, desk, reported, text

ADVERT = "hey {name}, i am alone tonight, come to my private room at annas{number}.live and see me"


async def swarm(kit: Kit, count: int, first: int = 100) -> list[bytes]:
    """Cases of as many advertisers with varied adverts."""
    adverts = [
        ADVERT.format(name=name, number=number) for number, name in zip(range(count), "abcdefghij", strict=False)
    ]
    return [
        await cases(kit).take(reported(about=first + place, at=NOW + place, said=text("hi", advert)))
        for place, advert in enumerate(adverts)
    ]


async def test_cases_that_began_alike_are_found_together_and_others_are_not(kit: Kit) -> None:
    work = desk(kit)
    idents = await swarm(kit, 5)
    other = await cases(kit).take(
        reported(about=50, said=text("hi", "what is your favourite film of all time, and why?"))
    )
    short = await cases(kit).take(reported(about=51, said=text("hi", "buy this")))
    assert set(await work.alike_cases(idents[0].hex())) == set(idents)
    assert (await work.alike_cases(idents[3].hex()))[0] == idents[3]
    assert await work.alike_cases(other.hex()) == (other,)
    assert await work.alike_cases(short.hex()) == (short,)
    listed = await work.cases("spam")
    words = await work.excerpts("spam", listed, "ada", "test")
    assert words[idents[1].hex()].alike == 4
    assert words[short.hex()].about == "buy this"
    assert words[idents[0].hex()].about.startswith("hey a")


async def test_a_line_without_letters_at_its_beginning_spoils_no_list(kit: Kit) -> None:
    work = desk(kit)
    for about, line in (
        (60, "7" * 300 + "come and see me in my room tonight"),
        (61, "👻" * 300),
        (62, "٣" * 300),
        (63, ""),
    ):
        await cases(kit).take(reported(about=about, said=text("hi", line)))
    listed = await work.cases("spam")
    words = await work.excerpts("spam", listed, "ada", "test")
    assert [words[one.id].alike for one in listed] == [0] * 4


async def test_a_decided_case_and_another_queue_are_left_out(kit: Kit) -> None:
    work = desk(kit)
    idents = await swarm(kit, 3)
    program = await cases(kit).take(acted(about=70, said=text("hi", ADVERT.format(name="z", number=9))))
    await work.decide(idents[0].hex(), "ada", "so", NONE)
    assert set(await work.alike_cases(idents[1].hex())) == set(idents[1:])
    assert await work.alike_cases(program.hex()) == (program,)


async def test_a_list_is_a_line_of_the_audit_log_that_names_its_cases(kit: Kit) -> None:
    work: CaseWork = desk(kit)
    idents = await swarm(kit, 2)
    await work.excerpts("spam", await work.cases("spam"), "ada", "work")
    said = [one for one in await recent_entries(kit.database, 0) if one.action == "safety list"]
    assert len(said) == 1
    assert said[0].operator == "ada"
    assert all(ident.hex()[:8] in said[0].outcome for ident in idents)
    assert "annas" not in said[0].outcome
