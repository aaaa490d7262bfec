"""`POST /api/translate` of a real server: who may ask, for what, how fast, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from engine.wire.protocol import TEXT_MAX
from tests.server.site.web.servers import Server
from tests.support.libretranslate import LibreTranslate

BURST = 4


@pytest.fixture(scope="module")
def theirs() -> Iterator[LibreTranslate]:
    """One for all of them."""
    server = LibreTranslate()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(theirs: LibreTranslate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service, with that LibreTranslate, and few lines at once for a person."""
    server = Server(
        tmp_path_factory.mktemp("data"),
        SERENDIP_TRANSLATION__URL=theirs.url,
        SERENDIP_TRANSLATION__BURST=str(BURST),
        SERENDIP_TRANSLATION__RATE="0.001",
        SERENDIP_SERVER__PROXIES="127.0.0.1",
    )
    yield server
    server.stop()


class Person:
    """Somebody with a session, with or without our cookie, at a network address of their own."""

    def __init__(self, web: aiohttp.ClientSession, address: str) -> None:
        self.web = web
        self.headers = {"X-Forwarded-For": address}
        self.token = ""
        self.socket: aiohttp.ClientWebSocketResponse

    async def arrive(self, *, cookie: bool) -> None:
        if cookie:
            async with self.web.get("/", headers=self.headers) as answer:
                assert answer.status == 200
        self.socket = await self.web.ws_connect("/ws", headers=self.headers)
        self.token = orjson.loads((await self.socket.receive()).data)["token"]

    async def ask(self, *, more: dict[str, str] | None = None, **fields: Any) -> tuple[int, dict[str, Any]]:
        asked = {"token": self.token, "text": "Wie geht es dir?", "to": "en"} | fields
        headers = self.headers | (more or {})
        async with self.web.post("/api/translate", json=asked, headers=headers) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json()


@pytest.fixture
async def people(server: Server, theirs: LibreTranslate) -> AsyncIterator[Any]:
    """Makes people."""
    theirs.asked.clear()
    made: list[Person] = []

    async def make(cookie: bool = True, address: str = "", url: str = "") -> Person:
        web = aiohttp.ClientSession(url or server.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        person = Person(web, address or f"198.51.{next(NETWORKS)}.7")
        made.append(person)
        await person.arrive(cookie=cookie)
        return person

    yield make
    theirs.open.set()
    theirs.wrong = None
    for person in made:
        await person.socket.close()
        await person.web.close()


NETWORKS = iter(range(1, 250))


def found_in(folder: Path, marked: bytes) -> list[Path]:
    """The files that hold it."""
    return [path for path in folder.rglob("*") if path.is_file() and marked in path.read_bytes()]


@pytest.mark.parametrize("cookie", [True, False])
async def test_somebody_who_is_here_gets_a_line_in_another_language(people: Any, cookie: bool) -> None:
    me = await people(cookie)
    assert await me.ask() == (200, {"text": "How are you?", "from": "de"})
    assert await me.ask(**{"from": "de", "to": "ar"}) == (200, {"text": "كيف حالك؟", "from": "de"})
    longest = "ä" * TEXT_MAX
    assert await me.ask(text=longest) == (200, {"text": longest, "from": "en"})


async def test_the_page_is_told_that_there_is_one(people: Any) -> None:
    me = await people()
    async with me.web.get("/api/config") as answer:
        assert (await answer.json())["translation"] is True


async def test_without_one_there_is_no_such_route_and_the_page_is_told_of_none(tmp_path: Path) -> None:
    plain = Server(tmp_path)
    try:
        async with aiohttp.ClientSession(plain.url) as web:
            async with web.post("/api/translate", json={}) as answer:
                assert answer.status == 404
            async with web.get("/api/config") as answer:
                assert "translation" not in await answer.json()
    finally:
        plain.stop()


async def test_nobody_without_a_session_gets_anything(people: Any, theirs: LibreTranslate) -> None:
    me, other = await people(), await people()
    for token in ("", "x" * 76, me.token[:-1] + ("A" if me.token[-1] != "A" else "B"), other.token):
        assert await me.ask(token=token) == (403, {"error": "no_session"})
    assert await me.ask(more={"Origin": "https://evil.example"}) == (403, {"error": "origin"})
    assert await me.ask(more={"Sec-Fetch-Site": "cross-site"}) == (403, {"error": "origin"})
    assert theirs.asked == []


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": " \n"},
        {"text": "x" * (TEXT_MAX + 1)},
        {"text": ["a"]},
        {"to": ""},
        {"to": "auto"},
        {"to": "../x"},
        {"from": "auto"},
        {"from": 1},
        {"token": None},
    ],
)
async def test_what_is_no_line_or_no_language_never_reaches_it(
    people: Any, theirs: LibreTranslate, fields: dict[str, Any]
) -> None:
    me = await people()
    assert await me.ask(**fields) == (400, {"error": "bad_request"})
    assert theirs.asked == []


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b"", 400), (b"x" * 40_000, 413)]
)
async def test_what_is_no_request_is_refused(people: Any, body: bytes, status: int) -> None:
    me = await people()
    async with me.web.post("/api/translate", data=body, headers=me.headers) as answer:
        assert (answer.status, await answer.json()) == (status, {"error": "bad_request"})


async def test_who_asks_too_fast_waits_and_nobody_else_does(people: Any) -> None:
    me, other = await people(), await people()
    for _ in range(BURST):
        assert (await me.ask())[0] == 200
    status, told = await me.ask()
    assert (status, told["error"]) == (429, "wait")
    assert told["wait"] > 1
    assert (await other.ask())[0] == 200


async def test_a_network_may_ten_times_as_much_as_a_person(people: Any) -> None:
    crowd = [await people(cookie=False, address="203.0.113.9") for _ in range(11)]
    for person in crowd[:10]:
        for _ in range(BURST):
            assert (await person.ask())[0] == 200
    assert (await crowd[10].ask())[0] == 429


async def test_a_person_has_two_lines_on_their_way_and_others_do_not_wait_for_them(
    people: Any, theirs: LibreTranslate
) -> None:
    me, other = await people(), await people()
    theirs.open.clear()
    slow = [asyncio.create_task(me.ask()) for _ in range(2)]
    await asyncio.to_thread(theirs.wait, 2)
    assert await me.ask() == (429, {"error": "wait", "wait": 1.0})
    one = asyncio.create_task(other.ask())
    await asyncio.to_thread(theirs.wait, 3)
    theirs.open.set()
    assert [status for status, _ in await asyncio.gather(*slow, one)] == [200] * 3
    assert (await me.ask())[0] == 200


async def test_its_failures_are_told_in_a_word(people: Any, theirs: LibreTranslate) -> None:
    me = await people()
    assert await me.ask(to="tlh") == (422, {"error": "language"})
    theirs.wrong = 500, b""
    assert await me.ask() == (503, {"error": "away"})
    theirs.wrong = 429, b""
    assert await me.ask() == (503, {"error": "busy"})


async def test_nothing_of_a_line_is_logged_or_written(people: Any, tmp_path: Path, theirs: LibreTranslate) -> None:
    other = Server(tmp_path, SERENDIP_TRANSLATION__URL=theirs.url)
    try:
        me = await people(url=other.url)
        marked = "quagga-7319"
        assert (await me.ask(text=marked))[0] == 200
        theirs.wrong = 200, b"no"
        assert (await me.ask(text=marked))[0] == 503
        await me.socket.close()
    finally:
        other.stop()
    assert '"translation.failed"' in other.said
    assert marked not in other.before + other.said
    assert found_in(tmp_path, marked.encode()) == []
