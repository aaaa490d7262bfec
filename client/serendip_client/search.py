"""Keep the current search: repeat its `find` frame after a reconnection, or after the delay with which the server refused the search.

**Invariant:** at most one repetition is scheduled; a new search, the search's end and every answer cancel it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

MARGIN_S: Final = 0.05  # a timer may fire early by the difference to the server's clock


class Search:
    """Search of one client. `ask` sends its frame if a session is established; if not, `asked` is sent once there is one."""

    def __init__(self, ask: Callable[[bytes], Awaitable[None]]) -> None:
        self._ask = ask
        self.asked: bytes | None = None  # not answered yet
        self._wanted: bytes | None = None  # to be repeated if the session is lost
        self._repeat: asyncio.Task[None] | None = None

    def begin(self, frame: bytes) -> None:
        """Begin a search by `frame`; the caller sends it."""
        self.end()
        self.asked = self._wanted = frame

    def end(self) -> None:
        """End the search: a partner was found, the user left, or the client is closed."""
        self.asked = self._wanted = None
        self._cancel()

    def wait(self) -> None:
        """Note that the server accepted the search and there is no partner yet."""
        self.asked = None
        self._cancel()

    def refuse(self, after: float | None, closing: bool) -> None:
        """Note that the server refused the search, for `after` seconds or until the user acts (None).

        `closing`: it closes the connection too, and the search is sent again on the next one.
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
        """Keep the search until `repeat`: the server requires something that the client does by itself."""
        self.asked = None
        self._cancel()

    async def repeat(self) -> None:
        """Send a refused search again, if it is still wanted."""
        self._cancel()
        self.asked = self._wanted
        if self.asked is not None:
            await self._ask(self.asked)

    def lose(self) -> None:
        """Mark the search to be sent again, because the server has forgotten the session."""
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
