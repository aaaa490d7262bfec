"""Test attacks on moderation: floods and crowds of reports, guesses, and ends at the worst moment.

A real server on loopback; beside each attack two ordinary users go on chatting, and lose no line.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.events import Left, Matched, Message, Partner, Reported
from server.trust.cases.report_cases import A_DAY
from tests.server.trust.moderation.test_service import Kept, case_of, headers, refused, talked
from tests.server.trust.publication.test_safety_page_routes import FIELDS
from tests.server.trust.screening.costly import corpus

FLOOD = 1_000  # reports at once
CROWD = 100  # people who report one person
LINES = 30  # of the two who talk beside it
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(240)]  # the command line is a process that is waited for


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A server of the test's own: some are killed."""
    made = Kept(tmp_path)
    yield made
    made.server.stop(signal.SIGKILL)


def somebody(kept: Kept, cookie: str, place: str = "") -> Client:
    """Somebody by their cookie, from a network of their own."""
    where = {"Cookie": f"id={cookie:A>22}", "X-Forwarded-For": place or headers(cookie)["X-Forwarded-For"]}
    return Client(f"ws://127.0.0.1:{kept.server.port}/ws", headers=where)


@asynccontextmanager
async def bystanders(kept: Kept) -> AsyncIterator[None]:
    """Two who talk while something happens: each of their lines arrives, in order."""
    async with somebody(kept, "one") as one, somebody(kept, "two") as two:
        await asyncio.gather(one.find(["beside"]), two.find(["beside"]))
        await asyncio.gather(one.next(Matched), two.next(Matched))
        begun = asyncio.Event()

        async def talk() -> list[str]:
            heard = []
            for number in range(LINES):
                await one.say(str(number))
                heard.append((await two.next(Message)).text)
                begun.set()
            return heard

        talking = asyncio.create_task(talk())
        await begun.wait()
        yield
        assert await asyncio.wait_for(talking, 60) == [str(number) for number in range(LINES)]


async def cases(kept: Kept) -> list[dict[str, Any]]:
    """The open cases, as operators have them."""
    found: list[dict[str, Any]] = json.loads(await asyncio.to_thread(kept.run, "cases", "--json"))
    return found


async def reported(kept: Kept, number: int) -> list[dict[str, Any]]:
    """The open cases, once they hold so many reports."""
    async with asyncio.timeout(60):
        while True:
            found = await cases(kept)
            if sum(one["reports"] for one in found) >= number:
                return found


async def test_a_flood_of_reports_is_one_report_and_nobody_else_notices(kept: Kept) -> None:
    async with bystanders(kept), talked(kept, "flood", "b" * 22, "hello") as (one, _):
        receipts = Counter[str]()
        for _ in range(FLOOD):
            await one.report("danger")
        for _ in range(FLOOD):
            receipts[(await one.next(Reported)).receipt] += 1
        assert len(receipts) == 1
        found = await reported(kept, 1)
    assert [(case["queue"], case["reports"]) for case in found] == [("urgent", 1)]


async def test_who_reports_everybody_is_heard_last_and_everybody_stays(kept: Kept) -> None:
    many = A_DAY + 3
    async with bystanders(kept), somebody(kept, "reporter") as one:
        for number in range(many):
            async with somebody(kept, f"met{number}", f"198.51.{number}.1") as two:
                await meet(one, two, f"topic {number}")
                await one.report("minor")
                await one.next(Reported)
                await one.leave()
        found = await reported(kept, many)
    assert Counter(case["queue"] for case in found) == {"urgent": A_DAY, "low": 3}
    async with somebody(kept, "met0", "198.51.0.1") as two:
        await two.find(["still welcome"])


async def test_a_hundred_false_reporters_restrict_nobody(kept: Kept) -> None:
    async with bystanders(kept), somebody(kept, "victim") as victim:
        for number in range(CROWD):
            async with somebody(kept, f"false{number}", f"203.0.{number}.1") as one:
                await meet(victim, one, f"topic {number}")
                await one.report("minor")
                await one.next(Reported)
                await victim.leave()
        found = await reported(kept, CROWD)
        assert [(case["queue"], case["reports"]) for case in found] == [("urgent", CROWD)]  # for a person to read
        async with somebody(kept, "friend") as friend:  # and until one did, nothing is different for whom they name
            await meet(victim, friend, "afterwards")
            await victim.say("still here")
            assert (await friend.next(Message)).text == "still here"


async def meet(one: Client, two: Client, topic: str) -> None:
    """The two find each other."""
    await asyncio.gather(one.find([topic]), two.find([topic]))
    await asyncio.gather(one.next(Matched), two.next(Matched))


