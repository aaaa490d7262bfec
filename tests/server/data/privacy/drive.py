"""Drive a real server with users who carry markers in everything that they send, and collect every sink.

Each user comes from an address of their own (127.a.b.c), with a cookie that the server set, and has markers for interests, texts, notes, header
fields and query strings. Answers to the user themselves are no sink; answers to a partner, to anyone with a link, or to anyone at all are.
**Invariant:** no marker appears by chance.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.server.data.privacy.scanner import Marker
from tests.server.site.web.servers import ROOT, WIDE
from tests.support.forkserver import START

STORES = "SERENDIP_STORE__ENABLED"
PATIENCE = 30.0  # seconds for an answer: a bound, on a machine that starts databases meanwhile


class Running:
    """`serendip serve` whose every line on standard error is kept. `before`: what its command line begins with; `at`: its port."""

    def __init__(self, data: Path, log: Path, before: Sequence[str] = (), *, at: str = "0", **settings: str) -> None:
        command = [*before, sys.executable, "-c", START, "serve", "--port", at, "--data", str(data)]
        wide = {
            **WIDE,
            "SERENDIP_METRICS__ENABLED": "true",
            "SERENDIP_METRICS__PORT": "0",
            "SERENDIP_LOG__LEVEL": "debug",
        }
        self.log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **wide, **settings}, stderr=out, stdout=out
            )
        self.port = self.metrics = 0
        self.stores = settings.get(STORES) != "false"

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until connections are taken and the store is open: where a busy machine needs more than a second for that, the one does not wait
        for the other, and nothing is saved until then."""
        opened = not self.stores
        while not (self.port and opened):
            assert self._process.poll() is None, self.log.read_text()
            for line in self.log.read_text().splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("event") == "metrics.ready":
                    self.metrics = event["port"]
                if event.get("event") == "server.ready":
                    self.port = event["port"]
                opened = opened or event.get("event") == "store.opened"
            await asyncio.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(20)


@dataclass
class Sinks:
    """What others were sent, by place: the partner, who has the link, anybody."""

    bodies: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def put(self, place: str, body: bytes | str) -> None:
        """Keep a body."""
        self.bodies[place].append(body.encode() if isinstance(body, str) else body)


class Person:
    """One browser or program, with markers."""

    def __init__(self, name: str, address: str, port: int, sinks: Sinks) -> None:
        self.name = name
        self.address = address
        self.base = f"http://127.0.0.1:{port}"
        self.sinks = sinks
        self.cookie = ""
        self.url = self.delete = self.token = self.domain = self.proof = self.receipt = self.notice = ""
        self.key = self.code = self.ticket = self.pair = ""
        self._socket: Any = None
        headers = {"User-Agent": self.mark("agent"), "Referer": f"http://x.example/{self.mark('referer')}"}
        headers["Accept-Language"] = f"en-x-{self.mark('tongue').lower()}"
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=(address, 0)),
            headers=headers,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
        )

    def mark(self, item: str) -> str:
        """This person's marker of an item."""
        return f"mk{item.capitalize()}{self.name.upper()}7{sum(map(ord, item + self.name)) * 7919:x}"

    @property
    def host(self) -> str:
        """The address that this person's video names."""
        return f"198.18.{ord(self.name)}.{ord(self.name) + 77}"

    def markers(self) -> list[Marker]:
        """All of this person's markers."""
        items = [
            "agent",
            "referer",
            "tongue",
            "shared",
            "private",
            "talk",
            "note",
            "bad",
            "path",
            "question",
            "randid",
            "mail",
            "writer",
            "letter",
            "ufrag",
            "plea",
            "about",
            "words",
            "contact",
            "asked",
            "reach",
            "reply",
            "photo",
        ]
        found = [Marker(item, self.name, self.mark(item)) for item in items]
        found += [Marker("address", self.name, self.address), Marker("host", self.name, self.host)]
        for item, value in (
            ("identity", self.cookie),
            ("log_url", self.url),
            ("log_secret", self.delete),
            ("token", self.token),
            ("domain", self.domain),
            ("proof", self.proof),
            ("receipt", self.receipt),
            ("receipt", self.notice),
            ("key", self.key),
            ("code", self.code),
            ("ticket", self.ticket),
            ("pair", self.pair),
        ):
            if value:
                found.append(Marker(item, self.name, value.rpartition("/")[2]))
        return found

    async def visit(self) -> None:
        """The page, which sets the cookie."""
        async with self.http.get(self.base + "/") as answer:
            self.cookie = answer.cookies["id"].value
            self.sinks.put("cookie", f"id={self.cookie}")

    async def get(self, path: str, place: str, **headers: str) -> tuple[int, bytes]:
        """A GET whose answer is a sink."""
        async with self.http.get(self.base + path, headers=headers) as answer:
            body = await answer.read()
            self.sinks.put(place, body + repr(sorted(answer.headers.items())).encode())
            return answer.status, body

    async def connect(self) -> None:
        """A WebSocket."""
        self._socket = await self.http.ws_connect(self.base + "/ws")
        hello = await self.hear("hello")
        self.token = hello["token"]

    async def say(self, **frame: Any) -> None:
        """Send a frame."""
        await self._socket.send_str(json.dumps(frame))

    async def raw(self, text: str) -> None:
        """Send anything."""
        await self._socket.send_str(text)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of a type; all frames on the way are sinks: what is in them, this person was sent."""
        while True:
            frame = await asyncio.wait_for(self._socket.receive_str(), PATIENCE)
            self.sinks.put(f"user:{self.name}", frame)
            found: dict[str, Any] = json.loads(frame)
            if found["type"] == kind:
                return found

    async def drop(self) -> None:
        """The connection breaks."""
        self._socket._response.connection.transport.abort()

    async def close(self) -> None:
        """Go."""
        if self._socket is not None:
            await self._socket.close()
        await self.http.close()
        await asyncio.sleep(0)
