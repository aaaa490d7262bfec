"""Test the age question on a real server: in one process and in several, for clients of each kind, and the users' answers."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.events import (
    Challenge,
    Closed,
    Error,
    Left,
    Matched,
    Message,
    Partner,
    Reported,
    Solved,
    Tip,
    Waiting,
)
from server.ops.config.moderation_policy import DAY
from tests.server.fleet.processes import hosts
from tests.server.site.omegle.conftest import Caller
from tests.server.trust.moderation.test_service import Kept, case_of, client
from tests.support.forkserver import START, forked

CLAIM = "im 14"
# A decision stands at once.
SOON = forked(
    f"from server.trust.child_protection import minor_deletion as minors; minors.DELETE_AFTER_S, minors.EVERY = 1.0, 0.2; {START}"
)
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # the command line is a process that is waited for


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One server for those that find no ban of another test in their way."""
    made = Kept(tmp_path_factory.mktemp("age"))
    yield made
    made.server.stop()


def cookie(letter: str) -> str:
    """Somebody's."""
    return letter * 22


async def meet(one: Client, two: Client, topic: str) -> None:
    """They chat: at once where they did not just do so, else half a minute later."""
    await asyncio.gather(one.find([topic]), two.find([topic]))
    await asyncio.gather(one.next(Matched), two.next(Matched))


async def claims(one: Client, two: Client) -> Challenge:
    """The second says that they are 14: the chat is held; the question."""
    await two.say(CLAIM)
    asked = await two.next(Challenge)
    assert asked.kind == "age"
    assert asked.parameters == {"age": 14}
    await one.next(Message)
    assert (await one.next(Tip)).kind == "minor"
    assert (await one.next(Partner)).state == "asked"
    return asked


async def asked_anew(window: Client) -> Challenge:
    """The question of whoever looks for somebody, and again until its worker has heard of what was said in another."""
    while True:
        await window.find(["elsewhere"])
        if isinstance(heard := await window.next(Challenge, Waiting), Challenge):
            return heard


@asynccontextmanager
async def claimed(kept: Kept, topic: str, first: str, second: str) -> AsyncIterator[tuple[Client, Client]]:
    """Two of whom the second said it."""
    async with client(kept, cookie(first)) as one, client(kept, cookie(second)) as two:
        await meet(one, two, topic)
        await claims(one, two)
        yield one, two


async def test_an_adult_goes_on_and_a_client_that_knows_nothing_of_it_is_refused_until_then(kept: Kept) -> None:
    async with claimed(kept, "adult", "c", "d") as (one, two), client(kept, cookie("k")) as three:
        await two.find(["again"])
        refused = await two.next(Error)
        assert (refused.code, refused.of) == ("challenge", "find")
        await one.find(["alone"])  # nobody else is held up
        await one.next(Waiting)
        await two.solve("age", "adult")
        assert (await two.next(Solved)).kind == "age"
        await meet(three, two, "again")
        await two.say("hello")
        assert (await three.next(Message)).text == "hello"


async def test_a_minor_is_out_for_a_day_and_what_was_stored_of_them_goes(kept: Kept) -> None:
    async with claimed(kept, "minor", "e", "f") as (_, two):
        began = time.time()
        await two.solve("age", "minor")
        error = await two.next(Error)
        assert (error.code, error.fields["measure"], error.fields["rule"]) == ("banned", "age", "R1")
        assert "appeal" not in error.fields
        assert error.fields["until"] == pytest.approx(began + DAY, abs=30)
        assert (await two.next(Closed)).code == 4003
    async with client(kept, cookie("f")) as again:
        assert (await again.next(Closed)).code == 4003
    async with asyncio.timeout(30):
        while not deletions(kept):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    assert await asyncio.to_thread(kept.run, "cases", "--json") == "[]\n"


def deletions(kept: Kept) -> list[object]:
    """The deletions that wait."""
    with closing(sqlite3.connect(f"file:{kept.data / 'serendip.db'}?mode=ro", uri=True)) as database:
        return database.execute("select kind from deletion").fetchall()


