"""A program that is killed, or loses its network, drops: nobody meets it, its partner waits for the grace time, and it may come back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest

from serendip_client import Client, Left, Matched, Message, Partner, Waiting
from tests.server.site.omegle.conftest import Caller
from tests.server.site.web.servers import Server

GRACE = 2.0  # seconds


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a short grace time."""
    server = Server(
        tmp_path_factory.mktemp("cut"), SERENDIP_LIMITS__ENABLED="false", SERENDIP_SESSION__GRACE=str(GRACE)
    )
    yield server
    server.stop()


@pytest.fixture
async def program(short: Server) -> AsyncIterator[Callable[..., Caller]]:
    """Makes programs, each with connections of its own: `keep` False closes each after its answer."""
    made: list[aiohttp.ClientSession] = []

    def make(keep: bool = True) -> Caller:
        headers = {} if keep else {"Connection": "close"}
        made.append(aiohttp.ClientSession(short.url, headers=headers))
        return Caller(made[-1])

    yield make
    for session in made:
        await session.close()


def page(server: Server) -> Client:
    """Somebody with the native protocol, who hears of `away`."""
    return Client(server.url.replace("http", "ws") + "ws")


async def kill(one: Caller, parked: bool) -> None:
    """Hold a poll, and cut it."""
    poll = asyncio.ensure_future(one.events())
    await asyncio.wait([poll], timeout=1.5 if parked else 0.2)  # a poll is parked after a second
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)


@pytest.mark.parametrize(
    ("keep", "parked"), [(True, True), (True, False), (False, True)], ids=["parked", "fresh", "no keep-alive"]
)
async def test_a_killed_program_that_waits_is_met_by_nobody(
    short: Server, program: Callable[..., Caller], keep: bool, parked: bool
) -> None:
    one = program(keep)
    await one.start(lang="qb")
    await kill(one, parked)
    async with aiohttp.ClientSession() as http:
        while await online(http, short):  # it is noticed without a request of its own
            pass
    async with page(short) as me:
        await me.find(language="qb")
        assert type(await me.next(Waiting, Matched)) is Waiting


async def online(http: aiohttp.ClientSession, server: Server) -> int:
    async with http.get(f"{server.url}api/status") as answer:
        return int((await answer.json())["online"])


@pytest.mark.parametrize("keep", [True, False], ids=["keep-alive", "no keep-alive"])
async def test_the_partner_of_a_killed_program_hears_away_and_then_lost(
    short: Server, program: Callable[..., Caller], keep: bool
) -> None:
    async with page(short) as me:
        one = program(keep)
        await me.find(language="qc")
        await me.next(Waiting)
        assert (await one.start(lang="qc"))[0] == ["connected"]
        await me.next(Matched)
        await kill(one, True)
        assert (await me.next(Partner, Left)).state == "away"
        assert (await me.next(Partner, Left)).by == "lost"


async def test_who_comes_back_within_the_grace_time_has_missed_nothing(
    short: Server, program: Callable[..., Caller]
) -> None:
    async with page(short) as me:
        one = program()
        await me.find(language="qd")
        await me.next(Waiting)
        assert (await one.start(lang="qd"))[0] == ["connected"]
        await me.next(Matched)
        await me.say("before")
        assert await one.until("gotMessage") == ["gotMessage", "before"]
        await kill(one, True)
        assert (await me.next(Partner)).state == "away"
        await me.say("missed")
        assert await one.until("gotMessage") == ["gotMessage", "missed"]
        assert (await me.next(Partner)).state == "back"
        assert await one.post("/send", msg="and back") == "win"
        assert (await me.next(Message)).text == "and back"
        assert await one.post("/disconnect") == "win"
        assert await me.next(Left) == Left("stranger")


async def test_who_comes_back_to_the_search_goes_on_waiting(short: Server, program: Callable[..., Caller]) -> None:
    one = program()
    await one.start(lang="qe")
    await kill(one, True)
    again = asyncio.ensure_future(one.until("connected"))
    async with page(short) as me:
        await me.find(language="qe")
        await me.next(Matched)
        assert await again == ["connected"]
