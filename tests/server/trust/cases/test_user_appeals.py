"""Test that banned users read the reasons and appeal, by an address alone."""

from __future__ import annotations

import json

from server.trust.cases.user_appeals import AGAIN, LONGEST, Appeals
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import acted, ban, bans, cases, desk, reported


async def test_the_reasons_are_read_by_the_address_and_by_nothing_else(kit: Kit) -> None:
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    ident = await cases(kit).take(reported())
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5", 7))
    found = await appeals.read(path_of(kit.pseudonyms, ident).rpartition("/")[2])
    assert found is not None
    assert (found.rule, found.since, found.until, found.running) == ("R5", NOW, NOW + 7 * 86_400, True)
    assert not found.network
    for guess in ("", "x", "A" * 22, "é" * 22, ident.hex()):
        assert await appeals.read(guess) is None
        assert await appeals.write(guess, "let me in") is None


async def test_one_appeal_at_a_time_and_the_next_a_week_after_its_answer(kit: Kit) -> None:
    appeals, at_desk = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "adverts", ban("R5", 30))
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
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


async def test_a_network_reads_nothing_of_the_case_and_has_an_appeal_of_its_own(kit: Kit) -> None:
    appeals, at_desk, known = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit), bans(kit)
    ident = await cases(kit).take(reported(reason="threat"))
    await at_desk.decide(ident.hex(), "ada", "so", Decision("ban", "R3", 7 * 86_400, "You threatened somebody."))
    await known.refresh()
    flatmate, person = (json.loads((known.refusal(who, address(22)) or (b"", b""))[0]) for who in (33, 22))
    token, own = (frame["appeal"].rpartition("/")[2] for frame in (flatmate, person))
    found = await appeals.read(token)
    assert found is not None
    assert (found.network, found.rule, found.words, found.until) == (True, "", "", NOW + 86_400)
    await appeals.write(token, "I live here too")
    read = await appeals.read(own)
    assert read is not None
    assert (read.appealed, read.words) == ("", "You threatened somebody."), "their appeal is not used up"
    await appeals.write(own, "it was a song")
    waiting = {one.text: one.network for one in await at_desk.appeals("zoe")}
    assert waiting == {"I live here too": True, "it was a song": False}
    await at_desk.answer(ident.hex(), "bob", "read", uphold=False, words="Come in.", network=True)
    await known.refresh()
    assert known.refusal(33, address(22)) is None
    assert known.refusal(22, address(22)) is not None
    answers = [(one.appealed, one.answer) for one in (await appeals.read(token), await appeals.read(own)) if one]
    assert answers == [("reversed", "Come in."), ("open", "")]


async def test_what_is_said_of_who_decided_names_what_brought_the_case(kit: Kit) -> None:
    appeals, at_desk = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit)
    sources = []
    for made in (reported(about=22), acted("nudity", about=23)):
        ident = await cases(kit).take(made)
        await at_desk.decide(ident.hex(), "ada", "so", ban("R2", 1))
        found = await appeals.read(path_of(kit.pseudonyms, ident).rpartition("/")[2])
        assert found is not None
        sources.append((found.program, found.source))
    assert sources == [("", "reported"), ("", "found")]


async def test_a_warning_is_read_and_appealed_by_its_address_and_taken_back(kit: Kit) -> None:
    appeals, at_desk = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now), desk(kit)
    ident = await cases(kit).take(reported())
    await at_desk.decide(ident.hex(), "ada", "hateful", Decision("warning", "R4"))
    token = path_of(kit.pseudonyms, ident).rpartition("/")[2]
    found = await appeals.read(token)
    assert found is not None
    assert (found.measure, found.rule, found.since, found.running, found.source) == (
        "warning",
        "R4",
        NOW,
        True,
        "reported",
    )
    await appeals.write(token, "I quoted a song")
    assert [one.text for one in await at_desk.appeals("zoe")] == ["I quoted a song"]
    await at_desk.answer(ident.hex(), "bob", "read", uphold=False, words="You were right.")
    found = await appeals.read(token)
    assert found is not None
    assert (found.running, found.appealed, found.answer) == (False, "reversed", "You were right.")