async def test_who_writes_it_again_is_a_case_and_goes_on_after_the_answer(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(Kept, tmp_path)
    try:
        async with claimed(kept, "again", "g", "h") as (_, two), client(kept, cookie("k")) as three:
            await two.solve("age", "adult")
            await two.next(Solved)
            await meet(three, two, "again")
            await claims(three, two)
            await two.solve("age", "adult")
            await two.next(Solved)
            assert (await three.next(Partner)).state == "back"
            await two.say("hello")
            assert (await three.next(Message)).text == "hello"
        seen = await asyncio.to_thread(kept.run, "show", await case_of(kept, 1))
        assert CLAIM in seen
    finally:
        await asyncio.to_thread(kept.server.stop)


async def test_a_report_as_a_minor_after_the_answer_is_a_case_too(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(Kept, tmp_path)
    try:
        async with claimed(kept, "report", "i", "j") as (_, two), client(kept, cookie("k")) as three:
            await two.solve("age", "adult")
            await two.next(Solved)
            await meet(three, two, "report")
            await two.say("hello")
            await three.next(Message)
            await three.report("minor")
            assert (await three.next(Reported)).receipt
        reasons: list[str] = []
        async with asyncio.timeout(30):  # a report is answered before it is written
            while reasons != ["age.claim", "minor"]:
                (found,) = json.loads(await asyncio.to_thread(kept.run, "cases", "--json"))
                reasons = sorted(found["reasons"])
        assert found["queue"] == "urgent"
        decided = await asyncio.to_thread(kept.run, "decide", found["id"], "--measure", "age", "--rule", "R1")
        assert "decided: age; identity for 365 days" in decided
    finally:
        await asyncio.to_thread(kept.server.stop)


async def test_it_holds_in_every_worker_of_a_host(tmp_path: Path) -> None:
    async with hosts.hosting(tmp_path) as host:
        one = hosts.client(host, cookie("k"))
        first, second = (hosts.client(host, cookie("l")) for _ in range(2))
        async with one, first, second:
            await meet(one, first, "workers")
            await claims(one, first)
            async with hosts.apart(host, (cookie("l"), cookie("l"))) as others:
                for other in others:
                    assert (await asked_anew(other)).kind == "age"
                    assert (await other.next(Error)).code == "challenge"
                await first.solve("age", "minor")
                for window in (first, second, *others):
                    assert (await window.next(Closed)).code == 4003
            async with hosts.apart(host, (cookie("l"), cookie("l"))) as others:
                for other in others:
                    assert (await other.next(Closed)).code == 4003


async def test_a_second_claim_at_a_worker_is_a_case_of_the_frontend_and_a_person_decides_it(tmp_path: Path) -> None:
    """From the line in a worker to the frontend's case, back to every worker, and to the removal of what is stored."""
    minor = cookie("o")
    async with hosts.hosting(tmp_path, start=SOON) as host:
        async with hosts.apart(host, (cookie("n"), minor)) as (one, two):
            await meet(one, two, "again")
            await claims(one, two)
            await two.solve("age", "adult")
            await two.next(Solved)
            await meet(one, two, "again")
            await claims(one, two)
            await one.find(["somebody else"])
            await one.next(Waiting)
        async with asyncio.timeout(30):  # it is written a moment later
            while not (cases := json.loads(await asyncio.to_thread(host.command, "cases", "--json"))):
                pass
        (found,) = cases
        assert (found["reasons"], found["queue"]) == (["age.claim"], "urgent")
        assert CLAIM in await asyncio.to_thread(host.command, "show", found["id"])
        assert host.rows("select kind from deletion") == []  # what a program does deletes nothing
        decided = await asyncio.to_thread(host.command, "decide", found["id"], "--measure", "age", "--rule", "R1")
        assert "decided: age; identity for 365 days" in decided
        await turned_away(host, minor, by="person")
        await host.until("select count(*) from deletion", [(1,)])
        assert await host.end() == 0


async def turned_away(host: hosts.Host, who: str, by: str) -> None:
    """Whichever worker they come to; each hears of a decision within seconds."""
    for worker in ("worker 1", "worker 2"):
        host.hold(worker)
        async with asyncio.timeout(20):
            while True:
                async with hosts.client(host, who) as again:
                    error = await again.next(Error)
                    assert (await again.next(Closed)).code == 4003
                if error.fields["by"] == by:
                    break
        host.go_on(worker)
        assert error.fields["measure"] == "age"


async def test_what_a_minor_says_while_there_is_no_frontend_is_heard_by_the_next_one(tmp_path: Path) -> None:
    async with hosts.hosting(tmp_path) as host:
        async with hosts.client(host, cookie("p")) as one, hosts.client(host, cookie("q")) as two:
            await meet(one, two, "nobody hears")
            await claims(one, two)
            host.hold("frontend")
            await two.solve("age", "minor")
            assert (await two.next(Error)).fields["measure"] == "age"
            assert (await two.next(Closed)).code == 4003
            host.kill("frontend")
            await host.told("process.ready", 2, process="frontend")
        await host.until("select count(*) from deletion", [(1,)])


async def test_a_program_of_the_other_face_is_told_in_words(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(Kept, tmp_path)
    try:
        async with aiohttp.ClientSession(kept.server.url) as web, client(kept, cookie("m")) as one:
            caller = Caller(web)
            await one.find(["words"])
            await one.next(Waiting)
            await caller.start(topics='["words"]', randid="ABCDEFGH")
            await one.next(Matched)
            assert await caller.post("/send", msg=CLAIM) == "win"
            said = await caller.until("serverMessage")
            while "under 18" not in said[1] and "14" not in said[1]:
                said = await caller.until("serverMessage")
            assert said[1].startswith("You wrote that you are 14. Serendip is for adults")
            assert (await one.next(Left)).by == "moderation"
            again = await caller.start(topics='["words"]', randid="ABCDEFGH")
            assert [event[0] for event in again] == ["serverMessage"]
            assert await caller.events() is None
            other = await caller.start(topics='["words"]', randid="HGFEDCBA")
            assert other[0] == ["waiting"]
    finally:
        await asyncio.to_thread(kept.server.stop)
