"""Test the whole path on a real server: a report, a decision, a ban, an appeal, its reversal, and what each user reads."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from serendip_client.backoff import Backoff
from serendip_client.client import Client
from serendip_client.events import Blocked, Closed, Error, Left, Matched, Message, Notice, Reported, Waiting
from tests.server.site.omegle.reading import Read, python_omegle, read
from tests.server.site.polling.cutting_proxy import CuttingProxy
from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START

__all__ = ["read"]

GOOD, BAD = "a" * 22, "b" * 22
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # the command line is a process that is waited for


class Kept:
    """A server that keeps, and its data folder."""

    def __init__(self, data: Path, *, limits: bool = False, **settings: str) -> None:
        self.data = data
        chosen = {
            "SERENDIP_LIMITS__ENABLED": str(limits).lower(),
            "SERENDIP_SAFETY__MODERATED": "true",
            "SERENDIP_SERVER__PROXIES": "127.0.0.1",  # so that each of them has a network of their own
        }
        self.server = Server(data, **(chosen | settings))

    def run(self, *words: str, operator: str = "ada") -> str:
        """A command of `serendip safety`; what it prints."""
        looks = (
            () if words[0] in ("cases", "appeals") or "list" in words else ("--operator", operator, "--why", "a test")
        )
        command = [sys.executable, "-c", START, "safety", *words, "--data", str(self.data), *looks]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    async def get(self, path: str) -> tuple[int, str]:
        """(status, body)."""
        async with aiohttp.ClientSession() as http, http.get(self.server.url.rstrip("/") + path) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, words: str) -> tuple[int, str]:
        """(status, body) of an appeal, as our own page's form sends it."""
        headers = {"Origin": self.server.url.rstrip("/")}
        url = self.server.url.rstrip("/") + path
        async with aiohttp.ClientSession() as http, http.post(url, data={"words": words}, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One server for all of them."""
    made = Kept(tmp_path_factory.mktemp("kept"))
    yield made
    made.server.stop()


def headers(cookie: str) -> dict[str, str]:
    """Somebody by their cookie, from a network that follows from it."""
    return {"Cookie": f"id={cookie}", "X-Forwarded-For": f"192.0.2.{sum(cookie.encode()) % 250}"}


def client(kept: Kept, cookie: str) -> Client:
    """Somebody by their cookie."""
    return Client(f"ws://127.0.0.1:{kept.server.port}/ws", headers=headers(cookie))


@asynccontextmanager
async def talked(kept: Kept, topic: str, bad: str, *lines: str) -> AsyncIterator[tuple[Client, Client]]:
    """A good one and the one of cookie `bad`, who says these lines."""
    async with client(kept, GOOD) as one, client(kept, bad) as two:
        await asyncio.gather(one.find([topic]), two.find([topic]))
        await asyncio.gather(one.next(Matched), two.next(Matched))
        for line in lines:
            await two.say(line)
            await one.next(Message)
        yield one, two


async def case_of(kept: Kept, number: int) -> str:
    """The id of the newest of `number` open cases: the report is stored a moment after it was answered."""
    async with asyncio.timeout(30):
        while True:
            found = json.loads(await asyncio.to_thread(kept.run, "cases", "--json"))
            if len(found) == number:
                return str(max(found, key=lambda one: one["opened"])["id"])


def test_a_database_that_opens_behind_the_service_alarms_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path, first="from server.data.store import store_runner; store_runner.PATIENCE = 0.0\n")
    try:
        assert "store.opened" in server.before
        assert "safety.bans_stale" not in server.before
        assert "store.away" not in server.before
    finally:
        server.stop()


async def test_from_a_report_to_a_reversed_ban(kept: Kept) -> None:
    bad = BAD
    async with talked(kept, "report", bad, "buy gold", "really cheap") as (one, two):
        await one.report("spam", "sells gold", lines=[2])
        receipt = (await one.next(Reported)).receipt
        await one.report("spam")
        assert (await one.next(Reported)).receipt == receipt
        status, page = await kept.get(receipt)
        assert status == 200
        assert "A person will look at it" in page
        case = await case_of(kept, 1)
        seen = await asyncio.to_thread(kept.run, "show", case)
        assert "REPORTED 1: buy gold" in seen
        assert "! REPORTED 2: really cheap" in seen
        assert "sells gold" in seen
        assert "127.0.0.1" not in seen
        told = await asyncio.to_thread(kept.run, "decide", case, "--measure", "ban", "--rule", "R5")
        assert "identity for 1 day" in told
        assert (await one.next(Left)).by == "moderation"  # whoever is here when the decision comes goes at once
        end = await two.next(Closed)
        assert end.code == 4003
    assert "and we acted" in (await kept.get(receipt))[1]

    appeal = await refused(kept, bad)
    status, page = await kept.get(appeal)
    assert status == 200
    assert 'href="/rules#R5"' in page
    assert (await kept.post(appeal, " "))[1].count("Write a few words.") == 1
    assert "Your appeal is here" in (await kept.post(appeal, "it was my brother"))[1]
    assert "it was my brother" in await asyncio.to_thread(kept.run, "appeals")
    assert "somebody else" in await asyncio.to_thread(kept.run, "answer", case, "reverse")
    words = ("answer", case, "reverse", "--words", "We were wrong.")
    assert "answered: reverse" in await asyncio.to_thread(lambda: kept.run(*words, operator="bob"))
    page = (await kept.get(appeal))[1]
    assert "We were wrong." in page
    assert "you can use this service again" in page.lower()
    assert "After an appeal we took that back" in (await kept.get(receipt))[1]
    await welcome(kept, bad)


async def test_a_program_of_the_old_protocol_is_told_by_its_own_event(kept: Kept) -> None:
    bad = "c" * 22
    async with talked(kept, "old", bad, "buy gold") as (one, two):
        await one.report("spam")
        await one.next(Reported)
        case = await case_of(kept, 1)
        await asyncio.to_thread(kept.run, "decide", case, "--measure", "ban", "--rule", "R5")
        await two.next(Closed)
    form = {"randid": "ABCDEFGH", "lang": "en"}
    where = {"X-Forwarded-For": headers(bad)["X-Forwarded-For"]}  # the network alone: it has no cookie
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        async with http.post(f"{kept.server.url}start", data=form, headers=where) as answer:
            started = await answer.json(content_type=None)
        async with http.post(f"{kept.server.url}events", data={"id": started}, headers=where) as answer:
            told = await answer.json(content_type=None)
    assert [event[0] for event in told] == ["antinudeBanned"]
    host, slash, rest = told[0][1].partition("/appeal/")
    assert host == f"127.0.0.1:{kept.server.port}"
    assert (await kept.get(slash + rest))[0] == 200


async def test_a_warning_is_read_once_before_the_next_search_whatever_becomes_of_the_server(kept: Kept) -> None:
    bad = "d" * 22
    async with talked(kept, "warned", bad, "I hate you") as (one, two):
        await one.report("hate")
        await one.next(Reported)
        case = await case_of(kept, 1)
        told = await asyncio.to_thread(kept.run, "decide", case, "--measure", "warning", "--rule", "R4")
        assert "they read it before their next search" in told
        notice = await two.next(Notice)  # whoever is here is told at once, and their chat goes on
        assert (notice.kind, notice.rule, notice.by) == ("warning", "R4", "person")
        await two.say("what did I do?")
        assert (await one.next(Message)).text == "what did I do?"
        await two.find(["alone"])
        assert (await two.next(Error)).code == "notice"
    await restarted(kept)
    async with client(kept, bad) as again:
        assert await again.next(Notice) == notice
        await again.find(["alone"])
        assert (await again.next(Error)).code == "notice"
        await again.seen(notice.id)
        await again.seen(notice.id)
        await again.find(["alone"])
        await again.next(Waiting)
    await restarted(kept)
    async with client(kept, bad) as later:
        await later.find(["alone"])
        assert type(await later.next(Notice, Waiting)) is Waiting

    assert "You were warned" in (await kept.get(notice.appeal))[1]
    assert "Your appeal is here" in (await kept.post(notice.appeal, "it was a song"))[1]
    words = ("answer", case, "reverse", "--words", "So it was.")
    assert "answered: reverse" in await asyncio.to_thread(lambda: kept.run(*words, operator="bob"))
    page = (await kept.get(notice.appeal))[1]
    assert "So it was." in page
    assert "This warning was taken back" in page


async def test_a_program_of_the_old_protocol_is_warned_in_its_chat_and_to_have_taken_it_is_to_have_read_it(
    kept: Kept,
) -> None:
    where = {"X-Forwarded-For": "192.0.2.251"}
    form = {"randid": "JKLMNPQR", "lang": "en", "topics": '["old warned"]'}
    async with client(kept, GOOD) as one, aiohttp.ClientSession() as http, asyncio.timeout(60):

        async def post(path: str, **fields: str) -> list[list[object]]:
            async with http.post(kept.server.url + path, data=fields, headers=where) as answer:
                return list(await answer.json(content_type=None))

        async with http.post(f"{kept.server.url}start", data=form, headers=where) as answer:
            id = await answer.json(content_type=None)
        await one.find(["old warned"])
        await one.next(Matched)
        await one.report("hate")
        await one.next(Reported)
        case = await case_of(kept, 1)
        told = await asyncio.to_thread(kept.run, "decide", case, "--measure", "warning", "--rule", "R4")
        assert "if their session is still there" in told
        said: list[list[object]] = []
        while not any("Rule R4" in str(event[-1]) for event in said):
            said = await post("events", id=id)
        (warning,) = (event for event in said if "Rule R4" in str(event[-1]))
        assert warning[0] == "serverMessage"
        path = "/appeal/" + str(warning[1]).rpartition("/appeal/")[2]
        assert "You were warned" in (await kept.get(path))[1]
        await one.say("still there?")
        while not any(event[0] == "gotMessage" for event in said):
            said = await post("events", id=id)
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(seen_of, kept, case):
            pass


async def test_a_real_old_library_shows_a_warning_and_its_chat_goes_on(kept: Kept, read: Read) -> None:
    async with client(kept, GOOD) as one:
        reader = await asyncio.to_thread(read, kept.server, python_omegle.RandomChat(language="is"))
        await one.find(language="is")
        await one.next(Matched)
        await one.report("hate")
        await one.next(Reported)
        case = await case_of(kept, 1)
        await asyncio.to_thread(kept.run, "decide", case, "--measure", "warning", "--rule", "R4")
        told = ""
        while "Rule R4" not in told:
            told = await asyncio.to_thread(reader.until, "GOT_SERVER_NOTICE")
        await one.say("still there?")
        assert await asyncio.to_thread(reader.until, "GOT_MESSAGE") == "still there?"
        await asyncio.to_thread(reader.chat.send, "yes")
        assert (await one.next(Message)).text == "yes"
        await asyncio.to_thread(reader.chat.disconnect)
        await one.next(Left)


async def test_who_was_blocked_is_not_met_again_and_the_server_has_nothing_of_it(kept: Kept) -> None:
    other = "e" * 22
    async with talked(kept, "block", other) as (one, two):
        await one.block()
        blocked = await one.next(Blocked)
        assert blocked.until is not None
        await one.leave()
        await two.next(Left)
    await restarted(kept)  # whom one met last is forgotten by that; the token is not
    async with client(kept, GOOD) as one, client(kept, other) as two, client(kept, "f" * 22) as third:
        await one.find(["block"], avoid=["forged", blocked.token])
        await two.find(["block"])
        assert type(await two.next(Waiting, Matched)) is Waiting
        await third.find(["block"])
        await third.next(Matched)
        async with asyncio.timeout(10):
            assert type(await one.next(Matched)) is Matched


async def test_a_ban_ends_the_connection_of_a_client_of_http_requests_too(kept: Kept) -> None:
    proxy, cookie = CuttingProxy(kept.server.port), "p" * 22
    url = f"ws://127.0.0.1:{proxy.port}/ws"
    try:
        async with client(kept, GOOD) as one, Client(url, headers=headers(cookie), backoff=Backoff(first=0.02)) as two:
            await asyncio.gather(one.find(["polled"]), two.find(["polled"]))
            await asyncio.gather(one.next(Matched), two.next(Matched))
            await two.say("buy gold")
            await one.next(Message)
            await one.report("spam")
            await one.next(Reported)
            case = await case_of(kept, 1)
            await asyncio.to_thread(kept.run, "decide", case, "--measure", "ban", "--rule", "R5")
            assert (await one.next(Left)).by == "moderation"
            assert (await two.next(Closed)).code == 4003
        async with Client(url, headers=headers(cookie), backoff=Backoff(first=0.02)) as two:
            assert (await two.next(Error)).code == "banned"
            assert (await two.next(Closed)).code == 4003
    finally:
        proxy.stop()


async def test_danger_is_answered_with_whom_to_call(kept: Kept) -> None:
    async with talked(kept, "danger", "g" * 22, "x") as (one, _):
        await one.report("danger")
        told = await one.next(Reported)
        assert told.kept == 120
        assert told.help[-1]["url"] == "https://findahelpline.com"
        case = await case_of(kept, 1)
        await asyncio.to_thread(kept.run, "decide", case, "--measure", "none")


async def restarted(kept: Kept) -> None:
    """The server stops and starts; nobody is connected."""
    await asyncio.to_thread(kept.server.stop)
    await asyncio.to_thread(kept.server.start)


def seen_of(kept: Kept, case: str) -> bool:
    """Whether the warning of a case was read, as its row says it."""
    database = sqlite3.connect(kept.data / "serendip.db")
    try:
        (found,) = database.execute('SELECT seen FROM notice WHERE "case" = ?', (bytes.fromhex(case),))
        return found[0] is not None
    finally:
        database.close()


async def refused(kept: Kept, cookie: str) -> str:
    """A banned person knocks; the address of their appeal."""
    knock = f"{kept.server.url}ws"
    async with aiohttp.ClientSession() as http, http.ws_connect(knock, headers=headers(cookie)) as socket:
        frame = await socket.receive_json()
        assert (frame["type"], frame["code"], frame["rule"]) == ("error", "banned", "R5")
        assert frame["reason"]
        await socket.receive()
        assert socket.close_code == 4003
        return str(frame["appeal"])


async def welcome(kept: Kept, cookie: str) -> None:
    """They come in again, as soon as the server has read the reversal."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as http:
        while True:
            async with http.ws_connect(f"{kept.server.url}ws", headers=headers(cookie)) as socket:
                if (await socket.receive_json())["type"] == "hello":
                    return


async def test_guesses_find_nothing_and_foreign_forms_are_refused(kept: Kept) -> None:
    for path in ("/report/" + "A" * 22, "/report/x", "/appeal/" + "A" * 22, "/appeal/%00"):
        assert (await kept.get(path))[0] == 404
    url = kept.server.url.rstrip("/") + "/appeal/" + "A" * 22
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data={"words": "x"}, headers={"Origin": "https://elsewhere.example"}) as answer,
    ):
        assert answer.status == 403
