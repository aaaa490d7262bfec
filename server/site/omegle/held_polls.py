"""Held polls: for how long each is held, and where. Rule: a client's newest poll alone is held (`Client.poll`).

A poll is held by the handler of its request at first, since most answers of a lively chat come soon. Then it is parked where its
connection lets it, and the handler's own answer is for nobody; where it does not, the handler waits on and the connection is looked at.
A poll behind which its client said more on the same connection is over: nobody is heard there before it is answered.
"""

import asyncio
from collections import deque
from typing import Protocol

from server.site.omegle.omegle_client import Client, Poll

PARK_AFTER = 1.0  # seconds: most answers of a lively chat come sooner
FIRST_EVENTS_S = (
    5.0  # longest wait for the first events of a client: the hub answers within milliseconds unless it is down
)

Held = asyncio.Future[bool | None]  # True: there is news; False: none, answer with nothing; None: it is time to park


class Line(Protocol):
    """The connection that a poll came over."""

    def park(self) -> Poll | None:
        """Take it from the handler; None where it cannot be."""

    def stands(self) -> bool:
        """Whether whoever asked is still there."""

    def goes_on(self) -> bool:
        """Whether more came behind the poll."""


class Polls:
    """The held polls of all clients. `patience`: seconds after which a poll is answered with nothing."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._until: deque[tuple[float, Client, Poll]] = deque()
        self._fresh: deque[tuple[float, Held]] = deque()
        self._unparked: dict[Held, tuple[Client, Line]] = {}

    async def hold(self, client: Client, line: Line, now: float) -> bool:
        """Wait for news of a client; False where this poll is to be answered with nothing, or by the one that was parked."""
        poll = self._held(client, now)
        self._fresh.append((now + PARK_AFTER, poll))
        news = await poll
        if news is not None or client.poll is not poll:
            return news is not False
        if line.goes_on():
            client.poll = None
            return False
        parked = line.park()
        if parked is None:
            return await self._unparkable(client, line, now)
        client.poll = parked
        self._until.append((now + self._patience, client, parked))
        client.wake()
        return False

    async def first(self, client: Client) -> None:
        """Wait until a new client has its first event or is gone, at most `FIRST_EVENTS_S`; nobody else knows its id yet."""
        poll: Held = self._loop.create_future()
        client.poll = poll
        timer = self._loop.call_later(FIRST_EVENTS_S, client.release, False)
        try:
            await poll
        finally:
            timer.cancel()
            if client.poll is poll:
                client.poll = None

    async def _unparkable(self, client: Client, line: Line, now: float) -> bool:
        """Wait on in the handler."""
        poll = self._held(client, now)
        self._unparked[poll] = client, line
        try:
            return await poll is not False
        finally:
            del self._unparked[poll]

    def _held(self, client: Client, now: float) -> Held:
        poll: Held = self._loop.create_future()
        client.poll = poll
        self._until.append((now + self._patience, client, poll))
        return poll

    def tick(self, now: float) -> list[Client]:
        """Once a second: polls to be parked, polls whose patience is over. The clients whose connection is gone."""
        fresh, until = self._fresh, self._until
        while fresh and fresh[0][0] <= now:
            _, waiting = fresh.popleft()
            if not waiting.done():
                waiting.set_result(None)
        while until and (until[0][0] <= now or until[0][2].done()):
            _, client, poll = until.popleft()
            if not poll.done():
                client.heard = now
                client.release(False)
        gone = [client for client, line in self._unparked.values() if not line.stands()]
        for client, line in self._unparked.values():
            if line.goes_on() or not line.stands():
                client.release(False)
        return gone
