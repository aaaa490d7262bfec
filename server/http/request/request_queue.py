"""Limit how many HTTP requests begin per turn of the event loop (MOST); the others wait in order. Chat lines are read before and behind each.

Else many requests in one turn would delay all lines: beginning ones, or ones that end together.
"""

# A request takes some tenths of a millisecond: a few hundred connections that send requests as fast as they can would delay every line for as long as
# all their responses take.

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

MOST: Final = 8


class RequestQueue:
    """Queue of the requests of one application; `take` is its outermost middleware. `on_step`: called between pieces of work."""

    def __init__(self, on_step: Callable[[], None]) -> None:
        self._on_step = on_step
        self._left = MOST  # requests that may still begin in this turn of the loop
        self._waiting: deque[asyncio.Future[None]] = deque()  # non-empty only if `_left` is 0
        self._counting = False  # whether `_next` is scheduled

    @web.middleware
    async def take(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Handle a request when its turn comes."""
        loop = asyncio.get_running_loop()
        if self._left:
            self._left -= 1
            if not self._counting:
                self._counting = True
                loop.call_soon(self._next, loop)
        else:
            self._on_step()  # many may come to wait in one turn of the loop
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            await turn
        self._on_step()
        try:
            return await handler(request)
        finally:
            self._on_step()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the next turn of the loop."""
        self._left = MOST
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._counting = self._left < MOST
        if self._counting:
            loop.call_soon(self._next, loop)
