"""Test the server for tests of programs: what a bot's author writes with it, in Python and in JavaScript."""

import subprocess
from pathlib import Path

from examples import patient_bot_test
from serendip_client import (
    Backoff,
    Blocked,
    Client,
    Dropped,
    Error,
    Left,
    Matched,
    Message,
    NotSent,
    Partner,
    Reported,
    Resumed,
    Saved,
    Sent,
)
from serendip_client.testing import FakeClock, FakeServer

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "client" / "js"


async def test_a_stranger_is_met_who_talks_drops_refuses_and_leaves() -> None:
    async with FakeServer() as server, Client(server.url, backoff=Backoff(first=0.01, most=0.1)) as me:
        await me.find(interests=["tea"])
        stranger = await server.meet()
        assert (await me.next(Matched)).common == ("tea",)
        await stranger.say("hello")
        assert await me.next(Message) == Message(1, "hello")
        await me.say("hi")
        assert await stranger.hears() == "hi"
        await me.next(Sent)
        await server.drop()
        await me.next(Dropped)
        await stranger.say("are you there?")
        assert (await me.next(Resumed)).missed == 1
        assert (await me.next(Message)).text == "are you there?"
        server.refuse("message", "slow", retry_after=1)
        id = await me.say("too much")
        assert await me.next(NotSent) == NotSent(id, "too much", "slow", 1)
        await stranger.leave()
        assert await me.next(Left) == Left("stranger")


async def test_a_forgotten_session_ends_the_chat_and_a_client_that_leaves_is_seen_to() -> None:
    async with FakeServer() as server, Client(server.url, backoff=Backoff(first=0.01, most=0.1)) as me:
        await me.find()
        await server.meet()
        await me.next(Matched)
        server.forget()
        await server.drop()
        assert await me.next(Left) == Left("lost")
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await me.leave()
        await stranger.left.wait()


async def test_a_request_about_a_chat_is_refused_without_one_and_taken_behind_it() -> None:
    async with FakeServer() as server, Client(server.url) as me:
        for ask in (me.save, me.block, lambda: me.report("spam")):
            await ask()
            assert (await me.next(Error)).code == "no_chat"
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await stranger.leave()
        await me.next(Left)
        await me.save()
        await me.next(Saved)
        await me.block()
        await me.next(Blocked)
        await me.report("spam")
        await me.next(Reported)
        server.forget()
        await me.block()
        assert (await me.next(Error)).of == "block"


async def test_a_grace_period_passes_at_once_on_either_side() -> None:
    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await stranger.drop()
        assert await me.next(Partner) == Partner("away", 15.0)
        await clock.advance(14)
        await stranger.come_back()
        assert await me.next(Partner) == Partner("back", None)
        await stranger.drop()
        await clock.advance(15)
        assert await me.next(Left) == Left("lost")
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        server.refuses = 503
        await server.drop()
        await clock.advance(14.5)
        assert not stranger.left.is_set()
        await clock.advance(1)
        assert stranger.left.is_set()
        server.refuses = 0
        await clock.advance(2)
        assert await me.next(Left) == Left("lost")


async def test_what_a_stranger_said_before_leaving_is_heard_behind_a_drop() -> None:
    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await server.drop()
        await stranger.say("bye")
        await stranger.leave()
        await clock.advance(2)
        assert (await me.next(Message)).text == "bye"
        assert await me.next(Left) == Left("stranger")


def test_the_example_of_a_test_holds() -> None:
    patient_bot_test.test_a_silent_stranger_is_asked_once_and_then_left()


def test_the_same_in_javascript() -> None:
    command = ["node", str(HERE / "testing.mjs"), str(CLIENT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all held"]), done.stdout + done.stderr
