"""A real server that is upgraded while people are there. Rule: whatever happens, no process stays behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.server.data.privacy.drive import Running
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

FREE = {"SERENDIP_LIMITS__ENABLED": "false"}


class Deployed(Running):
    """`serendip serve`, and what becomes of it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data = folder / "data"
        self.pids: set[int] = set()
        super().__init__(self.data, folder / "log", **{**FREE, **settings})
        self.pids.add(self.pid)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's lines of one event."""
        named = f'"event":"{name}"'  # asked some fifty times a second, of a log that grows: no other line is read
        lines = [
            json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{") and named in line
        ]
        return [line for line in lines if line["event"] == name]

    async def told(self, name: str, count: int = 1) -> dict[str, Any]:
        """Wait for an event to be logged so many times; the last."""
        async with asyncio.timeout(30):
            while len(found := self.events(name)) < count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        return found[count - 1]

    async def upgrade(self, program: Path | None = None) -> tuple[int, dict[str, Any]]:
        """`serendip upgrade`: (status, the last line)."""
        more = ["--program", str(program)] if program else []
        command = [sys.executable, "-c", START, "upgrade", "--json", "--data", str(self.data), *more]
        ran = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        async with asyncio.timeout(120):  # the server's own 60 s decide, and the command has to start
            out, _ = await ran.communicate()
        return ran.returncode or 0, json.loads(out)

    def end(self) -> None:
        """Kill all that ran."""
        self.pids |= {line["pid"] for line in self.events("server.ready")}
        self.stop(signal.SIGKILL)
        for pid in self.pids - {self.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def status(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator does; the status of the process that was started."""
        os.kill(self.pid, how)
        return await asyncio.to_thread(self._process.wait, 30)


@asynccontextmanager
async def deployed(folder: Path, kind: type[Deployed] = Deployed, /, **settings: str) -> AsyncIterator[Deployed]:
    """A server, ready."""
    server = await asyncio.to_thread(lambda: kind(folder, **settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, server.end)
        await server.ready()
        yield server


class Person:
    """A WebSocket client that reads all the time, as a browser does: one that does not answers no ping, and is closed while a test is elsewhere."""

    def __init__(self, http: aiohttp.ClientSession, port: int, at: str = "127.0.0.1") -> None:
        self._http = http
        self._url = f"ws://{at}:{port}/ws"
        self.token = ""

    async def open(self) -> "Person":
        """Connect; `token` is the one to resume by."""
        self.token = (await self.greeted())["token"]
        return self

    async def greeted(self) -> dict[str, Any]:
        """Connect; the `hello`."""
        self.socket = await self._http.ws_connect(self._url, compress=0)
        let_go(self.socket._response)
        self._heard: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(self.socket, self._heard))
        return await self.hear("hello")

    @staticmethod
    async def _read(socket: aiohttp.ClientWebSocketResponse, heard: asyncio.Queue[dict[str, Any] | Exception]) -> None:
        try:
            while True:
                heard.put_nowait(orjson.loads(await socket.receive_str()))
        except Exception as closed:  # noqa: BLE001 - the waiting reader gets it
            heard.put_nowait(closed)

    async def say(self, kind: str, **fields: Any) -> None:
        """Send a frame."""
        await self.socket.send_str(orjson.dumps({"type": kind, **fields}).decode())

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types. Raises what ended the connection."""
        while True:
            async with asyncio.timeout(20):
                frame = await self._heard.get()
            if isinstance(frame, Exception):
                self._heard.put_nowait(frame)
                raise frame
            if frame["type"] in kinds:
                return frame

    def cut(self) -> None:
        """Reset the connection."""
        connection = self.socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()


def let_go(response: aiohttp.ClientResponse) -> None:
    """Close it as soon as its connection is gone, or its session over: else a later test, in whose midst it is collected, would hear of it."""

    def close(lost: asyncio.Future[None]) -> None:
        lost.exception()  # whoever reads there is told
        response.close()

    connection = response.connection
    if connection is not None and connection.protocol is not None and (lost := connection.protocol.closed) is not None:
        lost.add_done_callback(close)


async def people(http: aiohttp.ClientSession, port: int, count: int) -> list[Person]:
    """So many who are connected."""
    return list(await asyncio.gather(*[Person(http, port).open() for _ in range(count)]))


async def meet(http: aiohttp.ClientSession, port: int, word: str, **more: Any) -> tuple[Person, Person]:
    """Two who chat."""
    one, two = await people(http, port, 2)
    for person in (one, two):
        await person.say("find", interests=[word], strict=True, **more)
    await one.hear("matched")
    await two.hear("matched")
    return one, two


class Talk:
    """Two who send each other numbered lines until they are told to stop; each reads what the other said."""

    def __init__(self, one: Person, two: Person, pause: float = 0.005) -> None:
        self.pair = (one, two)
        self._pause = pause
        self._stop = asyncio.Event()
        self.sent = [0, 0]
        self.wrong: list[str] = []
        self.heard = [0, 0]
        self._tasks = [asyncio.create_task(run(side)) for side in (0, 1) for run in (self._talk, self._listen)]

    async def _talk(self, side: int) -> None:
        while not self._stop.is_set():
            self.sent[side] += 1
            await self.pair[side].say("message", text=f"{side} {self.sent[side]}")
            await asyncio.sleep(self._pause)
        await self.pair[side].say("message", text=f"{side} end")

    async def _listen(self, side: int) -> None:
        seq = 0
        while True:
            frame = await self.pair[side].hear("message", "left", "error")
            if frame["type"] != "message":
                self.wrong.append(str(frame))
                return
            if frame["text"].endswith("end"):
                return
            self.heard[side] += 1
            if frame["text"] != f"{1 - side} {self.heard[side]}" or frame["seq"] <= seq:
                self.wrong.append(f"{frame} after {self.heard[side]}")
            seq = frame["seq"]

    async def end(self) -> tuple[int, list[str]]:
        """How many lines arrived, and what was lost, doubled, out of order or cut."""
        self._stop.set()
        for done in await asyncio.gather(*self._tasks, return_exceptions=True):
            if done is not None:
                self.wrong.append(repr(done))
        if self.heard != self.sent[::-1]:
            self.wrong.append(f"sent {self.sent}, heard {self.heard}")
        return sum(self.heard), self.wrong
