"""A bot that leaves a silent stranger, and its test, which waits for nothing: `python -m pytest examples/patient_bot_test.py`."""

import asyncio

from serendip_client import Client, Left, Matched, Message
from serendip_client.testing import FakeClock, FakeServer

SILENCE_S = 60.0


async def talk(url: str) -> None:
    async with Client(url) as bot:
        await bot.search(interests=["tea"])
        await bot.next(Matched)
        asked = False
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    event = await bot.next(Message, Left)
            except TimeoutError:
                if asked:
                    return
                asked = True
                await bot.say("Are you there?")
            else:
                if isinstance(event, Left):
                    return
                asked = False


async def silent_stranger() -> None:
    async with FakeClock() as clock, FakeServer() as server:
        bot = asyncio.create_task(talk(server.url))
        stranger = await server.meet()
        await clock.advance(SILENCE_S)
        assert await stranger.hears() == "Are you there?"
        await stranger.say("Yes, I think.")
        await clock.advance(2 * SILENCE_S)
        assert await stranger.hears() == "Are you there?"
        await stranger.left.wait()
        await bot


def test_a_silent_stranger_is_asked_once_and_then_left() -> None:
    asyncio.run(silent_stranger())
