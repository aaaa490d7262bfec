"""The real server with its face open, and a client of the HTTP protocol as small as can be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from tests.server.site.web.servers import Server

HOLD = "30"  # seconds that a poll is held here: longer than any wait of a test, so that an answer has another reason


class Caller:
    """One client of the face."""

    def __init__(self, web: aiohttp.ClientSession) -> None:
        self.web = web
        self.id = ""
        self.first: list[Any] = []
        self._unread: list[Any] = []  # of the first events, what `until` has not looked at

    async def start(self, **parameters: str) -> list[Any]:
        """Start; the first events."""
        query = {"caps": "recaptcha2", "firstevents": "1", "lang": "en", **parameters}
        async with self.web.post("/start", params=query) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            found = await answer.json()
        if not found:
            return []
        self.id = found["clientID"]
        self.first = self._unread = found["events"]
        return self.first

    async def post(self, path: str, **fields: str) -> str:
        """The answer as text."""
        async with self.web.post(path, data={"id": self.id, **fields}) as answer:
            return await answer.text()

    async def events(self) -> Any:
        """One poll."""
        async with self.web.post("/events", data={"id": self.id}) as answer:
            return await answer.json()

    async def until(self, name: str) -> list[Any]:
        """Polls until the event of that name came; it is given. The first events are looked at before."""
        while True:
            found, self._unread = self._unread or await self.events(), []
            assert found is not None, f"no {name} came"
            for event in found:
                if event[0] == name:
                    return list(event)


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes all of its clients from one address."""
    server = Server(
        tmp_path_factory.mktemp("omegle"),
        SERENDIP_LIMITS__ENABLED="false",
        SERENDIP_OMEGLE__HOLD=HOLD,
        SERENDIP_SERVER__HOSTS="localhost,127.0.0.1,front1.omegle.com",
    )
    yield server
    server.stop()


@pytest.fixture
def company() -> int:
    """The port of the company that checks people; 0: there is none."""
    return 0


@pytest.fixture
async def web(wide: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser's worth of connections to it."""
    async with aiohttp.ClientSession(wide.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
def caller(web: aiohttp.ClientSession) -> Callable[[], Caller]:
    """Makes clients."""
    return lambda: Caller(web)


async def pair(make: Callable[[], Caller], topic: str = "", **parameters: str) -> tuple[Caller, Caller]:
    """Two clients in one chat, their matches taken. Topics keep tests apart that share a server."""
    one, two = make(), make()
    if topic:
        parameters["topics"] = f'["{topic}"]'
    assert (await one.start(**parameters))[0] == ["waiting"]
    assert (await two.start(**parameters))[0] == ["connected"]
    await asyncio.wait_for(one.until("connected"), 10)
    return one, two
