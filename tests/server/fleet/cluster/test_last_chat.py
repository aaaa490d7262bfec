"""The last chat of people of two hosts: each save has one answer, wherever they are by then; reports and blocks hold. Real hosts and stores."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.server.fleet.cluster.last_chats import Pair, Two, answered, nothing_more, two
from tests.server.fleet.migrate.upgrades import Person, people
from tests.server.main.processes.test_process_group import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(240)]  # runs servers and databases, and waits for them
SAID = ("hello", "hello yourself")


async def over(made: Two, pair: Pair) -> None:
    """The one who is at home leaves, and the other is back at their own host."""
    await pair.local.say("leave")
    assert (await pair.visitor.hear("left"))["by"] == "stranger"
    await made.home_again()


async def test_both_save_report_and_block_in_a_chat_over_two_hosts_and_after_it(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        pair = await made.apart("sailing")
        both = pair.visitor, pair.local
        for person in both:
            text = await made.text(await answered(person))
            assert all(said in text for said in SAID)
        receipts = [(await answered(person, "report", reason="spam"))["receipt"] for person in both]
        tokens = [(await answered(person, "block"))["token"] for person in both]
        await over(made, pair)
        for person in both:
            text = await made.text(await answered(person))
            assert all(said in text for said in SAID)
        assert [(await answered(person, "report", reason="spam"))["receipt"] for person in both] == receipts
        assert all([(await answered(person, "block"))["token"] for person in both])
        await nothing_more(*both)
        await made.logs(4)
        await never_again(made, pair, tokens)


async def never_again(made: Two, pair: Pair, tokens: list[str]) -> None:
    """Both look for the same; each meets a newcomer, and not the other."""
    both = pair.visitor, pair.local
    for person, token in zip(both, tokens, strict=True):
        await person.say("find", interests=["chess"], strict=True, avoid=[token])
        await person.hear("waiting")
    newcomers = [(await people(made.http, server.port, 1))[0] for server in made.servers]
    for newcomer in newcomers:
        await newcomer.say("find", interests=["chess"], strict=True)
    chats = [(await person.hear("matched"))["chat"] for person in both]
    assert sorted(chats) == sorted([(await newcomer.hear("matched"))["chat"] for newcomer in newcomers])
    assert chats[0] != chats[1]


async def test_a_report_after_such_a_chat_has_its_lines_and_a_save_names_which_chat(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        pair = await made.apart("sailing")
        await pair.local.say("message", text="buy gold of me")
        await pair.visitor.hear("message")
        await over(made, pair)
        assert (await answered(pair.visitor, "report", reason="spam"))["type"] == "reported"
        shown = await made.case()
        assert all(said in shown for said in (*SAID, "buy gold of me"))
        (newcomer,) = await people(made.http, pair.edge.port, 1)
        for person in (pair.visitor, newcomer):
            await person.say("find", interests=["chess"], strict=True)
        matched = [await person.hear("matched") for person in (pair.visitor, newcomer)]
        await newcomer.say("message", text="the second one")
        await pair.visitor.hear("message")
        assert "buy gold" in await made.text(await answered(pair.visitor, chat=pair.chat))
        for chat in ({}, {"chat": matched[0]["chat"]}):
            text = await made.text(await answered(pair.visitor, **chat))
            assert "the second one" in text
            assert "buy gold" not in text
        await nothing_more(pair.visitor, newcomer)


async def test_a_save_under_way_goes_along_to_another_host(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        # home, as the chat ends
        pair = await made.apart("sailing")
        async with made.no_log_is_kept():
            for person in (pair.visitor, pair.local):
                await person.say("save")
            await over(made, pair)
        for person in (pair.visitor, pair.local):
            assert SAID[1] in await made.text(await person.hear("saved", "error"))
        await nothing_more(pair.visitor, pair.local)
        await made.logs(2)
        # to whom they meet next
        moved, crossed = await saving_as_they_go(made)
        assert SAID[1] in await made.text(await moved.hear("saved", "error"))
        await talk(moved, crossed.local)
        await nothing_more(moved, crossed.local)
        await made.logs(3)


async def saving_as_they_go(made: Two) -> tuple[Person, Pair]:
    """Somebody saves the last chat, and goes to another host before it is kept."""
    place = 0
    crowd = await people(made.http, made.servers[place].port, 8)  # so that they meet at the other host
    for number in range(20):
        one, old = await people(made.http, made.servers[place].port, 2)
        for person in (one, old):
            await person.say("find", interests=[f"first {number}"], strict=True)
        await asyncio.gather(one.hear("matched"), old.hear("matched"))
        await talk(old, one)
        await old.say("leave")
        await one.hear("left")
        async with made.no_log_is_kept():
            await one.say("save")
            (other,) = await people(made.http, made.servers[1 - place].port, 1)
            pair = await made.met(one, other, f"second {number}")
            if pair.visitor is one:
                return one, pair
        await one.hear("saved")
    raise AssertionError(f"nobody went to the other host, though here are {len(crowd)} more")


async def test_a_host_that_leaves_takes_saves_along_and_who_comes_back_is_told(tmp_path: Path) -> None:
    async with two(tmp_path, SERENDIP_SESSION__GRACE="60") as made:
        leaving, stays = made.servers
        one, other = await people(made.http, leaving.port, 2)
        for person in (one, other):
            await person.say("find", interests=["sailing"], strict=True)
        await asyncio.gather(one.hear("matched"), other.hear("matched"))
        await talk(one, other)
        async with made.no_log_is_kept():
            await one.say("save")
            await other.say("save")
            leaving._process.send_signal(signal.SIGTERM)
            for person in (one, other):
                assert (await person.hear("error", "saved"))["code"] == "restart"
            back = await Person(made.http, stays.port).open()
            await back.say("resume", token=one.token, last=0)
            assert (await back.hear("resumed", "error"))["type"] == "resumed"
        assert SAID[1] in await text_at(made, stays.port, await back.hear("saved", "error"))
        late = await Person(made.http, stays.port).open()
        await late.say("resume", token=other.token, last=0)
        assert (await late.hear("resumed", "error"))["type"] == "resumed"
        assert SAID[1] in await text_at(made, stays.port, await late.hear("saved", "error"))
        await nothing_more(back)
        assert await asyncio.to_thread(leaving._process.wait, 60) == 0
        await made.logs(2)


async def text_at(made: Two, port: int, saved: dict[str, str]) -> str:
    """The log of a save, at a host."""
    assert saved["type"] == "saved", saved
    async with made.http.get(f"http://127.0.0.1:{port}{saved['url']}", params={"as": "text"}) as answer:
        return await answer.text()


async def test_where_the_host_with_the_chat_is_gone_each_save_is_not_saved_and_a_report_is_taken(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        pair = await made.apart("sailing")
        visitor = pair.visitor
        async with made.no_log_is_kept():
            await visitor.say("save")
            await visitor.say("ping")
            await visitor.hear("pong")  # the home has the save
            await pair.home.kill("worker 1")
            assert (await visitor.hear("left"))["by"] == "lost"
            assert (await visitor.hear("saved", "error"))["code"] == "not_saved"
        for chat in ({}, {"chat": pair.chat}):
            assert (await answered(visitor, **chat))["code"] == "not_saved"
        said = await answered(visitor, "report", reason="spam", chat=pair.chat)
        assert said["type"] == "reported"
        assert (await answered(visitor, "report", reason="spam"))["receipt"] == said["receipt"]
        assert (await answered(visitor, "block"))["type"] == "blocked"
        await nothing_more(visitor)
        assert "spam" in await made.case()


async def test_a_spy_of_another_host_saves_what_all_three_see(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        spy, one, other = [(await people(made.http, made.servers[place].port, 1))[0] for place in (0, 1, 0)]
        await spy.say("find", role="spy", question="Why is it so at all?")
        for person in (one, other):
            await person.say("find", role="discuss")
        for person in (spy, one, other):
            await person.hear("matched")
        await talk(one, other)
        for _ in SAID:
            await spy.hear("message")
        texts = {await made.text(await answered(person)) for person in (spy, one, other)}
        assert all("Why is it so at all?" in text and SAID[0] in text and SAID[1] in text for text in texts)
        assert (await answered(spy, "report", reason="spam", who=1))["type"] == "reported"
        await one.say("leave")
        for person in (spy, other):
            await person.hear("left")
        await made.home_again()
        for person in (spy, one, other):
            assert await made.text(await answered(person)) in texts
        await nothing_more(spy, one, other)
