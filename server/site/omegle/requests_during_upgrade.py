"""Hold requests, during an upgrade, for HTTP clients that have not yet arrived from the old process.

**Invariant:** their number and their time are bounded.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

WAIT: Final = 2.0  # seconds that a request waits for its client
WANTED_MAX: Final = 2_000  # ids that are waited for at once; beyond, requests are answered at once


class AwaitedClients:
    """Requests for clients that are not here yet."""

    def __init__(self) -> None:
        self._want: Callable[[str], Awaitable[bool]] | None = None  # None: no upgrade is in progress
        self._asked: dict[str, asyncio.Task[bool]] = {}

    def begin(self, want: Callable[[str], Awaitable[bool]]) -> None:
        """An upgrade begins: `want` asks the old process for a client, and returns whether the client came."""
        self._want = want

    def end(self) -> None:
        """The upgrade is over."""
        self._want = None

    async def wait(self, id: str) -> None:
        """Wait until the client is here or nowhere, WAIT seconds at most."""
        asked = self._asked.get(id)
        if asked is None:
            if self._want is None or len(self._asked) >= WANTED_MAX:
                return
            asked = self._asked[id] = asyncio.ensure_future(_answer(self._want, id))
            asked.add_done_callback(lambda _: self._asked.pop(id, None))
        await asyncio.wait((asked,))

    def __len__(self) -> int:
        return len(self._asked)


async def _answer(want: Callable[[str], Awaitable[bool]], id: str) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT):
            return await want(id)
    return False
