"""Hostile and broken clients: bounded, answered, and nobody else notices."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller, pair
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]


async def raw(server: Server, request: bytes, seconds: float = 15) -> bytes:
    """What the server answers to these bytes until it hangs up, or has said nothing for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(65536), seconds)
    finally:
        writer.close()


def get(target: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target


@pytest.mark.parametrize(
    "parameters",
    [
        {"topics": '"sailing"'},
        {"topics": "sailing"},
        {"topics": '[["sailing"]]'},
        {"topics": "[1]"},
        {"topics": '{"a":1}'},
        {"topics": "[" * 2000},
        {"ask": "too short"},
        {"ask": ""},
        {"ask": "x" * 201},
        {"college": "uio.no"},
        {"college": "uio.no", "college_auth": "forged", "any_college": "1"},
    ],
    ids=lambda parameters: str(parameters)[:40],
)
async def test_a_start_that_cannot_be_is_refused(caller: Make, parameters: dict[str, str]) -> None:
    assert await caller().start(**parameters) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"topics": "[]"},
        {"topics": ""},
        {"topics": json.dumps(["", " ", "x" * 300])},
        {"topics": json.dumps([f"word {n}" for n in range(100)])},
        {"randid": "x" * 10_000},
        {"randid": "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
        {"lang": "not a language at all"},
        {"unknown": "1", "group": "unmon", "m": "1", "cc": "abc", "spid": "", "camera": "x"},
    ],
    ids=lambda parameters: str(parameters)[:40],
)
async def test_what_is_only_odd_is_served(caller: Make, parameters: dict[str, str]) -> None:
    one = caller()
    assert await one.start(**{"lang": "zu", **parameters})
    await one.post("/disconnect")


async def test_topics_without_end_are_refused(web: aiohttp.ClientSession) -> None:
    async with web.post("/start?firstevents=1", data={"topics": json.dumps(["x" * 60] * 500)}) as answer:
        assert await answer.json() == {}


async def test_quotes_may_stand_unencoded_in_the_query(wide: Server) -> None:
    answer = await raw(wide, get(b'/start?firstevents=1&lang=bg&topics=["sailing","a&b"]'))
    assert b"200 OK" in answer
    assert await raw(wide, get(b'/start?firstevents=1&lang=bg&topics=["quotes","alone"]')) != b""
    answer = await raw(wide, get(b'/start?firstevents=1&lang=bg&topics=["quotes"]'))
    assert b'["commonLikes",["quotes"]]' in answer


async def test_of_a_parameter_given_twice_the_first_counts(web: aiohttp.ClientSession) -> None:
    async with web.post("/start?firstevents=1&lang=co&lang=de&firstevents=0", data={"lang": "fr"}) as answer:
        found = await answer.json()
    other = Caller(web)
    await other.start(lang="co")
    assert other.first[0] == ["connected"]
    assert found["events"][0] == ["waiting"]


async def test_bytes_that_are_no_text_are_no_fault(wide: Server) -> None:
    assert b"200 OK" in await raw(wide, get(b"/start?lang=en&randid=%ff%fe&topics=%5B%22%ff%22%5D"))


async def test_an_id_that_does_not_exist_is_answered_slowly(caller: Make) -> None:
    one = caller()
    one.id = "central1:" + "x" * 30
    before = time.monotonic()
    assert await one.events() is None
    assert await one.post("/send", msg="hi") == "fail"
    assert await one.post("/typing") == "fail"
    assert time.monotonic() - before > 3
    assert await one.post("/disconnect") == "win"


@pytest.mark.parametrize(
    "text", ["", "x" * 2001, "\x00", "\x1b[2J", "x" * 60_000], ids=["empty", "long", "nul", "escape", "huge"]
)
async def test_a_message_that_cannot_be_sent_fails_and_the_chat_goes_on(caller: Make, text: str) -> None:
    one, two = await pair(caller, f"bad {len(text)} {ascii(text[:1])[1:-1].strip(chr(92))}")
    assert await one.post("/send", msg=text) == "fail"
    assert await one.post("/send", msg="fine\r\nhere") == "win"
    assert await two.events() == [["gotMessage", "fine\nhere"]]


