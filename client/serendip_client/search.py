"""Keeps what this side looks for: a `find` until it is answered, and again after the time for which the server refused it.

Invariant: at most one repeat is due; a new search, its end and every answer cancel it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

MARGIN_S: Final = 0.05  # a timer may be early by less than the server's clock tells


class Search:
    """The search of one client. `ask` sends a frame of it if the session stands; if not, `asked` is sent as soon as it does."""

    def __init__(self, ask: Callable[[bytes], Awaitable[None]]) -> None:
        self._ask = ask
        self.asked: bytes | None = None  # not answered yet
        self._wanted: bytes | None = None  # what to look for anew, should the session be lost
        self._repeat: asyncio.Task[None] | None = None

    def begin(self, frame: bytes) -> None:
        """Search by `frame`; the caller sends it."""
        self.end()
        self.asked = self._wanted = frame

    def end(self) -> None:
        """Search no more: a partner is there, the user left, or the client is closed."""
        self.asked = self._wanted = None
        self._cancel()

    def wait(self) -> None:
        """The server took the search, and nobody is there yet."""
        self.asked = None
        self._cancel()

    def refuse(self, after: float | None, closing: bool) -> None:
        """The server refused the search, for `after` seconds or until the user does something (None).

        `closing`: it closes the connection too, and the search is said when the next one stands.
        """
        if closing:
            return
        self.asked = None
        self._cancel()
        if after is None:
            self._wanted = None
        else:
            self._repeat = asyncio.get_running_loop().create_task(self._again(after + MARGIN_S))

    def hold(self) -> None:
        """The server wants something first, which this client does by itself: `repeat` follows."""
        self.asked = None
        self._cancel()

    async def repeat(self) -> None:
        """Ask again for what was refused, if it is still wanted."""
        self._cancel()
        self.asked = self._wanted
        if self.asked is not None:
            await self._ask(self.asked)

    def lose(self) -> None:
        """The server forgot the session: what was looked for is to be asked anew."""
        self._cancel()
        self.asked = self._wanted

    async def _again(self, after: float) -> None:
        await asyncio.sleep(after)
        self._repeat = None
        await self.repeat()

    def _cancel(self) -> None:
        repeat, self._repeat = self._repeat, None
        if repeat is not None:
            repeat.cancel()
