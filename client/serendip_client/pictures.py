"""Answers to `snap`: pictures that a callback gives are posted, what it does not give is said. Rule: whatever the callback does, the chat goes on.

A client without a callback has no pictures, and says so each time (`camera`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from serendip_client.events import Snap
from serendip_client.frames import NoSnapWhy

logger: Final = logging.getLogger("serendip_client")
JPEG: Final = {"Content-Type": "image/jpeg"}


class Shown(NamedTuple):
    """What a callback gives, as JPEG; None: it has none.

    `theirs`: `tiles` pictures of the stranger below each other, 320 × 240 each; `mine`: one of the own camera. `why`, of what is missing:
    `camera` (that camera is off), `hidden` or `early` (no picture of the stranger came yet).
    """

    theirs: bytes | None = None
    mine: bytes | None = None
    why: NoSnapWhy = "camera"


Camera = Callable[[Snap], Awaitable[Shown]]


async def nothing(_: Snap) -> Shown:
    """No camera, and nothing that could be seen."""
    return Shown()


class Answers:
    """Answers each `Snap`, in a task of its own. `url`: the WebSocket's; `refuse(nonce, why)` says `nosnap`."""

    def __init__(self, url: str, camera: Camera | None, refuse: Callable[[str, NoSnapWhy], Awaitable[None]]) -> None:
        self._camera = camera or nothing
        self._refuse = refuse
        place = urlsplit(url)
        scheme = "https" if place.scheme in ("wss", "https") else "http"
        self._base = urlunsplit((scheme, place.netloc, "/api/snap/", "", ""))
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, asked: Snap, http: aiohttp.ClientSession | None) -> None:
        """Answer it; nothing waits for that."""
        if http is not None:
            task = asyncio.get_running_loop().create_task(self._answer(asked, http))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Answer no more."""
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
