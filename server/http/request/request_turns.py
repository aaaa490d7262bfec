"""Whose turn it is among requests. Rule: MOST of them begin in one turn of the loop, the others wait in order.

In a turn of the loop the lines of all who chat are passed on once. A request takes some tenths of a millisecond, so a few hundred
connections that ask as fast as they can would hold every line up for as long as it takes to answer each of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

MOST: Final = 8


class Turns:
    """The requests of one application; `take` is its outermost middleware."""

    def __init__(self) -> None:
        self._left = MOST  # that may begin in this turn of the loop
        self._waiting: deque[asyncio.Future[None]] = deque()  # while there are any, nothing is left
        self._counting = False  # `_next` is due

    @web.middleware
    async def take(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Go on when it is this request's turn."""
        loop = asyncio.get_running_loop()
        if self._left:
            self._left -= 1
            if not self._counting:
                self._counting = True
                loop.call_soon(self._next, loop)
        else:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            await turn
        return await handler(request)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Another turn of the loop."""
        self._left = MOST
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._counting = self._left < MOST
        if self._counting:
            loop.call_soon(self._next, loop)
