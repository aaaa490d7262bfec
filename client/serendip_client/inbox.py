"""Events that nobody read yet. Rule: bounded; who does not listen is not read from."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from serendip_client.events import Event

EVENTS_MAX: Final = 1_000  # unread events; beyond that nothing is read from the socket


class Inbox:
    """A queue of events whose writer waits while it is full, unless somebody waits for an answer behind them."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._space = asyncio.Event()
        self._opened = 0  # calls that wait for an answer

    async def put(self, event: Event) -> None:
        """Hand an event out; waits while too many are unread."""
        while self._events.qsize() >= EVENTS_MAX and not self._opened:
            self._space.clear()
            await self._space.wait()
        self._events.put_nowait(event)

    def put_last(self, event: Event) -> None:
        """Hand out what belongs to the end, whatever is unread."""
        self._events.put_nowait(event)

    async def get(self) -> Event:
        """The next event."""
        event = await self._events.get()
        if self._events.qsize() < EVENTS_MAX:
            self._space.set()
        return event

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While this lasts, events are taken in however many are unread."""
        self._opened += 1
        self._space.set()
        try:
            yield
        finally:
            self._opened -= 1
