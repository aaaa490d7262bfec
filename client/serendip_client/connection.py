"""One connection after the other, to the end of the last.

Rule: it knows when to come back, when to wait, and when to give up; what the frames say is its owner's.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from serendip_client import ending
from serendip_client.backoff import Backoff
from serendip_client.ending import Ending

FRAME_MAX: Final = 1 << 20  # bytes: the server's longest frame is a message of 2,000 characters, or a signal
CONNECT_WITHIN: Final = 30.0  # seconds from the first packet to a WebSocket
HELLO_WITHIN: Final = 30.0  # seconds to the first frame, which a server of ours sends at once
PATIENCE: Final = 60.0  # seconds without a connection, after which a client gives up

log: Final = logging.getLogger("serendip_client")

Socket = aiohttp.ClientWebSocketResponse
Frame = dict[str, Any]


@dataclass(slots=True)
class Said:
    """What a frame asked for before the connection ends."""

    after: float | None = None  # seconds to stay away
    words: str = ""


@dataclass(slots=True)
class Connection:
    """Where to connect, and how long to try. `patience` None: for ever; what the server asks for is waited beside it."""

    url: str
    headers: dict[str, str] | None = None
    heartbeat: float | None = 20.0
    patience: float | None = PATIENCE
    backoff: Backoff = field(default_factory=Backoff)
    said: Said = field(default_factory=Said)  # of the connection that stands

    async def stay(
        self,
        http: aiohttp.ClientSession,
        opened: Callable[[Socket], Awaitable[None]],
        heard: Callable[[Socket, Frame], Awaitable[None]],
        dropped: Callable[[Ending, float], Awaitable[None]],
    ) -> Ending:
        """Connect and read, again and again. Gives the ending after which nothing is tried; `dropped` hears of the others."""
        clock = asyncio.get_running_loop().time
        since, told = clock(), ""  # the last moment that a connection stood; what was logged
        while True:
            end, stood = await self._once(http, opened, heard)
            if stood:
                since = clock()
            left = float("inf") if self.patience is None else since + self.patience - clock()
            if end.final:
                return end
            if left <= 0:
                return end.given_up(self.patience)
            after = end.after if end.after is not None else min(self.backoff.next(), left)
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

    async def _once(
        self,
        http: aiohttp.ClientSession,
        opened: Callable[[Socket], Awaitable[None]],
        heard: Callable[[Socket, Frame], Awaitable[None]],
    ) -> tuple[Ending, bool]:
        """One connection, from its beginning to its end; and whether it stood."""
        self.said = Said()
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                socket = await http.ws_connect(
                    self.url,
                    headers=self.headers,
                    heartbeat=self.heartbeat,
                    max_msg_size=FRAME_MAX,
                    compress=0,
                    autoclose=False,  # it would answer every code with 1000, which a server takes for "I leave"
                )
        except aiohttp.WSServerHandshakeError as error:
            return await ending.refused(http, self.url, self.headers, error), False
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return ending.unreachable(error), False
        stood = False
        try:
            await opened(socket)
            packet = await socket.receive(HELLO_WITHIN)
            while packet.type is aiohttp.WSMsgType.TEXT:
                await heard(socket, json.loads(packet.data))
                stood = True
                packet = await socket.receive()
        except (ValueError, LookupError, TypeError):
            if stood:
                raise
            return ending.FOREIGN, False
        except TimeoutError:
            return ending.SILENT, False
        finally:
            if not socket.closed:  # RFC 6455, 5.5.1: with the code that came
                await socket.close(code=socket.close_code or aiohttp.WSCloseCode.OK)
        return ending.closed(socket.close_code, self.said.words, self.said.after), stood
