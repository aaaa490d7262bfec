"""Test that a search goes on whatever a server asks first, so that the shortest program does not fall silent."""

import asyncio

from serendip_client import Backoff, Challenge, Client, Error, Left, Matched, Notice, Pong
from serendip_client.testing import FakeServer

NOTICE = {
    "type": "notice", "id": "n1", "kind": "warning", "rule": "R1", "reason": "Be kind.", "day": "2026-01-01", "by": "person", "appeal": "/a",
}  # fmt: skip


def client(server: FakeServer) -> Client:
    return Client(server.url, backoff=Backoff(first=0.01, most=0.1))


async def test_a_notice_is_shown_confirmed_and_the_search_sent_again() -> None:
    shown: list[str] = []

    async def show(notice: Notice) -> None:
        shown.append(notice.reason)

    async with FakeServer(raw=True) as server, client(server) as me:
        await server.connected()
        await server.tell({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 15})
        await me.search(interests=["tea"], notice=show)
        asked = {"type": "find", "interests": ["tea"]}
        assert await server.next() == asked
        await server.tell({"type": "error", "code": "notice", "message": "Read first.", "of": "find"})
        await server.tell(NOTICE)
        assert [await server.next(), await server.next()] == [{"type": "seen", "id": "n1"}, asked]
        assert shown == ["Be kind."]


async def test_a_notice_from_before_the_search_is_shown_when_it_refuses_one() -> None:
    async with FakeServer(raw=True) as server, client(server) as me:
        await server.connected()
        await server.tell({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 15})
        await server.tell(NOTICE)
        await me.next(Notice)
        await me.search()
        assert await server.next() == {"type": "find"}
        await server.tell({"type": "error", "code": "notice", "message": "Read first.", "of": "find"})
        assert [await server.next(), await server.next()] == [{"type": "seen", "id": "n1"}, {"type": "find"}]


async def test_a_challenge_that_no_program_solves_is_the_callers() -> None:
    async def solve(asked: Challenge) -> str:
        return f"answer to {asked.parameters['sitekey']}"

    async with FakeServer() as server, client(server) as me:
        server.refuse("find", "challenge")
        await me.search(challenge=solve)
        await server.connected()
        await server.tell({"type": "challenge", "kind": "turnstile", "parameters": {"sitekey": "k"}, "within": 60})
        await server.meet()
        await me.next(Matched)


async def test_after_each_chat_it_searches_again_until_this_side_leaves() -> None:
    async with FakeServer() as server, client(server) as me:
        await me.search(again=True)
        for _ in range(3):
            stranger = await server.meet()
            await me.next(Matched)
            await stranger.leave()
            await me.next(Left)
        stranger = await server.meet()
        await me.next(Matched)
        await me.leave()
        await stranger.left.wait()
        await me.find()
        stranger = await server.meet()
        await me.next(Matched)
        await stranger.leave()
        await me.next(Left)
        await me.ping()
        assert me.chat is None


async def test_a_notice_in_a_chat_ends_no_chat_and_is_read_before_the_next_search() -> None:
    shown: list[str] = []

    async def show(notice: Notice) -> None:
        shown.append(notice.reason)

    async with FakeServer() as server, client(server) as me:
        await me.search(again=True, notice=show)
        stranger = await server.meet()
        await me.next(Matched)
        await server.tell(NOTICE)
        await me.next(Notice)
        await me.say("still here")
        assert (await stranger.hears(), shown) == ("still here", [])
        server.refuse("find", "notice")
        await stranger.leave()
        await server.meet()
        await me.next(Matched)
        assert shown == ["Be kind."]


async def test_a_notice_after_the_only_chat_begins_no_search() -> None:
    async with FakeServer(raw=True) as server, client(server) as me:
        await server.connected()
        await server.tell({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 15})
        await me.search()
        assert await server.next() == {"type": "find"}
        await server.tell({"type": "matched", "chat": "c", "role": "stranger", "common": [], "language": "en"})
        await server.tell({"type": "left", "by": "stranger"})
        await server.tell(NOTICE)
        for _ in range(2):  # what it would send may come behind the first
            await server.tell({"type": "pong"})
            await me.next(Pong)
            await me.ping()
            assert await server.next() == {"type": "ping"}


async def test_who_leaves_while_a_notice_is_read_searches_no_more() -> None:
    async with FakeServer(raw=True) as server, client(server) as me:

        async def leave(_notice: Notice) -> None:
            await me.leave()

        await server.connected()
        await server.tell({"type": "hello", "session": "s", "token": "t", "online": 1, "grace": 15})
        await me.search(notice=leave)
        assert await server.next() == {"type": "find"}
        await server.tell(NOTICE)
        assert [await server.next(), await server.next()] == [{"type": "leave"}, {"type": "seen", "id": "n1"}]
        await me.ping()
        assert await server.next() == {"type": "ping"}


async def test_a_callback_that_fails_ends_nothing_else() -> None:
    failed = asyncio.Event()

    async def show(_notice: Notice) -> None:
        failed.set()
        raise ValueError("of a callback")

    async with FakeServer() as server, client(server) as me:
        server.refuse("find", "notice")
        await me.search(notice=show)
        await server.connected()
        await server.tell(NOTICE)
        await failed.wait()
        await me.next(Error)
        await me.find()
        await server.meet()
        await me.next(Matched)
