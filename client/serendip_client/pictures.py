"""Answer the server's requests for camera pictures (`snap`) with JPEGs from a callback, or with the reason why a picture is missing. Post and
fetch the pictures of a chat; one whose key or result is lost is sent once more.

**Invariant:** an exception or a delay of the callback never ends the chat. A client without a callback answers that it has no camera.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from serendip_client.events import Snap, Upload
from serendip_client.protocol import NoSnapWhy

logger: Final = logging.getLogger("serendip_client")
JPEG: Final = {"Content-Type": "image/jpeg"}
WAITING: Final = 4  # pictures without a result
CHECKED_WITHIN: Final = 30.0  # seconds from the end of an upload to its result


class Shown(NamedTuple):
    """A callback's result, as JPEG; None: there is no picture.

    `theirs`: `tiles` pictures of the partner below each other, 320 × 240 each; `mine`: one of the own camera. `why`, for a missing picture:
    `camera` (that camera is off), `hidden` or `early` (no picture of the partner arrived yet).
    """

    theirs: bytes | None = None
    mine: bytes | None = None
    why: NoSnapWhy = "camera"


Camera = Callable[[Snap], Awaitable[Shown]]


async def nothing(_: Snap) -> Shown:
    """Answer that there is no camera and no picture of the partner."""
    return Shown()


class Answers:
    """Answers each `Snap` in its own task. `url`: the WebSocket's; `refuse(nonce, why)` sends `nosnap`."""

    def __init__(self, url: str, camera: Camera | None, refuse: Callable[[str, NoSnapWhy], Awaitable[None]]) -> None:
        self._camera = camera or nothing
        self._refuse = refuse
        self._base = _at(url, "/api/snap/")
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, asked: Snap, http: aiohttp.ClientSession | None) -> None:
        """Start to answer a request, without waiting."""
        if http is not None:
            task = asyncio.get_running_loop().create_task(self._answer(asked, http))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel all answers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, asked: Snap, http: aiohttp.ClientSession) -> None:
        try:
            async with asyncio.timeout(asked.within):
                shown = await self._camera(asked)
                if shown.theirs is None or (asked.mine and shown.mine is None):
                    await self._refuse(asked.nonce, shown.why)
                for name, picture in (("mine", shown.mine if asked.mine else None), ("theirs", shown.theirs)):
                    if picture is not None:
                        await self._post(http, f"{self._base}{asked.nonce}/{name}", picture)
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            logger.info("pictures that were asked for were not given: %r", error)
        except Exception:
            logger.exception("the callback for pictures failed")

    async def _post(self, http: aiohttp.ClientSession, url: str, picture: bytes) -> None:
        async with http.post(url, data=picture, headers=JPEG) as answer:
            if answer.status != 204:
                logger.info("a picture was not taken: %d", answer.status)


class _Sent:
    """A picture without a result."""

    __slots__ = ("again", "body", "key", "settled")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.key = ""
        self.again = False  # another key was asked for
        self.settled = asyncio.Event()


class SentPictures:
    """Pictures of a chat over HTTP. `url`: the WebSocket's; `ask(id)` asks for a key."""

    def __init__(self, url: str, ask: Callable[[str], Awaitable[None]]) -> None:
        self._base = _at(url, "/api/picture/")
        self._ask = ask
        self._waiting: dict[str, _Sent] = {}  # by id, until their result comes
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, id: str, picture: bytes) -> None:
        """Hold a picture until its result comes, the newest WAITING of them."""
        self._waiting[id] = _Sent(picture)
        while len(self._waiting) > WAITING:
            self.settle(next(iter(self._waiting)))

    def begin(self, told: Upload, http: aiohttp.ClientSession | None) -> None:
        """Post the picture of an id, without waiting; if its key or its result is lost, as when the chat moved, ask once for another key."""
        sent = self._waiting.get(told.id)
        if sent is not None and http is not None:
            sent.key = told.key
            task = asyncio.get_running_loop().create_task(self._send(http, told, sent))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def settle(self, id: str) -> None:
        """Release a picture whose result came."""
        if (sent := self._waiting.pop(id, None)) is not None:
            sent.settled.set()

    def settle_keys(self, keys: Collection[str]) -> None:
        """Release the pictures that were announced under these keys while the client was away."""
        for id in [id for id, sent in self._waiting.items() if sent.key in keys]:
            self.settle(id)

    def forget(self) -> None:
        """Release all: the chat is over."""
        for id in [*self._waiting]:
            self.settle(id)

    async def fetch(self, key: str, http: aiohttp.ClientSession) -> bytes | None:
        """Return a picture of the chat; None: the key is unknown."""
        async with http.get(self._base + key) as answer:
            return await answer.read() if answer.status == 200 else None

    async def close(self) -> None:
        """Cancel all posts."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, http: aiohttp.ClientSession, told: Upload, sent: _Sent) -> None:
        try:
            async with (
                asyncio.timeout(told.within),
                http.post(self._base + told.key, data=sent.body, headers=JPEG) as answer,
            ):
                status = answer.status
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            logger.info("a picture was sent without an answer: %r", error)
            status = 204  # it may have arrived
        if status == 204:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECKED_WITHIN):
                    await sent.settled.wait()
        elif status != 404:
            logger.info("a picture was not taken: %d", status)
            return
        if sent.settled.is_set():
            return
        if sent.again:
            logger.warning("the key or the result of a picture was lost twice")
        elif self._waiting.get(told.id) is sent:
            sent.again = True
            await self._ask(told.id)


def _at(url: str, path: str) -> str:
    """Return the address of a path at the host of a WebSocket."""
    place = urlsplit(url)
    return urlunsplit(("https" if place.scheme in ("wss", "https") else "http", place.netloc, path, "", ""))
