"""Test the typed client against the real server: one stream of events, whatever happens to the connection."""

import asyncio
import textwrap
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import aiohttp
import pytest

from bench.load.cutting_proxy import Cutter
from examples import echo_bot
from serendip_client import (
    Backoff,
    Challenge,
    Client,
    Closed,
    Dropped,
    Error,
    Event,
    Hello,
    Left,
    Matched,
    Message,
    NoChat,
    NotSent,
    Partner,
    Pong,
    Reported,
    Resumed,
    Sent,
    Solved,
    Typing,
    Waiting,
)  # fmt: skip
from serendip_client.puzzles import solution
from tests.server.site.web.servers import ROOT, Server

QUICK = {"first": 0.02, "most": 0.2}


async def pair(url: str, word: str, other_url: str = "") -> tuple[Client, Client]:
    """Two started clients in one chat; the first through `url`."""
    a = Client(url, backoff=Backoff(**QUICK))
    b = Client(other_url or url, backoff=Backoff(**QUICK))
    await a.start()
    await b.start()
    await a.find(interests=[word])
    await a.next(Waiting)
    await b.find(interests=[word])
    await b.next(Matched)
    await a.next(Matched)
    return a, b


async def test_two_meet_by_a_common_interest_talk_and_part(url: str) -> None:
    async with Client(url) as a, Client(url) as b:
        greeted = await a.next(Hello)
        assert greeted.statement.split(".")[0].isdecimal()
        assert 0 < greeted.since <= time.time()
        await a.find(interests=["Client Test", "tea"])
        waiting = await a.next(Waiting)
        assert waiting == Waiting("good", waiting.widens, False)
        await b.find(interests=["client test"])
        at_a, at_b = await a.next(Matched), await b.next(Matched)
        assert (at_a.common, at_b.common) == (("Client Test",), ("client test",))
        assert at_a.chat == at_b.chat
        id = await a.say('hello\n"there" \U0001f600')
        assert await b.next(Message) == Message(1, 'hello\n"there" \U0001f600')
        assert await a.next(Sent) == Sent(id, 1)
        await b.typing(True)
        assert await a.next(Typing) == Typing(True)
        await b.report("spam")
        assert type(await b.next(Reported)) is Reported
        await a.ping()
        assert type(await a.next(Pong)) is Pong
        await a.leave()
        assert await b.next(Left) == Left("stranger")
        with pytest.raises(NoChat):
            await b.say("anybody?")


async def test_a_refused_message_is_not_sent_and_the_chat_goes_on(url: str) -> None:
    a, b = await pair(url, "refusals")
    id = await a.say("bell\x07")
    assert await a.next(NotSent) == NotSent(id, "bell\x07", "control")
    await a.say("fine")
    assert type(await a.next(Sent, Error)) is Sent, "what was refused is told once"
    assert (await b.next(Message)).text == "fine"
    await a.close()
    assert await b.next(Left) == Left("stranger")
    await b.close()


async def test_a_drop_costs_nothing_and_both_are_told(server: Server, url: str) -> None:
    async with Cutter(server.port) as network:
        a, b = await pair(network.url, "drops", url)
        for cable in list(network.open):
            cable.cut()
        dropped = await a.next(Dropped)
        assert dropped.code == 1006
        said = [await a.say("while away"), await a.say("twice")]
        away = await b.next(Partner)
        assert away.state == "away"
        assert away.within == pytest.approx(15.0, abs=1.0)
        await b.say("missed")
        resumed = await a.next(Resumed)
        assert a.chat is not None
        assert resumed.chat == a.chat.chat
        assert (await a.next(Message)).text == "missed"
        assert (await b.next(Partner)).state == "back"
        assert [(await b.next(Message)).text for _ in said] == ["while away", "twice"]
        assert [(await a.next(Sent)).id for _ in said] == said
        await a.close()
        await b.close()


async def test_a_find_that_met_a_drop_is_asked_again(server: Server, url: str) -> None:
    async with Cutter(server.port) as network, Client(network.url, backoff=Backoff(**QUICK)) as a, Client(url) as b:
        await a.next(Hello)
        for cable in list(network.open):
            cable.cut()
        await a.find(interests=["asked again"])
        await b.find(interests=["asked again"])
        assert (await a.next(Matched)).common == ("asked again",)


