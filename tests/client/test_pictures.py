"""Test the client's answers to `snap`, against a server that sends nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from serendip_client import Client, Shown, Snap, Veil
from serendip_client.events import Upload
from serendip_client.pictures import Answers, nothing

NONCE = "n" * 22
HELLO = {"type": "hello", "session": "1", "token": "t", "online": 1, "grace": 15}
SNAP = {"type": "snap", "nonce": NONCE, "tiles": 3, "gap": 250, "mine": True, "within": 8}
ASKED = Snap(NONCE, 3, 250, True, 8)


class Asking:
    """A server that greets, sends what it is told to, and keeps what comes."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.posted: asyncio.Queue[tuple[str, str, bytes]] = asyncio.Queue()
        self.sends: list[dict[str, Any]] = []
        self.status = 204
        self.statuses: list[int] = []  # of pictures for the partner, in order
        self.keys = (f"{number:022}" for number in range(9))

    async def ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for frame in (HELLO, *self.sends):
            await socket.send_str(json.dumps(frame))
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                frame = json.loads(message.data)
                self.frames.put_nowait(frame)
                if frame["type"] == "picture":
                    upload = {"type": "upload", "id": frame["id"], "key": next(self.keys), "within": 30}
                    await socket.send_str(json.dumps(upload))
        return socket

    async def sent(self, request: web.Request) -> web.Response:
        self.posted.put_nowait((request.path, request.headers["Content-Type"], await request.read()))
        status = self.statuses.pop(0)
        if not status and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status or 204)

    async def snap(self, request: web.Request) -> web.Response:
        self.posted.put_nowait((request.path, request.headers["Content-Type"], await request.read()))
        return web.Response(status=self.status)


@pytest.fixture
async def asking() -> AsyncIterator[tuple[Asking, str]]:
    """The server, and its address."""
    stub = Asking()
    app = web.Application()
    app.router.add_get("/ws", stub.ws)
    app.router.add_post("/api/snap/{nonce}/{what}", stub.snap)
    app.router.add_post("/api/picture/{key}", stub.sent)
    server = TestServer(app)
    await server.start_server()
    yield stub, f"ws://127.0.0.1:{server.port}/ws"
    await server.close()


async def test_without_a_callback_it_says_that_there_is_no_camera_and_tells_who_listens(
    asking: tuple[Asking, str],
) -> None:
    stub, url = asking
    stub.sends = [SNAP, {"type": "veil", "on": True, "why": "nudity"}]
    async with Client(url) as me:
        assert await me.next(Snap) == ASKED
        assert await me.next(Veil) == Veil(True, "nudity")
        assert await stub.frames.get() == {"type": "nosnap", "nonce": NONCE, "why": "camera"}
    assert stub.posted.empty()


@pytest.mark.parametrize(
    ("shown", "posts", "says"),
    [
        (Shown(b"strip", b"tile"), {"mine": b"tile", "theirs": b"strip"}, []),
        (Shown(b"strip", None), {"theirs": b"strip"}, ["camera"]),
        (Shown(None, b"tile", "early"), {"mine": b"tile"}, ["early"]),
        (Shown(why="hidden"), {}, ["hidden"]),
    ],
)
async def test_what_the_callback_gives_is_posted_and_what_is_missing_is_said(
    asking: tuple[Asking, str], shown: Shown, posts: dict[str, bytes], says: list[str]
) -> None:
    stub, url = asking
    stub.sends = [SNAP]

    async def camera(asked: Snap) -> Shown:
        assert asked == ASKED
        return shown

    async with Client(url, pictures=camera):
        for name in posts:
            assert await stub.posted.get() == (f"/api/snap/{NONCE}/{name}", "image/jpeg", posts[name])
        for why in says:
            assert await stub.frames.get() == {"type": "nosnap", "nonce": NONCE, "why": why}
    assert (stub.posted.empty(), stub.frames.empty()) == (True, True)


async def test_a_callback_that_fails_or_a_picture_that_is_refused_costs_nothing_else(
    asking: tuple[Asking, str],
) -> None:
    stub, url = asking
    stub.sends = [SNAP, {**SNAP, "mine": False}, {"type": "pong"}]
    stub.status = 404
    calls = 0

    async def camera(asked: Snap) -> Shown:
        nonlocal calls
        calls += 1
        if asked.mine:
            raise RuntimeError("no camera today")
        return Shown(b"strip", b"not asked for")

    async with Client(url, pictures=camera) as me:
        assert (await stub.posted.get())[2] == b"strip"
        await me.ping()
        assert await stub.frames.get() == {"type": "ping"}
        assert calls == 2
    assert stub.posted.empty()


@pytest.mark.parametrize("statuses", [[404, 415], [404, 404], [415]])
async def test_a_picture_whose_key_is_gone_is_sent_once_more_and_a_refused_one_is_not(
    asking: tuple[Asking, str], statuses: list[int]
) -> None:
    stub, url = asking
    stub.statuses = [*statuses]
    async with Client(url) as me:
        id = await me.send_picture(b"picture")
        for number in range(len(statuses)):
            assert await stub.frames.get() == {"type": "picture", "id": id}
            assert await stub.posted.get() == (f"/api/picture/{number:022}", "image/jpeg", b"picture")
        await me.next(Upload)
        await me.ping()
        assert await stub.frames.get() == {"type": "ping"}
    assert (stub.frames.empty(), stub.posted.empty(), stub.statuses) == (True, True, [])


@pytest.mark.parametrize("statuses", [[204, 204], [0, 204]], ids=["no result", "the upload was cut"])
async def test_a_picture_without_a_result_is_sent_once_more(
    asking: tuple[Asking, str], monkeypatch: pytest.MonkeyPatch, statuses: list[int]
) -> None:
    monkeypatch.setattr("serendip_client.pictures.CHECKED_WITHIN", 0.0)
    stub, url = asking
    stub.statuses = [*statuses]
    async with Client(url) as me:
        id = await me.send_picture(b"picture")
        for _ in range(2):
            assert await stub.frames.get() == {"type": "picture", "id": id}
            await stub.posted.get()
    assert stub.frames.empty()


async def test_who_closes_meanwhile_answers_no_more(asking: tuple[Asking, str]) -> None:
    stub, url = asking
    stub.sends = [SNAP]
    begun, over = asyncio.Event(), asyncio.Event()

    async def camera(_: Snap) -> Shown:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            over.set()
        return Shown()

    async with Client(url, pictures=camera):
        await begun.wait()
    assert over.is_set()


@pytest.mark.parametrize(
    ("url", "base"),
    [("ws://host:8080/ws", "http://host:8080/api/snap/"), ("wss://host/ws", "https://host/api/snap/")],
)
async def test_pictures_go_to_the_host_of_the_socket(url: str, base: str) -> None:
    async def refuse(_: str, __: str) -> None: ...

    assert Answers(url, None, refuse)._base == base
    assert await nothing(ASKED) == Shown(None, None, "camera")