async def test_a_guesser_is_told_to_wait_and_others_read_their_receipts(tmp_path: Path) -> None:
    kept = Kept(tmp_path, limits=True)
    try:
        async with talked(kept, "guess", "b" * 22, "hello") as (one, _):
            await one.report("spam")
            receipt = (await one.next(Reported)).receipt
        async with aiohttp.ClientSession() as http, bystanders(kept):
            for network, path in enumerate(("report", "appeal", "notice")):
                place = {"X-Forwarded-For": f"198.51.{network}.1"}
                found = []
                for number in range(25):
                    url = f"{kept.server.url}{path}/{number:A>22}"
                    async with http.get(url, headers=place) as answer:
                        found.append(answer.status)
                assert 429 in found[-4:], path
                assert set(found) == {404, 429}
        assert (await kept.get(receipt))[0] == 200
    finally:
        kept.server.stop()


async def test_a_flood_of_notices_costs_its_network_alone(tmp_path: Path) -> None:
    kept = Kept(tmp_path, limits=True)
    try:
        async with aiohttp.ClientSession() as http, bystanders(kept):

            async def post(place: str) -> int:
                sent = {"X-Forwarded-For": place, "Origin": kept.server.url.rstrip("/")}
                async with http.post(
                    f"{kept.server.url}notice", data=FIELDS, headers=sent, allow_redirects=False
                ) as answer:
                    return answer.status

            found = Counter(await asyncio.gather(*(post(f"198.51.100.{number % 250}") for number in range(300))))
            assert found == {303: 10, 429: 290}
            assert await post("203.0.113.1") == 303
        waiting = json.loads(await asyncio.to_thread(kept.run, "notices", "list", "--json"))
        assert len(waiting) == 11
    finally:
        kept.server.stop()


async def test_a_ban_holds_when_the_server_is_killed_between_the_decision_and_its_telling(kept: Kept) -> None:
    async with talked(kept, "killed", "b" * 22, "buy gold") as (one, _):
        await one.report("spam")
        await one.next(Reported)
        case = await case_of(kept, 1)
        kept.server.send(signal.SIGSTOP)  # it cannot read the decision
        told = await asyncio.to_thread(kept.run, "decide", case, "--measure", "ban", "--rule", "R5")
        assert "identity for 1 day" in told
        await asyncio.to_thread(kept.server.stop, signal.SIGKILL)
    await asyncio.to_thread(kept.server.start)
    assert (await refused(kept, "b" * 22)).startswith("/appeal/")


@asynccontextmanager
async def locked(kept: Kept) -> AsyncIterator[None]:
    """Somebody else writes to the database, and does not stop."""
    with closing(sqlite3.connect(kept.data / "serendip.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


async def test_while_the_store_is_away_a_report_is_answered_and_waits_and_what_is_lost_is_said(kept: Kept) -> None:
    async with locked(kept), talked(kept, "away", "b" * 22, "buy gold") as (one, _):
        await one.report("spam")
        receipt = (await one.next(Reported)).receipt
        assert "It arrived on" in (await kept.get(receipt))[1]
    assert await case_of(kept, 1)
    assert "It arrived on" in (await kept.get(receipt))[1]
    async with locked(kept), talked(kept, "lost", "c" * 22, "buy gold") as (one, _):
        await one.report("spam")
        receipt = (await one.next(Reported)).receipt
        assert (await kept.get(receipt))[0] == 200
        await asyncio.to_thread(kept.server.stop, signal.SIGKILL)
    await asyncio.to_thread(kept.server.start)
    status, page = await kept.get(receipt)
    assert status == 404
    assert "it was lost before it could be stored" in page


@pytest.mark.timeout(90)
async def test_writers_of_the_dearest_lines_hide_nothing_that_others_say(kept: Kept) -> None:
    dear = [
        shape.line for shape in corpus() if "\ufdfa" in shape.piece and "4" not in shape.head + shape.piece
    ]  # an age would end their chats
    begun = [asyncio.Event() for _ in range(2)]

    async def write(number: int) -> None:
        async with somebody(kept, f"writer{number}") as one, somebody(kept, f"reader{number}") as two:
            await asyncio.gather(one.find([f"dear{number}"]), two.find([f"dear{number}"]))
            await asyncio.gather(one.next(Matched), two.next(Matched))
            for count in itertools.count():
                await one.say(dear[count % len(dear)])
                heard = await two.next(Message, Left)
                assert isinstance(heard, Message)
                if count == 200:
                    begun[number].set()

    async def claim(number: int) -> None:
        async with somebody(kept, f"hears{number}") as one, somebody(kept, f"says{number}") as two:
            await asyncio.gather(one.find([f"pair{number}"]), two.find([f"pair{number}"]))
            await asyncio.gather(one.next(Matched), two.next(Matched))
            await two.say("i am 14 years old")
            assert (await one.next(Partner)).state == "asked"

    writers = [asyncio.create_task(write(number)) for number in range(2)]
    try:
        await asyncio.gather(*(event.wait() for event in begun))
        await asyncio.gather(*map(claim, range(5)))
        assert not any(writer.done() for writer in writers)
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