async def test_who_does_not_listen_is_not_read_from_and_loses_nothing(url: str) -> None:
    a, b = await pair(url, "deaf")
    count = 3000

    async def talk() -> None:
        for number in range(count):
            await a.say(f"{number}")

    async def drain() -> None:
        while (await a.next(Sent)).seq != count:
            pass

    talking = asyncio.gather(talk(), drain())
    got = [(await b.next(Message)).text for _ in range(count)]
    await talking
    assert got == [f"{number}" for number in range(count)]
    await a.close()
    await b.close()


async def test_a_say_that_waits_for_room_lets_the_answers_in(url: str) -> None:
    a, b = await pair(url, "both flood")

    async def talk(me: Client) -> None:
        for number in range(2000):
            await me.say(f"{number}")

    await asyncio.gather(talk(a), talk(b))
    for me in (a, b):
        assert [(await me.next(Message)).text for _ in range(2000)][-1] == "1999"
    await a.close()
    await b.close()


async def test_the_echo_bot_echoes_and_meets_the_next(url: str) -> None:
    bot = asyncio.create_task(echo_bot.main(url))
    for text in ("one", "two"):
        async with Client(url) as me:
            await me.find(interests=["echo"])
            await me.next(Matched)
            await me.say(text)
            assert (await me.next(Message)).text == text
    bot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bot


async def test_the_echo_bot_meets_all_that_come_one_after_the_other_within_the_limits_as_shipped(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, SERENDIP_CHALLENGE__ENABLED="true")
    url = f"ws://127.0.0.1:{server.port}/ws"
    bot = asyncio.create_task(echo_bot.main(url))
    try:
        for number in range(15):
            async with Client(url) as me, asyncio.timeout(30):
                await me.find(interests=["echo"])
                await me.next(Matched)
                await me.say(f"{number}")
                assert (await me.next(Message)).text == f"{number}"
    finally:
        bot.cancel()
        await asyncio.wait([bot])
        server.stop()


async def test_a_puzzle_before_a_search_is_solved_and_told_to_whoever_wants_it(tmp_path: Path) -> None:
    server = Server(tmp_path, SERENDIP_CHALLENGE__ENABLED="true", SERENDIP_CHALLENGE__FIRST="true")
    url = f"ws://127.0.0.1:{server.port}/ws"
    try:
        async with Client(url) as me, Client(url, solves=False) as other:
            await other.find(interests=["puzzles"])
            told = [await other.next(Challenge, Error) for _ in range(2)]
            assert {type(event) for event in told} == {Challenge, Error}
            asked = next(event for event in told if isinstance(event, Challenge))
            response = solution(asked.parameters, threading.Event())
            assert response is not None
            await other.solve(asked.kind, response)
            await other.next(Solved)
            await other.find(interests=["puzzles"])
            await other.next(Waiting)
            await me.find(interests=["puzzles"])
            assert isinstance(await me.next(Matched, Challenge, Solved, Error), Matched)
    finally:
        server.stop()


def test_the_document_lists_each_event_with_its_fields() -> None:
    document = (ROOT / "docs/client.md").read_text()
    for kind in get_args(Event):
        assert f"`{kind.__name__}({', '.join(field.name for field in fields(kind))})`" in document


@pytest.mark.parametrize("name", ["docs/client.md", "client/README.md"])
def test_the_documents_show_the_example_as_it_is(name: str) -> None:
    source = Path(echo_bot.__file__).read_text()
    body = source[source.index("async def") : source.index("if __name__")].strip()
    assert textwrap.indent(body, "    ") in (ROOT / name).read_text()


async def test_closing_ends_the_stream_of_events(url: str) -> None:
    client = Client(url)
    await client.start()
    await client.next(Hello)
    await client.close()
    assert [type(event) async for event in client] == [Closed]


