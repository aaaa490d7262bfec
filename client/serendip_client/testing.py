"""Provide a server for tests of programs that use the client: a scripted stranger, drops, resumes, refusals, and a clock that the test moves.

    async with FakeClock() as clock, FakeServer() as server, Client(server.url) as me:
        await me.find(interests=["tea"])
        stranger = await server.meet()
        await stranger.say("hello")
        await stranger.drop()
        await clock.advance(15)     # the grace period is over: `Left` by `lost`

It listens on a free port of the loopback interface, and speaks `serendip.v1` as far as a test needs. `serendip-client/testing` is the same in
JavaScript.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp
from aiohttp import web

from serendip_client.fake_clock import FakeClock

__all__ = ["FakeClock", "FakeServer", "Stranger"]
Frame = dict[str, Any]
_PLAIN: Final[Mapping[str, Frame]] = {
    "ping": {"type": "pong"},
    "here": {"type": "here", "pairs": []},
}
_OF_CHATS: Final[Mapping[str, Frame]] = {  # in a chat, or behind it
    "report": {"type": "reported"},
    "save": {"type": "saved", "url": "/log/fake", "delete": "/log/delete/fake"},
    "block": {"type": "blocked", "token": "fake"},
}


class Stranger:
    """Partner of the client in one chat."""

    def __init__(self, server: "FakeServer", chat: str) -> None:
        self.chat = chat
        self.heard: asyncio.Queue[str] = asyncio.Queue()  # what the client says, in order
        self.typed = False  # whether the client types
        self.left = asyncio.Event()  # the client left, or did not come back
        self._server = server
        self._back_by: asyncio.TimerHandle | None = None
        self._going: asyncio.Task[None] | None = None

    async def say(self, text: str) -> None:
        """Say a line. Raises RuntimeError if the chat is over."""
        await self._server.relay(self.chat, text)

    async def typing(self, typing: bool) -> None:
        """Type, or stop."""
        await self._server.tell({"type": "typing", "typing": typing})

    async def leave(self, by: str = "stranger") -> None:
        """End the chat; `by`: as in `left`."""
        await self._server.over(by)

    async def drop(self) -> None:
        """Lose the connection; the chat ends by `lost` after the server's grace period, unless `come_back` is called before."""
        self._back_by = asyncio.get_running_loop().call_later(self._server.grace, self._lapse)
        await self.tell_away()

    async def come_back(self) -> None:
        """Have a connection again."""
        if self._back_by is not None:
            self._back_by.cancel()
            self._back_by = None
            await self._server.tell({"type": "partner", "state": "back"})

    async def tell_away(self) -> None:
        """Tell the client that the stranger is away, if so, and for how long they may be."""
        if self._back_by is not None:
            within = self._back_by.when() - asyncio.get_running_loop().time()
            await self._server.tell({"type": "partner", "state": "away", "within": round(within, 1)})

    def _lapse(self) -> None:
        self._back_by = None
        self._going = asyncio.get_running_loop().create_task(self.leave("lost"))

    async def hears(self) -> str:
        """Wait for the next line of the client."""
        return await self.heard.get()


class _Chat:
    """Chat of a session: its counts, and the stranger's lines."""

    def __init__(self, frame: Frame, stranger: Stranger) -> None:
        self.frame = frame
        self.stranger = stranger
        self.seq = 0
        self.taken = 0
        self.refused: list[int] = []
        self.lines: list[Frame] = []
        self.over = ""  # `by` of the end that the client was not told


class _Polls:
    """Connection by HTTP requests, as a server holds it."""

    def __init__(self) -> None:
        self.is_open = False
        self._frames: list[Frame] = []
        self._number = 0
        self._code = 0
        self._news = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._news.set()

    def end(self, code: int) -> None:
        self.is_open, self._code = False, code
        self._news.set()

    async def take(self) -> Frame | None:
        """Return the answer of a poll; None: the connection was cut."""
        await self._news.wait()
        if self._code == 1006:
            return None
        self._news.clear()
        frames, self._frames = self._frames, []
        self._number += bool(frames)
        return {"number": self._number, "frames": frames} | ({"closed": self._code} if self._code else {})


