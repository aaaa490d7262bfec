"""Keep a WebSocket connection to the server open, and reconnect after a loss until the server refuses for good or the caller closes.

This module decides when to reconnect and when to give up; the caller interprets the frames.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp

from serendip_client import disconnects
from serendip_client.backoff import Backoff
from serendip_client.disconnects import Ending
from serendip_client.heartbeat import ATTEMPT, Heartbeat, Socket, abort
from serendip_client.polling import SEND_WITHIN, PollSocket, is_served

FRAME_MAX: Final = 1 << 20  # bytes; the server's longest frames are a message of 2,000 characters and a signal
CONNECT_WITHIN: Final = (
    30.0  # seconds to an open WebSocket, and then to the first frame, which a Serendip server sends at once
)
PATIENCE: Final = 60.0  # seconds without a connection, after which the client gives up
READ: Final = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG)

log: Final = logging.getLogger("serendip_client")

TOO_MANY: Final = 429  # HTTP status of a refusal by limits
FAILURES: Final = 2  # WebSockets in a row without a frame, after which HTTP requests are tried

Frame = dict[str, Any]


@dataclass(slots=True)
class Said:
    """Values of an `error` frame before the connection closes."""

    after: float | None = None  # seconds to wait before reconnecting
    words: str = ""


@dataclass(slots=True)
class Connection:
    """Server address and patience: seconds without a connection until it gives up, None for never; waits that the server requests are added.

    `heartbeat`: as in Heartbeat. `waits`: seconds for which a partner waits for this client, 0: none does. `blocked`: whether the caller reads no
    events.
    """

    url: str
    waits: Callable[[], float]
    blocked: Callable[[], bool]
    headers: dict[str, str] | None = None
    heartbeat: float | None = 20.0
    patience: float | None = PATIENCE
    backoff: Backoff = field(default_factory=Backoff)
    said: Said = field(default_factory=Said)  # of the current connection
    failures: int = 0  # WebSockets in a row without a frame
    polls: bool = False  # the next connection is made of HTTP requests

    async def stay(
        self,
        http: aiohttp.ClientSession,
        opened: Callable[[Socket], Awaitable[None]],
        heard: Callable[[Socket, Frame], Awaitable[None]],
        dropped: Callable[[Ending, float], Awaitable[None]],
    ) -> Ending:
        """Connect and read, again and again. Return the ending after which no attempt makes sense; earlier ones are passed to `dropped`."""
        clock = asyncio.get_running_loop().time
        since, told = clock(), ""  # the last moment with an open connection; the text last logged
        while True:
            polls, begun, within = self.polls, clock(), self._within(CONNECT_WITHIN)
            end, stood = await self._once(http, opened, heard)
            if stood:
                since = clock()
            end = await self._next_kind(http, end, stood, polls, clock() - begun >= within)
            left = float("inf") if self.patience is None else since + self.patience - clock()
            if end.final:
                return end
            if left <= 0:
                return end.given_up(self.patience)
            after = (
                end.after if end.after is not None else min(self.backoff.next(clock() - since < 2 * self.waits()), left)
            )
            if end.reason != told:
                told = end.reason
                log.log(
                    logging.INFO if stood else logging.WARNING,
                    "%s: %s; trying again in %.1f s",
                    self.url,
                    end.reason,
                    after,
                )
            await dropped(end, after)
            await asyncio.sleep(after)

    async def _next_kind(
        self, http: aiohttp.ClientSession, end: Ending, stood: bool, polls: bool, late: bool
    ) -> Ending:
        """Choose the kind of the next connection; return the ending, which is not final if HTTP requests may succeed.

        Behind one of HTTP requests a WebSocket is tried once more. `late`: nothing answered; that is waited for once. A refusal for a time
        is the server's own: its limits hold for HTTP requests too.
        """
        self.polls = False
        if polls:
            self.failures = FAILURES - 1
            return end
        stood = stood or end.status == TOO_MANY or end.after is not None
        self.failures = 0 if stood else FAILURES if late else self.failures + 1
        if stood or not (end.final or self.failures >= FAILURES):
            return end
        if not await is_served(http, self.url, self.headers, self._within(SEND_WITHIN)):
            return end
        self.polls = self.failures >= FAILURES
        return replace(end, final=False, reason=f"{end.reason}; the server is well, so HTTP requests are tried")

    def _within(self, usual: float) -> float:
        """Return the seconds for a step of connecting: less than usual while a partner waits."""
        return min(usual, self.waits() * ATTEMPT or usual)

    async def _open(self, http: aiohttp.ClientSession) -> Socket:
        if self.polls:
            return await PollSocket.connect(http, self.url, self.headers)
        return await http.ws_connect(
            self.url,
            headers=self.headers,
            max_msg_size=FRAME_MAX,
            compress=0,
            autoclose=False,  # it would answer every code with 1000, which the server reads as "the user left"
            autoping=False,  # the answer to a ping is read here
        )

    async def _once(
        self,
        http: aiohttp.ClientSession,
        opened: Callable[[Socket], Awaitable[None]],
        heard: Callable[[Socket, Frame], Awaitable[None]],
    ) -> tuple[Ending, bool]:
        """Make one connection and read it to its end. Return its ending, and whether it was open."""
        self.said = Said()
        within = self._within(CONNECT_WITHIN)
        try:
            async with asyncio.timeout(within):
                socket = await self._open(http)
        except aiohttp.WSServerHandshakeError as error:
            return await disconnects.refused(http, self.url, self.headers, error), False
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return disconnects.unreachable(error), False
        beat = Heartbeat(socket, self.heartbeat, self.waits, self.blocked)
        stood = False
        try:
            await opened(socket)
            packet = await socket.receive(within)
            while packet.type in READ:
                if packet.type is aiohttp.WSMsgType.TEXT:
                    await heard(socket, json.loads(packet.data))
                    stood = True
                elif packet.type is aiohttp.WSMsgType.PING:
                    with suppress(ConnectionError, aiohttp.ClientError):
                        await socket.pong(packet.data)
                beat.heard()
                packet = await socket.receive()
        except (ValueError, LookupError, TypeError):
            if stood:
                raise
            return disconnects.FOREIGN, False
        except TimeoutError:
            abort(socket)
            return disconnects.SILENT, False
        finally:
            beat.stop()
            if not socket.closed:  # RFC 6455, 5.5.1: echo the received code
                await socket.close(code=socket.close_code or aiohttp.WSCloseCode.OK)
        if beat.silent:
            return disconnects.UNANSWERED, stood
        return disconnects.closed(socket.close_code, self.said.words, self.said.after), stood
