"""A real server of several processes. Rule: whatever happens, no process stays behind."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import aiohttp

from serendip_client.client import Client
from serendip_client.events import Matched, Message
from serendip_client.pictures import Camera
from tests.server.site.web.servers import ROOT, WIDE
from tests.support.forkserver import START
from tests.support.groups import may_start

BASE = {
    **WIDE,
    "SERENDIP_LIMITS__ENABLED": "false",
    "SERENDIP_SAFETY__MODERATED": "true",
    "SERENDIP_SERVER__PROXIES": "127.0.0.1",  # so that each person has a network of their own
}


class Host:
    """`serendip serve` with workers. `start`: Python that calls it."""

    def __init__(self, folder: Path, workers: int, start: str = START, **settings: str) -> None:
        may_start()
        self.data, self._log = folder / "data", folder / "log"
        command = [sys.executable, "-c", start, "serve", "--port", "0", "--data", str(self.data)]
        environment = {**os.environ, **BASE, "SERENDIP_WORKERS": str(workers), **settings}
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=out, stdout=out)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's lines of one event."""
        whole = self._log.read_text().split("\n")[:-1]  # the last may be under way
        lines = [json.loads(line) for line in whole if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    async def told(self, name: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait for an event with these fields to be logged so many times; the last."""
        async with asyncio.timeout(40):
            while True:
                found = [line for line in self.events(name) if fields.items() <= line.items()]
                if len(found) >= count:
                    return found[count - 1]
                assert self._process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.02)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.events("server.ready")[0]["port"])

    @property
    def supervisor(self) -> int:
        """Its pid."""
        return self._process.pid

    def pid(self, process: str) -> int:
        """Of the newest process of this name."""
        return int([line for line in self.events("process.ready") if line["process"] == process][-1]["pid"])

    def hold(self, process: str) -> None:
        """It does nothing, until `go_on` or `kill`."""
        os.kill(self.pid(process), signal.SIGSTOP)

    def go_on(self, process: str) -> None:
        """The other way."""
        os.kill(self.pid(process), signal.SIGCONT)

    def kill(self, process: str) -> None:
        """At once."""
        os.kill(self.pid(process), signal.SIGKILL)

    def rows(self, query: str) -> list[Any]:
        """What the database says."""
        with closing(sqlite3.connect(f"file:{self.data / 'serendip.db'}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    async def until(self, query: str, expected: list[Any]) -> None:
        """Wait until the database says this."""
        found: list[Any] = []
        try:
            async with asyncio.timeout(20):
                while (found := self.rows(query)) != expected:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{query}: {found}") from None

    def command(self, *words: str) -> str:
        """A command of `serendip safety` that looks at somebody; what it prints."""
        looks = ("--operator", "ada", "--why", "a test") if words[0] != "cases" else ()
        command = [sys.executable, "-c", START, "safety", *words, "--data", str(self.data), *looks]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    async def get(self, http: aiohttp.ClientSession, path: str) -> tuple[int, str]:
        """(status, body) of a page; its connection ends with it."""
        headers = {"Connection": "close"}
        async with http.get(f"http://127.0.0.1:{self.port}{path}", headers=headers) as answer:
            return answer.status, await answer.text()

    async def end(self) -> int:
        """As an operator ends it; its status."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 40)

    def destroy(self) -> None:
        """Nothing stays."""
        pids = {int(line["pid"]) for line in self.events("process.ready")} if self._process.poll() is None else set()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(20)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def hosting(folder: Path, workers: int = 2, start: str = START, **settings: str) -> AsyncIterator[Host]:
    """A host that serves."""
    host = await asyncio.to_thread(Host, folder, workers, start, **settings)
    try:
        await host.told("server.ready")
        for process in ("hub", "frontend", *(f"worker {number + 1}" for number in range(workers))):
            await host.told("process.ready", process=process)  # each says so by itself
        if settings.get("SERENDIP_STORE__ENABLED") != "false":
            await host.told("store.opened")  # nothing is saved until then
        yield host
    finally:
        await asyncio.to_thread(host.destroy)


def client(host: Host, cookie: str, pictures: Camera | None = None) -> Client:
    """Somebody by their cookie, from a network that follows from it; `pictures`: what they give of cameras."""
    headers = {"Cookie": f"id={cookie}", "X-Forwarded-For": f"192.0.2.{sum(cookie.encode()) % 250}"}
    return Client(f"ws://127.0.0.1:{host.port}/ws", headers=headers, pictures=pictures, solves=False)


@asynccontextmanager
async def apart(host: Host, cookies: tuple[str, str]) -> AsyncIterator[tuple[Client, Client]]:
    """Two people, by their cookies, who come to a worker each."""
    first, second = (client(host, cookie) for cookie in cookies)
    host.hold("worker 1")
    async with first:
        host.go_on("worker 1")
        host.hold("worker 2")
        async with second:
            host.go_on("worker 2")
            yield first, second


async def meet(one: Client, two: Client, topic: str, *lines: str) -> None:
    """They chat; the second says these lines."""
    await asyncio.gather(one.find([topic]), two.find([topic]))
    await asyncio.gather(one.next(Matched), two.next(Matched))
    for line in lines:
        await two.say(line)
        await one.next(Message)