async def test_a_body_over_the_bound_is_refused_and_others_are_served(caller: Make, wide: Server) -> None:
    one = caller()
    await one.start(lang="sm")
    async with one.web.post("/send", data={"id": one.id, "msg": "x" * 100_000}) as answer:
        assert answer.status == 413
    assert b" 413 " in await raw(
        wide,
        b"POST /send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"ffff\r\n"
        + b"x" * 65535
        + b"\r\n"
        + b"ff\r\n"
        + b"x" * 255
        + b"\r\n",
    )
    assert await one.post("/typing") == "win"


async def test_a_body_that_never_ends_is_given_up(caller: Make, wide: Server) -> None:
    answer = await raw(wide, b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nid=cen", 20)
    assert b" 408 " in answer
    one = caller()
    assert await one.start(lang="su")


async def test_more_fields_than_anyone_needs_are_refused(web: aiohttp.ClientSession) -> None:
    async with web.post("/icecandidate", data=[("candidate", "null")] * 300) as answer:
        assert answer.status == 413


async def test_a_poll_flood_is_slowed_down_and_hurts_nobody(caller: Make) -> None:
    bad, two = await pair(caller, "flood")
    polls = [asyncio.ensure_future(bad.events()) for _ in range(200)]
    other = caller()
    async with asyncio.timeout(20):  # a tenth of what the polls would take if others waited for them
        await other.start(lang="te")
        assert await other.post("/check")
    await two.post("/send", msg="hi")
    found = [event for answer in await asyncio.gather(*polls) for event in answer]
    assert found == [["gotMessage", "hi"]]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose limits have verdicts."""
    server = Server(
        tmp_path_factory.mktemp("narrow"),
        SERENDIP_OMEGLE__START_BURST="5",
        SERENDIP_OMEGLE__START_RATE="1",
        SERENDIP_OMEGLE__CLIENTS_ADDRESS="8",
        SERENDIP_OMEGLE__IDLE="3",
        SERENDIP_OMEGLE__HOLD="1",
    )
    yield server
    server.stop()


async def test_starts_of_one_address_are_limited(narrow: Server) -> None:
    async with aiohttp.ClientSession(narrow.url) as web:
        clients = [Caller(web) for _ in range(40)]
        answers = await asyncio.gather(*[client.start(lang="ha") for client in clients])
        assert 5 <= sum(map(bool, answers)) <= 8
        async with web.get("/status") as answer:
            assert (await answer.json())["count"] <= 8


async def test_who_does_not_poll_any_more_is_gone_and_the_partner_is_told(narrow: Server) -> None:
    async with aiohttp.ClientSession(narrow.url) as web:
        one, two = Caller(web), Caller(web)
        for client in (one, two):
            while not await client.start(lang="lo"):
                pass  # refusals are slow by themselves
        assert await two.until("strangerDisconnected")
        assert await one.events() is None


async def test_a_flood_of_messages_fails_and_the_partner_gets_what_was_taken(narrow: Server) -> None:
    async with aiohttp.ClientSession(narrow.url) as web:
        one, two = Caller(web), Caller(web)
        for client in (one, two):
            while not await client.start(lang="lv"):
                pass  # refusals are slow by themselves
        answers = await asyncio.gather(*[one.post("/send", msg="x") for _ in range(150)])
        taken = answers.count("win")
        assert 100 <= taken < 150
        got: list[Any] = []
        while len(got) < taken:
            got += [event for event in await two.events() if event[0] == "gotMessage"]
        assert len(got) == taken


async def test_a_setting_closes_the_face(tmp_path: Path) -> None:
    server = await asyncio.to_thread(lambda: Server(tmp_path, SERENDIP_OMEGLE__ENABLED="false"))
    try:
        async with aiohttp.ClientSession(server.url) as web, web.post("/start") as answer:
            assert answer.status == 404
    finally:
        await asyncio.to_thread(server.stop)
