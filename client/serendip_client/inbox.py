"""Queue received events until the caller reads them.

**Invariant:** the queue is bounded; while it is full, nothing more is read from the socket.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from serendip_client.events import Event

EVENTS_MAX: Final = 1_000  # unread events, at which the socket is no longer read


class Inbox:
    """Queue whose writer waits while it is full, unless a call waits for an answer behind the unread events."""

    def __init__(self, watch: Callable[[Event], None]) -> None:
        """`watch`: is called with each event when it is added."""
        self._watch = watch
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._space = asyncio.Event()
        self._opened = 0  # calls that wait for an answer

    def is_full(self) -> bool:
        """Whether `put` waits."""
        return self._events.qsize() >= EVENTS_MAX and not self._opened

    async def put(self, event: Event) -> None:
        """Add an event; wait while too many are unread."""
        while self.is_full():
            self._space.clear()
            await self._space.wait()
        self._events.put_nowait(event)
        self._watch(event)

    def put_last(self, event: Event) -> None:
        """Add an event of the client's end, however many are unread."""
        self._events.put_nowait(event)

    async def get(self) -> Event:
        """Wait for the next event."""
        event = await self._events.get()
        if self._events.qsize() < EVENTS_MAX:
            self._space.set()
        return event

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Accept events during this context, however many are unread."""
        self._opened += 1
        self._space.set()
        try:
            yield
        finally:
            self._opened -= 1
