"""Provide a server for tests of programs that use the client: a scripted stranger, drops, resumes and refusals.

    async with FakeServer() as server, Client(server.url, backoff=Backoff(first=0.0)) as me:
        await me.find(interests=["tea"])
        stranger = await server.meet()
        await stranger.say("hello")

It listens on a free port of the loopback interface, and speaks `serendip.v1` as far as a test needs. `serendip-client/testing` is the same in
JavaScript.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp
from aiohttp import web

Frame = dict[str, Any]
_PLAIN: Final[Mapping[str, Frame]] = {
    "ping": {"type": "pong"},
    "report": {"type": "reported"},
    "save": {"type": "saved", "url": "/log/fake", "delete": "/log/delete/fake"},
    "block": {"type": "blocked", "token": "fake"},
    "here": {"type": "here", "pairs": []},
}


class Stranger:
    """Partner of the client in one chat."""

    def __init__(self, server: "FakeServer", chat: str) -> None:
        self.chat = chat
        self.heard: asyncio.Queue[str] = asyncio.Queue()  # what the client says, in order
        self.typed = False  # whether the client types
        self.left = asyncio.Event()  # the client left
        self._server = server

    async def say(self, text: str) -> None:
        """Say a line. Raises RuntimeError if the chat is over."""
        await self._server.relay(self.chat, text)

    async def typing(self, typing: bool) -> None:
        """Type, or stop."""
        await self._server.tell({"type": "typing", "typing": typing})

    async def leave(self, by: str = "stranger") -> None:
        """End the chat; `by`: as in `left`."""
        await self._server.over(by)

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


class FakeServer:
    """Server of one client. `raw`: it answers nothing by itself; the test takes the client's frames (`next`) and calls `tell`."""

    def __init__(self, *, raw: bool = False) -> None:
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.refuses = 0  # HTTP status with which handshakes are refused; 0: none
        self.url = ""
        self._raw = raw
        self._socket: web.WebSocketResponse | None = None
        self._open = asyncio.Event()
        self._searched = asyncio.Event()
        self._find: Frame | None = None
        self._chat: _Chat | None = None
        self._refusals: list[Frame] = []
        self._tokens: list[str] = []  # of the session
        self._connections = self._chats = 0
        self._greeted = False
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "FakeServer":
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/ws"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    # what a test does

    async def connected(self) -> None:
        """Wait for a connection."""
        await self._open.wait()

    async def next(self) -> Frame:
        """Wait for the next frame of the client, if `raw`."""
        return await self.frames.get()

    async def tell(self, frame: Frame) -> None:
        """Send a frame; it is lost without a connection."""
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
        """End the connection; with 1006 as a network does. The client comes back."""
        socket, self._socket = self._socket, None
        self._open.clear()
        if socket is None:
            return
        if code != 1006:
            await socket.close(code=code)
        elif (transport := socket._req.transport if socket._req is not None else None) is not None:
            transport.abort()

    def forget(self) -> None:
        """Forget the session: the next resume fails."""
        self._chat = self._find = None
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
        """End the chat for the client."""
        self._chat = None
        await self.tell({"type": "left", "by": by})

    # the connection

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            return web.Response(status=self.refuses, text="refused by the test")
        socket = web.WebSocketResponse(protocols=("serendip.v1",))
        await socket.prepare(request)
        self._socket, self._greeted = socket, False
        self._open.set()
        if not self._raw:
            self._connections += 1
            token = f"t{self._connections}"
            self._tokens.append(token)
            await self.tell({"type": "hello", "session": "s", "token": token, "online": 2, "grace": 15})
            self._greeted = True
        async for packet in socket:
            if packet.type is aiohttp.WSMsgType.TEXT:
                await self._hear(packet.json())
        if self._socket is socket:
            self._socket = None
            self._open.clear()
        if socket.close_code == 1000 and self._chat is not None:
            self._end()
        return socket

    def _end(self) -> None:
        if self._chat is not None:
            self._chat.stranger.left.set()
        self._chat = self._find = None
        self._searched.clear()

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
        else:
            await self._act(kind, frame)

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
            await self.tell({"type": "error", "code": "no_chat", "message": "There is no chat.", "of": "message", **id})
            return
        self._chat.seq += 1
        self._chat.stranger.heard.put_nowait(frame["text"])
        if id:
            await self.tell({"type": "sent", **id, "seq": self._chat.seq})

    async def _resume(self, frame: Frame) -> None:
        if frame["token"] not in self._tokens:
            await self.tell({"type": "error", "code": "no_session", "message": "No such session.", "of": "resume"})
            return
        chat = self._chat
        missed = [line for line in chat.lines if line["seq"] > frame.get("last", 0)] if chat is not None else []
        told: Frame = {"chat": None, "seq": 0, "taken": 0}
        if chat is not None:
            told = {**chat.frame, "seq": chat.seq, "taken": chat.taken, "refused": chat.refused}
        await self.tell({**told, "type": "resumed", "missed": len(missed)})
        for line in missed:
            await self.tell(line)
