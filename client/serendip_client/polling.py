"""Speak to the server by HTTP requests (long polling), for networks with a proxy that does not pass on WebSockets.

Requests are numbered, so that one which a proxy sends twice has one effect. **Invariant:** a request without an answer ends the connection, so that
the session is resumed and nothing is lost.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp
from yarl import URL

POLL_WITHIN: Final = 40.0  # seconds for a poll, which the server holds for 25
SEND_WITHIN: Final = 10.0
FRAMES_MAX: Final = 64  # of one request
BODY_MAX: Final = 60_000  # bytes of one request, but for a frame that is longer by itself
CUT: Final = 1006
PONG: Final = aiohttp.WSMessage(aiohttp.WSMsgType.PONG, b"", None)


async def is_served(
    http: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None, within: float = SEND_WITHIN
) -> bool:
    """Whether the server would accept a WebSocket of this client at this address now: then something between here and it does not pass them on."""
    with suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
        place = URL(url).with_scheme(_scheme(url))
        async with (
            asyncio.timeout(within),
            http.get(place.with_path("/api/why").with_query(None), headers=headers) as answer,
        ):
            told = await answer.json()
            return isinstance(told, dict) and told.get("status") == 101 and told.get("path") == place.path
    return False


def _scheme(url: str) -> str:
    return "https" if url.startswith(("wss:", "https:")) else "http"


class PollSocket:
    """Connection by HTTP requests, with the part of aiohttp's ClientWebSocketResponse that `Connection` and `Client` use."""

    def __init__(self, http: aiohttp.ClientSession, place: URL, headers: Mapping[str, str] | None) -> None:
        self.closed = False
        self.close_code: int | None = None
        self._http = http
        self._place = place
        self._headers = headers
        self._read: deque[aiohttp.WSMessage] = deque()
        self._news = asyncio.Event()  # something to read, the end, or a poll that is over
        self._after = 0
        self._number = 0
        self._unsent: list[bytes] = []
        self._pings = False
        self._sending: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[Any] | None = None

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None) -> "PollSocket":
        """Open a connection to the server of the WebSocket address `url`. Raises aiohttp.ClientError, TimeoutError."""
        place = URL(url).with_scheme(_scheme(url))
        async with (
            asyncio.timeout(SEND_WITHIN),
            http.post(place.with_path("/api/poll").with_query(place.query), headers=headers) as answer,
        ):
            answer.raise_for_status()
            told = None
            with suppress(ValueError):
                told = await answer.json()
        if not isinstance(told, dict) or not isinstance(id := told.get("id"), str):
            raise aiohttp.ClientError("it does not speak serendip.v1")
        return cls(http, place.with_path(f"/api/poll/{id}").with_query(None), headers)

    async def send_frame(self, frame: bytes, _type: aiohttp.WSMsgType) -> None:
        """Send a text. Raises ConnectionResetError if the connection has ended."""
        self._unsent.append(frame)
        self._send_soon()

    async def ping(self) -> None:
        """Send an empty request; its answer is a pong. Raises ConnectionResetError if the connection has ended."""
        self._pings = True
        self._send_soon()

    async def pong(self, _: bytes) -> None:
        """Do nothing: the server's pings do not come here."""

    def _send_soon(self) -> None:
        if self.closed:
            raise ConnectionResetError("the connection has ended")
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            await asyncio.sleep(0)  # what is sent in one turn is one request
            while (self._unsent or self._pings) and not self.closed:
                pings, self._pings = self._pings, False
                frames: list[bytes] = []
                while (
                    self._unsent
                    and len(frames) < FRAMES_MAX
                    and (not frames or sum(map(len, frames)) + len(self._unsent[0]) < BODY_MAX)
                ):
                    frames.append(self._unsent.pop(0))
                self._number += 1
                await self._post({"number": str(self._number)}, frames)
                if pings:
                    self._put(PONG)
        except (aiohttp.ClientError, OSError, TimeoutError):
            self._end(CUT)
        finally:
            self._sending = None

    async def _post(self, query: dict[str, str], frames: list[bytes]) -> None:
        place = self._place.with_query(query)
        async with (
            asyncio.timeout(SEND_WITHIN),
            self._http.post(place, data=b"\n".join(frames), headers=self._headers) as answer,
        ):
            answer.raise_for_status()

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:  # noqa: ASYNC109 - as aiohttp's
        """Return the next text or pong, or CLOSED. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not self._read and not self.closed:
                self._news.clear()
                if self._polling is None:
                    self._polling = asyncio.get_running_loop().create_task(self._poll())
                await self._news.wait()
        if self._read:
            return self._read.popleft()
        return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)

    def _put(self, *messages: aiohttp.WSMessage) -> None:
        self._read.extend(messages)
        self._news.set()

    async def _poll(self) -> None:
        try:
            place = self._place.with_query({"after": str(self._after)})
            async with asyncio.timeout(POLL_WITHIN), self._http.get(place, headers=self._headers) as answer:
                answer.raise_for_status()
                told = await answer.json()
            if told["number"] != self._after:
                self._after = told["number"]
                texts = map(json.dumps, told["frames"])
                self._put(*(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, text, None) for text in texts))
            if "closed" in told:
                self._end(told["closed"])
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError):
            self._end(CUT)
        finally:
            self._polling = None
            self._news.set()

    def abort(self) -> None:
        """End it at once, as a connection that was cut."""
        self._end(CUT)

    def _end(self, code: int) -> None:
        if not self.closed:
            self.closed, self.close_code = True, code
        if self._polling is not None:
            self._polling.cancel()
        self._news.set()

    async def close(self, *, code: int = 1000) -> bool:
        """Close with `code`; 1000: the user leaves for good."""
        if self.closed:
            return False
        self._end(code)
        if (sending := self._sending) is not None:
            await asyncio.wait([sending], timeout=SEND_WITHIN)
        self._number += 1
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            await self._post({"number": str(self._number), "close": str(code)}, self._unsent)
        return True
