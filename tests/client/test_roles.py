"""Test spy mode and calls over the real server: who sees which frames, and what survives a drop."""

from bench.load.cutting_proxy import Cutter
from serendip_client import (
    Backoff,
    Client,
    Error,
    Left,
    Matched,
    Message,
    Partner,
    Resumed,
    Sent,
    Signal,
    Typing,
    Waiting,
)
from tests.server.site.web.servers import Server

QUESTION = "Is a hot dog a sandwich, or is it not?"


async def test_a_spy_watches_two_discuss_and_may_come_and_go(server: Server, url: str) -> None:
    up: list[int | None] = [None]  # 0: no byte of a new connection reaches the server
    async with Cutter(server.port, lambda: (up[0], None)) as network:
        spy = Client(network.url, backoff=Backoff(0.05, 0.1))
        async with spy, Client(url) as one, Client(url) as two:
            await spy.find(role="spy", question=QUESTION, language="sv")
            await spy.next(Waiting)
            await one.find(role="discuss", language="sv")
            await one.next(Waiting)
            await two.find(role="discuss", language="sv")
            for client, role in ((spy, "spy"), (one, "discuss"), (two, "discuss")):
                matched = await client.next(Matched)
                assert (matched.role, matched.question) == (role, QUESTION)
            await one.say("yes")
            assert await spy.next(Message) == Message(1, "yes", 1)
            await two.typing(True)  # said at the same time, it might overtake the message of another connection
            assert await spy.next(Typing) == Typing(True, 2)
            assert await two.next(Message) == Message(1, "yes")
            await spy._write(spy._socket, b'{"type":"message","text":"let me in"}')  # type: ignore[arg-type]
            assert (await spy.next(Error)).code == "bad_type"
            up[0] = 0
            for cable in list(network.open):
                cable.cut()
            await two.say("no")
            assert await one.next(Message) == Message(2, "no")
            up[0] = None
            assert (await spy.next(Resumed)).missed == 1
            assert await spy.next(Message) == Message(2, "no", 2)
            await one.leave()
            assert await spy.next(Left) == Left("stranger", 1)
            assert await two.next(Left, Partner) == Left("stranger")


async def test_a_spy_leaves_and_the_discussion_goes_on(url: str) -> None:
    async with Client(url) as spy, Client(url) as one, Client(url) as two:
        await one.find(role="discuss", language="fi")
        await two.find(role="discuss", language="fi")
        await two.next(Waiting)
        await spy.find(role="spy", question=QUESTION, language="fi")
        await spy.next(Matched)
        await one.next(Matched)
        await two.next(Matched)
        await spy.leave()
        await one.say("is anybody watching?")
        assert (await two.next(Message, Left)).text == "is anybody watching?"


async def test_signals_reach_the_other_side_of_a_call_in_order_and_a_text_chat_refuses_them(url: str) -> None:
    async with Client(url) as a, Client(url) as b, Client(url) as c, Client(url) as d:
        await a.find(interests=["call"], mode="video")
        await a.next(Waiting)
        await c.find(interests=["call"])
        await c.next(Waiting)
        await b.find(interests=["call"], mode="video")
        at_a, at_b = await a.next(Matched), await b.next(Matched)
        assert {at_a.offer, at_b.offer} == {True, False}
        offer = {"type": "offer", "sdp": "v=0\r\n" + "a" * 30_000}
        candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
        await a.signal(description=offer)
        await a.signal(candidate=candidate)
        await a.signal(candidate=None)
        await a.signal(media={"camera": True, "microphone": False})
        got = [(await b.next(Signal)).body for _ in range(4)]
        assert got == [
            {"description": offer}, {"candidate": candidate}, {"candidate": None}, {"media": {"camera": True, "microphone": False}},
        ]  # fmt: skip
        await d.find(interests=["call"])
        await c.next(Matched)
        await c.signal(candidate=None)
        assert (await c.next(Error)).code == "bad_type"
        await c.say("text works")
        assert type(await c.next(Sent)) is Sent


async def test_a_signal_that_is_not_taken_is_named_and_the_call_goes_on(server: Server, url: str) -> None:
    up: list[int | None] = [None]  # 0: no byte of a new connection reaches the server
    async with Cutter(server.port, lambda: (up[0], None)) as network:
        gone = Client(network.url, backoff=Backoff(0.05, 0.1))
        async with gone, Client(url) as me:
            await gone.find(interests=["gone for a while"], mode="video")
            await gone.next(Waiting)
            await me.find(interests=["gone for a while"], mode="video")
            await me.next(Matched)
            up[0] = 0
            for cable in list(network.open):
                cable.cut()
            assert (await me.next(Partner)).state == "away"
            await me.signal(candidate=None)
            refused = await me.next(Error)
            assert (refused.code, refused.of) == ("slow", "signal")
            up[0] = None
            assert (await me.next(Partner)).state == "back"
            await me.signal(candidate=None)
            assert (await gone.next(Signal)).body == {"candidate": None}