async def test_a_server_that_closes_for_good_is_not_asked_again(url: str) -> None:
    async with Client(url) as client:
        await client.next(Hello)
        assert client._socket is not None
        await client._socket.send_bytes(b"binary")
        assert (await client.next(Error)).code == "binary"
        assert (await client.next(Closed)).code == 1003


@pytest.mark.parametrize("gone", ["leave", "find"])
async def test_what_was_said_before_leaving_is_told_once_and_as_it_was(url: str, gone: str) -> None:
    a, b = await pair(url, f"told once {gone}")
    said = [await a.say(f"{number}") for number in range(20)]
    said.append(await a.say("bell\x07"))
    await (a.leave() if gone == "leave" else a.find(interests=["nobody else says this"]))
    await a.ping()
    told: list[str] = []
    while not isinstance(event := await anext(a), Pong):
        if isinstance(event, Sent | NotSent):
            told.append(f"{event.id} {type(event).__name__}")
    assert told == [f"{id} Sent" for id in said[:-1]] + [f"{said[-1]} NotSent"]
    assert [(await b.next(Message)).text for _ in range(20)] == [f"{number}" for number in range(20)]
    assert await b.next(Left) == Left("stranger")
    await a.close()
    await b.close()


async def test_what_was_said_before_closing_arrives_and_is_told(url: str) -> None:
    a, b = await pair(url, "told at the end")
    said = [await a.say(f"{number}") for number in range(20)]
    await a.close()
    assert [event.id async for event in a if isinstance(event, Sent)] == said
    assert [(await b.next(Message)).text for _ in range(20)] == [f"{number}" for number in range(20)]
    await b.close()


async def test_lines_of_a_chat_that_was_left_while_away_are_told_by_what_the_server_took(
    server: Server, url: str
) -> None:
    async with Cutter(server.port) as network:
        a, b = await pair(network.url, "left while away", url)
        taken = await a.say("arrives")
        assert (await b.next(Message)).text == "arrives"
        for cable in list(network.open):
            cable.cut()
        await a.next(Dropped)
        never = await a.say("never goes out")
        await a.leave()
        told = [event async for event in _until_resumed(a) if isinstance(event, NotSent)]
        assert told == [NotSent(never, "never goes out", "left")]
        assert await b.next(Left, Message) == Left("stranger")
        assert taken != never
        await a.close()
        await b.close()


async def _until_resumed(client: Client) -> AsyncIterator[Event]:
    async for event in client:
        yield event
        if isinstance(event, Resumed):
            return


async def test_what_a_limit_refused_says_when_to_come_back(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        a, b = await pair(f"ws://127.0.0.1:{server.port}/ws", "too fast")
        for number in range(130):
            await a.say(f"{number}")
        refused = await a.next(NotSent)
        assert refused.code == "too_fast"
        assert refused.retry_after is not None
        await a.close()
        await b.close()
    finally:
        server.stop()


async def test_half_a_character_and_wishes_that_are_none_are_refused_here(url: str) -> None:
    a, b = await pair(url, "half")
    with pytest.raises(UnicodeEncodeError):
        await a.say("\ud800")
    with pytest.raises(TypeError, match=r"knows no interest$"):
        await a.find(interest=["a slip of the pen"])  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        await a.find("chess")
    await a.say("the chat goes on")
    assert (await b.next(Message)).text == "the chat goes on"
    await a.close()
    await b.close()


async def test_nobody_at_the_port_is_tried_again_later() -> None:
    async with (
        aiohttp.ClientSession() as http,
        Client("ws://127.0.0.1:9/ws", http=http, backoff=Backoff(**QUICK)) as client,
    ):
        assert [type(await client.next(Dropped)) for _ in range(3)] == [Dropped] * 3
        assert client.connects == 0


def test_back_off_doubles_up_to_twenty_seconds_and_starts_again_after_a_success() -> None:
    backoff = Backoff()
    waits = [backoff.next() for _ in range(10)]
    for wait, whole in zip(waits, [0.5, 1, 2, 4, 8, 16, 20, 20, 20, 20], strict=True):
        assert whole / 2 <= wait <= whole
    backoff.reset()
    assert backoff.next() <= 0.5