class FakeServer:
    """Server of one client. `raw`: it answers nothing by itself; the test takes the client's frames (`next`) and calls `tell`.

    `grace`: seconds in which a dropped client, or stranger, may come back; `blocks`: a proxy refuses WebSockets, and passes HTTP on.
    """

    def __init__(self, *, raw: bool = False, grace: float = 15.0, blocks: bool = False) -> None:
        self.grace = grace
        self._blocks = blocks
        self._polls = _Polls()
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.refuses = 0  # HTTP status with which handshakes are refused; 0: none
        self.url = ""
        self._raw = raw
        self._socket: web.WebSocketResponse | None = None
        self._open = asyncio.Event()
        self._searched = asyncio.Event()
        self._find: Frame | None = None
        self._chat: _Chat | None = None
        self._past = ""  # the chat before
        self._refusals: list[Frame] = []
        self._tokens: list[str] = []  # of the session
        self._connections = self._chats = 0
        self._greeted = False
        self._silent: web.WebSocketResponse | None = None  # a connection that died
        self._runner: web.AppRunner | None = None
        self._back_by: asyncio.TimerHandle | None = None  # of the client, which dropped

    async def __aenter__(self) -> "FakeServer":
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        if self._blocks:
            self.refuses = 403
            app.router.add_get("/api/why", self._why)
            app.router.add_post("/api/poll", self._open_polls)
            app.router.add_get("/api/poll/fake", self._poll)
            app.router.add_post("/api/poll/fake", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/ws"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()
        self._wait_no_longer()
        if self._runner is not None:
            await self._runner.cleanup()

    # what a test does

    async def connected(self) -> None:
        """Wait for a connection."""
        await self._open.wait()

    async def searching(self) -> None:
        """Wait until the client searches."""
        await self._searched.wait()

    async def next(self) -> Frame:
        """Wait for the next frame of the client, if `raw`."""
        return await self.frames.get()

    async def tell(self, frame: Frame) -> None:
        """Send a frame; it is lost without a connection."""
        if self._polls.is_open:
            self._polls.put(frame)
        if self._socket is not None:
            with suppress(ConnectionError):
                await self._socket.send_json(frame)

    async def meet(self, common: list[str] | None = None) -> Stranger:
        """Be the partner of the client's search, now or as soon as it searches."""
        await self._searched.wait()
        self._searched.clear()
        asked, self._find = self._find or {}, None
        self._chats += 1
        chat = f"c{self._chats}"
        stranger = Stranger(self, chat)
        shared = asked.get("interests", []) if common is None else common
        frame = {
            "type": "matched",
            "chat": chat,
            "role": "stranger",
            "common": shared,
            "language": asked.get("language", "en"),
            "side": 1,
        }
        self._chat = _Chat(frame, stranger)
        await self.tell(frame)
        return stranger

    async def drop(self, code: int = 1006) -> None:
        """End the connection; with 1006 as a network does. The client comes back, or its session is forgotten after the grace period."""
        socket, self._socket = self._socket, None
        self._open.clear()
        polls = self._polls.is_open
        self._polls.end(code)
        if socket is not None or polls:
            self._wait_for_return()
        if socket is None:
            return
        if code != 1006:
            await socket.close(code=code)
        elif (transport := socket._req.transport if socket._req is not None else None) is not None:
            transport.abort()

    def silence(self) -> None:
        """Let the connection die without a sign: nothing passes, no ping is answered, and the grace period runs. The client has to notice."""
        self._silent, self._socket = self._socket, None
        self._open.clear()
        self._wait_for_return()

    def forget(self) -> None:
        """Forget the session: the next resume fails."""
        self._wait_no_longer()
        self._chat = self._find = None
        self._past = ""
        self._searched.clear()
        self._tokens.clear()

    def refuse(self, of: str, code: str, **more: Any) -> None:
        """Refuse the next frame of this type."""
        self._refusals.append({"type": "error", "code": code, "message": code, "of": of, **more})

    # what the stranger does

    async def relay(self, chat: str, text: str) -> None:
        """Number a line of the stranger and send it."""
        if self._chat is None or self._chat.frame["chat"] != chat:
            raise RuntimeError("this chat is over")
        self._chat.seq += 1
        line = {"type": "message", "seq": self._chat.seq, "text": text}
        self._chat.lines.append(line)
        if self._greeted:
            await self.tell(line)

    async def over(self, by: str) -> None:
        """End the chat for the client; one that is away learns of it when it is back."""
        if self._chat is not None and (not self._open.is_set() or not self._greeted):
            self._chat.over = by
            return
        self._pass()
        await self.tell({"type": "left", "by": by})

    # the connection

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            return web.Response(status=self.refuses, text="refused by the test")
        socket = web.WebSocketResponse(protocols=("serendip.v1",), autoping=False)
        await socket.prepare(request)
        self._socket, self._greeted = socket, False
        self._open.set()
        await self._greet()
        async for packet in socket:
            if self._silent is socket:
                continue
            if packet.type is aiohttp.WSMsgType.TEXT:
                await self._hear(packet.json())
            elif packet.type is aiohttp.WSMsgType.PING:
                await socket.pong(packet.data)
        if self._socket is socket:
            self._socket = None
            self._open.clear()
            if socket.close_code != 1000:
                self._wait_for_return()
        if socket.close_code == 1000 and self._chat is not None:
            self._end()
        return socket

    async def _greet(self) -> None:
        if not self._raw:
            self._connections += 1
            token = f"t{self._connections}"
            self._tokens.append(token)
            await self.tell({"type": "hello", "session": "s", "token": token, "online": 2, "grace": self.grace})
            self._greeted = len(self._tokens) == 1  # else it resumes first

    def _wait_for_return(self) -> None:
        self._wait_no_longer()
        self._back_by = asyncio.get_running_loop().call_later(self.grace, self._lapse)

    def _wait_no_longer(self) -> None:
        if self._back_by is not None:
            self._back_by.cancel()
            self._back_by = None

    def _lapse(self) -> None:
        """Forget a client that did not come back; its stranger hears that it is gone."""
        self._end()
        self.forget()

    async def _why(self, _: web.Request) -> web.Response:
        return web.json_response({"status": 101, "path": "/ws", "final": False})

    async def _open_polls(self, _: web.Request) -> web.Response:
        self._polls = _Polls()
        self._polls.is_open, self._greeted = True, False
        self._open.set()
        await self._greet()
        return web.json_response({"id": "fake"})

    async def _poll(self, _: web.Request) -> web.Response:
        told = await self._polls.take()
        return web.Response(status=404) if told is None else web.json_response(told)

    async def _take(self, request: web.Request) -> web.Response:
        for line in (await request.text()).splitlines():
            await self._hear(json.loads(line))
        if "close" in request.query:
            self._polls.end(1006)
        return web.Response(status=204)

    def _end(self) -> None:
        if self._chat is not None:
            self._chat.stranger.left.set()
        self._pass()
        self._find = None
        self._searched.clear()

    def _pass(self) -> None:
        """Have the chat behind."""
        if self._chat is not None:
            self._past = self._chat.frame["chat"]
        self._chat = None

    async def _hear(self, frame: Frame) -> None:
        if self._raw:
            self.frames.put_nowait(frame)
            return
        kind = frame["type"]
        refusal = next((one for one in self._refusals if one["of"] == kind), None)
        if kind == "message" and self._chat is not None:
            self._chat.taken += 1
        if refusal is not None:
            self._refusals.remove(refusal)
            if kind == "message" and self._chat is not None:
                self._chat.refused.append(self._chat.taken)
            await self.tell(refusal | ({"id": frame["id"]} if "id" in frame else {}))
        elif kind == "solution":
            await self.tell({"type": "solved", "kind": frame["kind"]})
        elif kind in _PLAIN:
            await self.tell(_PLAIN[kind])
        elif kind in _OF_CHATS:
            await self.tell(_OF_CHATS[kind] if self._knows(frame.get("chat")) else _no_chat(kind))
        else:
            await self._act(kind, frame)

    def _knows(self, chat: str | None) -> bool:
        """Whether a chat is this one or the one before; None: whether there is one of both."""
        known = {self._past, self._chat.frame["chat"] if self._chat is not None else ""} - {""}
        return bool(known) if chat is None else chat in known

    async def _act(self, kind: str, frame: Frame) -> None:
        if kind == "find":
            self._end()
            self._find = frame
            self._searched.set()
            await self.tell({"type": "waiting", "accepts": "good"})
        elif kind == "leave":
            self._end()
        elif kind == "typing" and self._chat is not None:
            self._chat.stranger.typed = frame["typing"]
        elif kind == "message":
            await self._said(frame)
        elif kind == "resume":
            await self._resume(frame)

    async def _said(self, frame: Frame) -> None:
        id = {"id": frame["id"]} if "id" in frame else {}
        if self._chat is None:
            await self.tell(_no_chat("message") | id)
            return
        self._chat.seq += 1
        self._chat.stranger.heard.put_nowait(frame["text"])
        if id:
            await self.tell({"type": "sent", **id, "seq": self._chat.seq})

    async def _resume(self, frame: Frame) -> None:
        if frame["token"] not in self._tokens:
            await self.tell({"type": "error", "code": "no_session", "message": "No such session.", "of": "resume"})
            return
        self._greeted = True
        self._wait_no_longer()
        chat = self._chat
        missed = [line for line in chat.lines if line["seq"] > frame.get("last", 0)] if chat is not None else []
        told: Frame = {"chat": None, "seq": 0, "taken": 0}
        if chat is not None:
            told = {**chat.frame, "seq": chat.seq, "taken": chat.taken, "refused": chat.refused}
        await self.tell({**told, "type": "resumed", "missed": len(missed)})
        for line in missed:
            await self.tell(line)
        if chat is not None and chat.over:
            await self.over(chat.over)
        elif chat is not None:
            await chat.stranger.tell_away()


def _no_chat(of: str) -> Frame:
    return {"type": "error", "code": "no_chat", "message": "There is no chat.", "of": of}
