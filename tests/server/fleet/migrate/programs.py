"""Programs of Omegle's protocol, whose connections are counted. Rule: who goes on over the connection that it had opens no other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from tests.server.site.omegle.conftest import Caller


class Counted(Caller):
    """A client with one connection at a time; `opened`: how many it opened."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/"
        self._sessions = AsyncExitStack()
        self.opened = 0
        super().__init__(self._session())

    def _session(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._opens)
        session = aiohttp.ClientSession(
            self._url, connector=aiohttp.TCPConnector(limit=1, keepalive_timeout=300), trace_configs=[trace]
        )
        self._sessions.push_async_callback(session.close)
        return session

    async def _opens(self, *_: Any) -> None:
        self.opened += 1

    def elsewhere(self) -> None:
        """From here on over a connection that is opened for it."""
        self.web = self._session()

    async def close(self) -> None:
        """Hang up."""
        await self._sessions.aclose()

    async def all(self, count: int) -> list[Any]:
        """Polls until so many events came, not one more."""
        found: list[Any] = []
        while len(found) < count:
            more = await self.events()
            assert more is not None, found
            found += more
        return found


def said(*texts: str) -> list[list[str]]:
    """Events of what a stranger said."""
    return [["gotMessage", text] for text in texts]


async def starts(client: Counted, *wanted: list[Any], **fields: str) -> None:
    """Start; the first events are these: in the answer, or, where another process says who meets whom, by the next polls."""
    found = await client.start(**fields)
    while len(found) < len(wanted):
        found += await client.events()
    assert found[: len(wanted)] == list(wanted)


class Programs:
    """Clients in every state that a deploy may meet. `goes_on` says that nothing was lost or doubled."""

    chats = 7  # in all

    def __init__(self, port: int) -> None:
        self._port = port
        self._made: list[Counted] = []

    def make(self) -> Counted:
        """One more."""
        self._made.append(client := Counted(self._port))
        return client

    async def pair(self, topic: str, **more: str) -> tuple[Counted, Counted]:
        """Two clients in one chat. `more` names the first one's browser (`randid`): the second is another person."""
        one, two = self.make(), self.make()
        await starts(one, ["waiting"], topics=f'["{topic}"]', **more)
        await starts(two, ["connected"], topics=f'["{topic}"]')
        await one.until("connected")
        return one, two

    async def begin(self) -> None:
        """Everybody comes."""
        self.talking = await self.pair("talking")
        self.waiting = self.make()
        await starts(self.waiting, ["waiting"], topics='["patience"]')
        self.holding = await self.pair("holding")
        self.poll = asyncio.create_task(self.holding[0].events())
        self.unread = await self.pair("unread")
        for text in ("one", "two", "three"):
            assert await self.unread[1].post("/send", msg=text) == "win"
        self.left = await self.pair("left")
        await self.left[1].post("/send", msg="last words")
        await self.left[1].post("/disconnect")
        self.over = await self.pair("over", randid="ABCDEFGH")
        await self.over[0].post("/send", msg="of the server's own")
        await self.over[0].post("/disconnect")
        self.looking = self.make()
        await starts(self.looking, ["waiting"], topics='["nobody else"]', lang="da")

    async def goes_on(self) -> None:
        """Each over the connection that it had, then over another."""
        one, two = self.talking
        for again in (False, True):
            if again:
                one.elsewhere()
            assert await one.post("/typing") == "win"
            assert await two.events() == [["typing"]]
            assert await one.post("/send", msg="still here") == "win"
            assert await two.events() == said("still here")
            assert await two.post("/send", msg="and here") == "win"
            assert await one.events() == said("and here")
        assert (one.opened, two.opened) == (2, 1)
        steps: list[Callable[[], Awaitable[None]]] = [self._waits, self._held, self._unread, self._left, self._over]
        await asyncio.gather(*(step() for step in steps))
        assert await self.looking.post("/stoplookingforcommonlikes") == "win"
        other = self.make()
        await starts(other, ["connected"], lang="da")
        assert await self.looking.until("connected") == ["connected"]
        await other.post("/disconnect")

    async def _waits(self) -> None:
        other = self.make()
        await starts(other, ["connected"], ["commonLikes", ["patience"]], topics='["patience"]')
        assert await self.waiting.until("connected") == ["connected"]
        assert self.waiting.opened == 1

    async def _held(self) -> None:
        one, two = self.holding
        assert await self.poll == []  # or it would be held where nothing comes any more
        assert await two.post("/send", msg="late") == "win"
        assert await one.events() == said("late")
        assert one.opened == two.opened == 1

    async def _unread(self) -> None:
        one, two = self.unread
        one.elsewhere()
        assert await two.post("/send", msg="four") == "win"
        assert await one.all(4) == said("one", "two", "three", "four")

    async def _left(self) -> None:
        stays, gone = self.left
        assert await stays.all(2) == [*said("last words"), ["strangerDisconnected"]]
        assert await stays.events() is None
        assert await gone.events() is None
        assert await gone.post("/disconnect") == "win"
        assert stays.opened == gone.opened == 1

    async def _over(self) -> None:
        one, two = self.over
        assert await two.all(2) == [*said("of the server's own"), ["strangerDisconnected"]]
        async with one.web.post("/generate", data={"randid": "ABCDEFGH", "log": '[["You:", "an account"]]'}) as answer:
            page = await answer.text()
        link = page.partition('href="')[2].partition('"')[0]
        async with one.web.get(link) as answer:
            log = await answer.text()
        assert "of the server&#39;s own" in log.replace("&#x27;", "&#39;"), log
        assert "an account" not in log

    async def close(self) -> None:
        """All hang up."""
        for client in self._made:
            await client.close()
