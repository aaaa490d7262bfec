"""Test that a connection which died without a sign is noticed and resumed while the partner waits."""

import asyncio
from pathlib import Path

import pytest

from bench.load.cutting_proxy import Cutter
from serendip_client import Client, Dropped, Left, Matched, Message, Partner, Pong, Resumed
from serendip_client.inbox import EVENTS_MAX
from serendip_client.testing import FakeClock, FakeServer
from tests.server.site.polling.cutting_proxy import CuttingProxy
from tests.server.site.web.servers import Server

UNANSWERED = "did not answer a ping"

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "client" / "js"


async def test_in_a_chat_a_dead_connection_is_replaced_within_the_grace_period() -> None:
    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await clock.advance(60)  # each ping is answered
        server.silence()
        await stranger.say("are you there?")
        await clock.advance(8.2)
        assert UNANSWERED in (await me.next(Dropped)).reason
        await clock.advance(1)
        assert (await me.next(Resumed)).missed == 1
        assert (await me.next(Message)).text == "are you there?"
        assert not stranger.left.is_set()


async def test_a_ping_that_is_answered_keeps_a_silent_chat_however_long_the_grace_period_is() -> None:
    for usual, grace in ((20.0, 120.0), (2.0, 15.0)):
        async with (
            FakeClock() as clock,
            FakeServer(grace=grace) as server,
            Client(server.url, heartbeat=usual) as me,
        ):
            await me.find()
            await server.meet()
            await me.next(Matched)
            await clock.advance(8 * usual)
            assert me.connects == 1


async def test_outside_of_a_chat_it_has_the_usual_time_and_without_a_heartbeat_all_time() -> None:
    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find()
        await server.searching()
        server.silence()
        await clock.advance(29)
        assert me.connects == 1
        await clock.advance(4)
        assert me.connects == 2
    async with FakeClock() as clock, FakeServer() as server, Client(server.url, heartbeat=None) as me:
        await me.find()
        await server.meet()
        server.silence()
        await clock.advance(600)
        assert me.connects == 1


async def test_a_caller_that_reads_nothing_is_no_dead_connection() -> None:
    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find()
        stranger = await server.meet()
        for number in range(EVENTS_MAX + 10):
            await stranger.say(str(number))
        await clock.advance(60)
        for _ in range(EVENTS_MAX + 10):
            await me.next(Message)
        await clock.advance(60)
        assert me.connects == 1


async def test_what_was_said_before_a_stranger_left_is_heard_behind_a_connection_that_died(
    server: Server, url: str
) -> None:
    async with Cutter(server.port) as network, Client(network.url) as me, Client(url) as partner, asyncio.timeout(40):
        await me.find(["dead line"])
        await partner.find(["dead line"])
        await me.next(Matched)
        await partner.next(Matched)
        await partner.say("heard")
        await me.next(Message)
        for cable in network.open:
            cable.silence()
        for text in ("one", "two"):
            await partner.say(text)
        await partner.leave()
        await partner.ping()
        await partner.next(Pong)  # the server has handled what came before
        for cable in list(network.open):
            cable.cut()
        assert [(await me.next(Message)).text for _ in range(2)] == ["one", "two"]
        assert await me.next(Left) == Left("stranger")


async def test_the_partner_waits_for_a_client_whose_network_fell_silent(server: Server, url: str) -> None:
    async with Cutter(server.port) as network, Client(network.url) as me, Client(url) as partner, asyncio.timeout(50):
        await me.find(["silent"])
        await partner.find(["silent"])
        await me.next(Matched)
        await partner.next(Matched)
        for cable in network.open:
            cable.silence()
            assert cable.back is not None
            cable.back.abort()  # the server notices at once, so the grace period runs
        assert (await partner.next(Partner)).state == "away"
        assert UNANSWERED in (await me.next(Dropped)).reason
        assert (await partner.next(Partner, Left)) == Partner("back", None)
        await me.say("here again")
        assert (await partner.next(Message)).text == "here again"


@pytest.mark.parametrize("kind", ["websocket", "polls"])
async def test_the_partner_waits_for_a_client_in_javascript_whose_network_fell_silent(
    server: Server, url: str, kind: str
) -> None:
    blocking = CuttingProxy(server.port)  # passes no WebSocket on
    polls = kind == "polls"
    try:
        async with Cutter(blocking.port if polls else server.port) as network, Client(url) as partner:
            command = (str(HERE / "silence.mjs"), str(CLIENT), network.url, f"silent {kind}")
            me = await asyncio.create_subprocess_exec("node", *command, stdout=asyncio.subprocess.PIPE)
            async with asyncio.timeout(50):
                await partner.find([f"silent {kind}"])
                await partner.next(Matched)
                assert me.stdout is not None
                assert await me.stdout.readline() == b"matched\n"
                for cable in network.open:
                    cable.silence()
                    assert cable.back is not None
                    cable.back.abort()
                heard = await partner.next(Message, Left)
                assert isinstance(heard, Message), heard
                assert heard.text == "here again"
                assert await me.wait() == 0
        assert bool(blocking.upgrades) == polls
    finally:
        blocking.stop()
