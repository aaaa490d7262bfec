"""The client of the native protocol: connect, find, listen, say, leave, and come back by itself.

Rule: whoever uses it sees one stream of events, whatever the connection does. Messages arrive once and in order; what
was said is sent again after a resume, or reported by `NotSent`. Every queue is bounded: who does not listen is not
read from.

    async with Client("ws://127.0.0.1:8080/ws") as me:
        await me.find(interests=["chess"])
        async for event in me: ...
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Final

import aiohttp
import orjson

from serendip_client import events
from serendip_client.backoff import Backoff
from serendip_client.events import (
    Closed,
    Dropped,
    Error,
    Event,
    Left,
    Matched,
    Message,
    NotSent,
    Partner,
    Resumed,
    Sent,
    Waiting,
)
from serendip_client.outbox import Line, Outbox

COMES_BACK: Final = frozenset({1001, 1006, 1011, 1012, 1013, 4008})  # protocol.md: after these a client may come back
EVENTS_MAX: Final = 1_000  # unread events; beyond that nothing is read from the socket
OUTBOX_MAX: Final = 150  # unconfirmed messages; the server names the refused among the last 200
FRAME_MAX: Final = 1 << 20  # bytes: the server's longest frame is a message of 2,000 characters, or a signal


class NoChat(Exception):
    """There is no chat to say something in."""


class Client:
    """One person. Use it as `async with`; iterate over it for events until `Closed`."""

    def __init__(
        self,
        url: str,
        *,
        http: aiohttp.ClientSession | None = None,
        backoff: Backoff | None = None,
        headers: dict[str, str] | None = None,
        heartbeat: float | None = 20.0,
    ) -> None:
        self.url = url
        self.chat: Matched | None = None
        self.online = 0
        self.grace = 0.0
        self.connects = 0  # connections that stood
        self._http = http
        self._own_http = http is None
        self._headers = headers
        self._heartbeat = heartbeat
        self._backoff = backoff or Backoff()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ready = asyncio.Event()  # the session stands, and frames may be sent
        self._room = asyncio.Event()
        self._room.set()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._space = asyncio.Event()  # there is room for events, or somebody waits for an answer behind them
        self._blocked = 0  # calls of `say` that wait for answers
        self._outbox = Outbox()
        self._ids = count(1)
        self._token: str | None = None
        self._last = 0
        self.partner_away = False  # the partner is, as far as was told
        self._find: bytes | None = None  # asked, and not answered yet
        self._seeks: bytes | None = None  # what is waited for, should the session be lost
        self._leaving: str | None = None  # the chat that was left; `leave` has no answer
        self._closing = False
        self._ended = False
        self._next_token = ""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Client":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> "Client":
        return self

    async def __anext__(self) -> Event:
        if self._ended:
            raise StopAsyncIteration
        event = await self._events.get()
        if self._events.qsize() < EVENTS_MAX:
            self._space.set()
        self._ended = type(event) is Closed
        return event

    async def next(self, *kinds: type) -> Any:
        """The next event of one of `kinds`; others are passed over. Raises ConnectionError where the end comes first."""
        async for event in self:
            if type(event) in kinds:
                return event
        raise ConnectionError("closed")

    # life

    async def start(self) -> None:
        """Connect, and keep connected, until `close`."""
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._task = asyncio.get_running_loop().create_task(self._stay(self._http))

    async def close(self) -> None:
        """Leave for good: the partner hears it at once."""
        self._closing = True
        if self._socket is not None:
            await self._socket.close(code=1000)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            self._events.put_nowait(Closed(1000, ""))
        if self._own_http and self._http is not None:
            await self._http.close()
            self._http = None

    # what a person does

    async def find(self, interests: Sequence[str] = (), **fields: Any) -> None:
        """Look for a partner; in a chat it leaves it first. `fields`: as in protocol.md, `find`."""
        body: dict[str, Any] = {"type": "find", **fields}
        if interests:
            body["interests"] = list(interests)
        self._find = self._seeks = orjson.dumps(body)
        self._leaving = self._leaving if self.chat is None else self.chat.chat
        await self._over("left")
        await self._send(self._find)

    async def say(self, text: str) -> str:
        """Say something; waits while too much is unconfirmed. Gives the id that `Sent` or `NotSent` will name. Raises NoChat."""
        while len(self._outbox) >= OUTBOX_MAX:
            self._room.clear()
            self._blocked += 1
            self._space.set()
            try:
                await self._room.wait()
            finally:
                self._blocked -= 1
        if self.chat is None:
            raise NoChat
        line = self._outbox.add(f"{next(self._ids):x}", text)
        if self._ready.is_set() and self._socket is not None:
            await self._say(self._socket, line)
        return line.id

    async def typing(self, typing: bool) -> None:
        """Say that one types, or stopped; nothing while away."""
        if self._ready.is_set():
            await self._send(b'{"type":"typing","typing":true}' if typing else b'{"type":"typing","typing":false}')

    async def signal(self, **part: Any) -> None:
        """Send a WebRTC signal: `description`, `candidate` or `media`."""
        await self._send(orjson.dumps({"type": "signal", **part}))

    async def leave(self) -> None:
        """Leave the chat, or stop waiting."""
        self._find = self._seeks = None
        self._leaving = self._leaving if self.chat is None else self.chat.chat
        await self._over("left")
        await self._send(b'{"type":"leave"}')

    async def report(self, reason: str, note: str = "", who: int | None = None) -> None:
        """Report the partner of this chat, or of the last one."""
        await self._send(
            orjson.dumps({"type": "report", "reason": reason, "note": note} | ({} if who is None else {"who": who}))
        )

    async def save(self) -> None:
        """Ask for the log of this chat, or of the last one."""
        await self._send(b'{"type":"save"}')

    async def solve(self, kind: str, response: str) -> None:
        """Answer a challenge."""
        await self._send(orjson.dumps({"type": "solution", "kind": kind, "response": response}))

    async def ping(self) -> None:
        """Ask for a `Pong`."""
        await self._send(b'{"type":"ping"}')

    async def _send(self, frame: bytes) -> None:
        """Send a frame as soon as the session stands; one that meets a drop is lost, `find`, `leave` and `say` excepted."""
        await self._ready.wait()
        if self._socket is not None:
            await self._write(self._socket, frame)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse, frame: bytes) -> None:
        with suppress(ConnectionError, aiohttp.ClientError):
            await socket.send_str(frame.decode())

    async def _say(self, socket: aiohttp.ClientWebSocketResponse, line: Line) -> None:
        self._outbox.number(line)
        text = orjson.dumps(line.text)
        await self._write(socket, b'{"type":"message","text":%s,"id":"%s"}' % (text, line.id.encode()))

    # the connection

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        """Connect and read, again and again, until the end."""
        while True:
            code, after = await self._once(http)
            self._ready.clear()
            self._socket = None
            if self._closing or code not in COMES_BACK:
                await self._put(Closed(code, "" if self._closing else "the server closed for good"))
                return
            delay = self._backoff.next() if after is None else after
            await self._put(Dropped(code, delay))
            await asyncio.sleep(delay)

    async def _once(self, http: aiohttp.ClientSession) -> tuple[int, float | None]:
        """One connection, to its end: the close code, and the seconds that the server asked for."""
        try:
            socket = await http.ws_connect(
                self.url, headers=self._headers, heartbeat=self._heartbeat, max_msg_size=FRAME_MAX, compress=0
            )
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 1006, None
        self._socket = socket
        after: float | None = None
        try:
            if self._token is not None:
                frame = {"type": "resume", "token": self._token, "last": self._last}
                if self.chat is not None:
                    frame["chat"] = self.chat.chat
                await self._write(socket, orjson.dumps(frame))
            async for packet in socket:
                if packet.type is aiohttp.WSMsgType.TEXT:
                    after = await self._hear(socket, orjson.loads(packet.data)) or after
        finally:
            if not socket.closed:
                await socket.close()
        return socket.close_code or 1006, after

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any]) -> float | None:
        """Take in one frame; gives the seconds to stay away where the frame asks for it."""
        kind = frame["type"]
        if kind == "message":
            if self.chat is not None and frame["seq"] > self._last:
                self._last = frame["seq"]
                await self._put(Message(frame["seq"], frame["text"], frame.get("from")))
            return None
        if kind == "hello":
            await self._greeted(frame)
            return None
        if kind == "resumed":
            await self._resumed(socket, frame)
            return None
        read = events.READ.get(kind)
        if read is None:
            return None  # a newer server's frame
        event = read(frame)
        if type(event) is Sent:
            self._settle(event.id)
        elif type(event) is Matched:
            await self._over("left")
            self.chat = event
            self._last = 0
            self._find = self._seeks = self._leaving = None
        elif type(event) is Waiting:
            await self._over("left")
            self._find = self._leaving = None
        elif type(event) is Left:
            if self.chat is None:
                return None  # it crossed the own leaving
            await self._over(event.by)
        elif type(event) is Partner:
            self.partner_away = event.state == "away"
        elif type(event) is Error:
            return await self._refused(socket, event)
        await self._put(event)
        return None

    async def _greeted(self, frame: dict[str, Any]) -> None:
        self.online, self.grace = frame["online"], frame["grace"]
        self.connects += 1
        self._backoff.reset()
        self._next_token = frame["token"]
        if self._token is None:
            self._token = self._next_token
            self._ready.set()
        await self._put(events.READ["hello"](frame))

    async def _resumed(self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any]) -> None:
        """Back in the session: what was missed follows, what was not taken is sent again."""
        self._token = self._next_token
        chat = frame["chat"]
        known = self.chat
        if known is not None and (chat is None or chat != known.chat):
            await self._over("lost")
        if chat is not None:
            if known is None or known.chat != chat:
                self._last = 0
            if chat != self._leaving:
                self.chat = events.matched(frame)
        await self._put(Resumed(chat, frame["missed"]))
        if chat is not None and known is not None and known.chat == chat:
            delivered, refused = self._outbox.resume(frame["taken"], frozenset(frame.get("refused", ())))
            self._room.set()
            for line in delivered:
                await self._put(Sent(line.id, None))
            for line in refused:
                await self._put(NotSent(line.id, line.text, "refused"))
            if self.partner_away:
                # the other may have come back while this side was away; `away` follows where that is not so
                self.partner_away = False
                await self._put(Partner("back", None))
        elif chat is not None and chat != self._leaving:
            # matched, and the frame that said so was lost
            self._find = self._seeks = None
            await self._put(events.matched(frame))
        if self._find is not None:
            await self._write(socket, self._find)
        elif self._leaving is not None and chat == self._leaving:
            await self._write(socket, b'{"type":"leave"}')
        while (unsent := next(self._outbox.unsent(), None)) is not None:
            await self._say(socket, unsent)
        self._ready.set()

    async def _refused(self, socket: aiohttp.ClientWebSocketResponse, event: Error) -> float | None:
        if event.of == "resume" and event.code == "no_session":
            # the server forgot the session: this connection goes on as a new one
            self._token = self._next_token
            in_chat = self.chat is not None
            await self._over("lost")
            self._leaving = None
            if in_chat:
                await self._put(Left("lost"))
            self._ready.set()
            if self._seeks is not None:
                await self._write(socket, self._seeks)
            return None
        if event.of == "message":
            line = self._settle(event.fields.get("id"))
            if line is not None:
                await self._put(NotSent(line.id, line.text, event.code))
        elif event.of == "find":
            self._find = self._seeks = None
        await self._put(event)
        return event.retry_after if event.code in ("restart", "busy", "flood") else None

    def _settle(self, id: str | None) -> Line | None:
        line = self._outbox.settle(id)
        self._room.set()
        return line

    async def _put(self, event: Event) -> None:
        """Hand an event out; waits while too many are unread, unless the reader itself waits for an answer behind them."""
        while self._events.qsize() >= EVENTS_MAX and not self._blocked:
            self._space.clear()
            await self._space.wait()
        self._events.put_nowait(event)

    async def _over(self, by: str) -> None:
        """The chat is over: what never arrived is told."""
        if self.chat is not None:
            self.chat = None
            self._last = 0
            self.partner_away = False
            for line in self._outbox.empty():
                await self._put(NotSent(line.id, line.text, by))
            self._room.set()
