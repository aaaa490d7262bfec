"""Hold long polls (`/events`) until there are events, or until a timeout. **Invariant:** at most one poll per client is held: the newest."""

import asyncio
from collections import deque
from typing import Protocol

from server.site.omegle.omegle_client import OmegleClient, Poll

PARK_AFTER = 1.0  # seconds: most answers of a lively chat come sooner
FIRST_EVENTS_S = (
    5.0  # longest wait for the first events of a client: the hub answers within milliseconds unless it is down
)

HeldPoll = asyncio.Future[bool | None]  # True: there are events; False: answer with an empty list; None: park the poll


class PollConnection(Protocol):
    """The connection of a held poll."""

    def park(self) -> Poll | None:
        """Take the connection out of aiohttp; None if it cannot be."""

    def stands(self) -> bool:
        """Whether the connection is still open."""

    def goes_on(self) -> bool:
        """Whether more was received behind the poll."""


class HeldPolls:
    """The held polls of all clients. `patience`: seconds after which a poll is answered with an empty list.

    A poll is first held by the handler of its request, since most answers in a lively chat come soon. After PARK_AFTER it is parked, that is taken
    out of aiohttp, and the handler's own response is not sent; if the connection cannot be parked the handler waits on. A poll followed by another
    request on the same connection is answered at once, because that request is only handled after it.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._until: deque[tuple[float, OmegleClient, Poll]] = deque()
        self._fresh: deque[tuple[float, HeldPoll]] = deque()
        self._unparked: dict[HeldPoll, tuple[OmegleClient, PollConnection]] = {}

    async def hold(self, client: OmegleClient, line: PollConnection, now: float) -> bool:
        """Wait for events of a client; False if this poll is to be answered with an empty list, or by the parked connection."""
        poll = self._held(client, now)
        self._fresh.append((now + PARK_AFTER, poll))
        news = await poll
        if news is not None or client.poll is not poll:
            return news is not False
        if line.goes_on():
            client.poll = None
            return False
        parked = line.park()
        if client.moved:  # parking gives the sessions a turn, in which this one may have left
            if parked is not None:
                parked.set_result(False)
            return False
        if parked is None:
            return await self._unparkable(client, line, now)
        client.poll = parked
        self._until.append((now + self._patience, client, parked))
        client.wake()
        return False

    async def first(self, client: OmegleClient) -> None:
        """Wait until a new client has its first event or is gone, at most `FIRST_EVENTS_S`; its id is not known to the client yet."""
        poll: HeldPoll = self._loop.create_future()
        client.poll = poll
        timer = self._loop.call_later(FIRST_EVENTS_S, client.release, False)
        try:
            await poll
        finally:
            timer.cancel()
            if client.poll is poll:
                client.poll = None

    async def _unparkable(self, client: OmegleClient, line: PollConnection, now: float) -> bool:
        """Wait on in the handler."""
        poll = self._held(client, now)
        self._unparked[poll] = client, line
        try:
            return await poll is not False
        finally:
            del self._unparked[poll]

    def _held(self, client: OmegleClient, now: float) -> HeldPoll:
        poll: HeldPoll = self._loop.create_future()
        client.poll = poll
        self._until.append((now + self._patience, client, poll))
        return poll

    def tick(self, now: float) -> list[OmegleClient]:
        """Park polls and answer those whose time is over; call it once a second. Returns the clients whose connection is gone."""
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
