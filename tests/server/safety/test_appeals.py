"""What banned people read and write, by an address alone."""

from __future__ import annotations

from server.safety.appeals import AGAIN, LONGEST, Appeals
from server.safety.measures import Decision
from tests.server.store.conftest import NOW, Kit

from .people import ban, bans, cases, desk, reported


async def test_the_reasons_are_read_by_the_address_and_by_nothing_else(kit: Kit) -> None:
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    ident = await cases(kit).take(reported())
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5", 7))
    found = await appeals.read(bans(kit).path(ident).rpartition("/")[2])
    assert found is not None
    assert (found.rule, found.since, found.until, found.running) == ("R5", NOW, NOW + 7 * 86_400, True)
    assert found.kinds == ("identity", "network")
    for guess in ("", "x", "A" * 22, "é" * 22, ident.hex()):
        assert await appeals.read(guess) is None
        assert await appeals.write(guess, "let me in") is None


async def test_one_appeal_at_a_time_and_the_next_a_week_after_its_answer(kit: Kit) -> None:
    appeals, at_desk = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "adverts", ban("R5", 30))
    token = bans(kit).path(ident).rpartition("/")[2]
    await appeals.write(token, "x" * 5_000)
    await appeals.write(token, "and another")
    waiting = await at_desk.appeals("zoe")
    assert [len(one.text) for one in waiting] == [LONGEST]
    await at_desk.answer(ident.hex(), "bob", "read", uphold=True, words="")
    told = await appeals.write(token, "once more")
    assert told is not None
    assert (told.appealed, told.again) == ("upheld", NOW + AGAIN)
    assert await at_desk.appeals("zoe") == []
    kit.now = NOW + AGAIN + 1
    told = await appeals.write(token, "once more")
    assert told is not None
    assert told.appealed == "open"


async def test_a_warning_is_read_and_appealed_by_its_address_and_taken_back(kit: Kit) -> None:
    appeals, at_desk = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "hateful", Decision("warning", "R4"))
    token = bans(kit).path(ident).rpartition("/")[2]
    found = await appeals.read(token)
    assert found is not None
    assert (found.measure, found.rule, found.since, found.running, found.kinds) == ("warning", "R4", NOW, True, ())
    await appeals.write(token, "I quoted a song")
    assert [one.text for one in await at_desk.appeals("zoe")] == ["I quoted a song"]
    await at_desk.answer(ident.hex(), "bob", "read", uphold=False, words="You were right.")
    found = await appeals.read(token)
    assert found is not None
    assert (found.running, found.appealed, found.answer) == (False, "reversed", "You were right.")
