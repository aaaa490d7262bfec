"""Drives a real server with people who carry markers in all that they send, and collects every sink. Rule: nobody's value appears by chance.

Each person comes from an address of their own (127.a.b.c), with a cookie that the server set, and has markers for interests,
texts, notes, header fields and query strings. What goes back to the person themselves is no sink; what a partner, anyone with a link, or
anyone at all is sent, is.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.page.servers import ROOT, START, WIDE
from tests.privacy.scanner import Marker

PATIENCE = 10.0  # seconds for an answer


class Running:
    """`serendip serve` whose every line on standard error is kept."""

    def __init__(self, data: Path, log: Path, **settings: str) -> None:
        command = [sys.executable, "-c", START, "serve", "--port", "0", "--data", str(data)]
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

    async def ready(self) -> None:
        """Wait for the line that says that connections are taken."""
        while not self.port:
            assert self._process.poll() is None, self.log.read_text()
            for line in self.log.read_text().splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("event") == "metrics.ready":
                    self.metrics = event["port"]
                if event.get("event") == "server.ready":
                    self.port = event["port"]
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
        self.url = self.delete = self.token = ""
        self.extra: list[Marker] = []
        self._socket: Any = None
        self._partner = "user"
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

    def markers(self) -> list[Marker]:
        """All of this person's markers."""
        items = (
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
            "broken",
        )
        found = [Marker(item, self.name, self.mark(item)) for item in items]
        found += [Marker("address", self.name, self.address)]
        for item, value in (
            ("identity", self.cookie),
            ("log_url", self.url),
            ("log_secret", self.delete),
            ("token", self.token),
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
            found = json.loads(frame)
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


async def chat(a: Person, b: Person) -> None:
    """Meet by a shared interest, talk, be wrong in every way, report, save, come back, leave."""
    await asyncio.gather(a.connect(), b.connect())
    shared = a.mark("shared")
    await a.say(type="find", interests=[shared, a.mark("private")])
    await b.say(type="find", interests=[shared, b.mark("private")])
    await asyncio.gather(a.hear("matched"), b.hear("matched"))
    for one, other in ((a, b), (b, a)):
        await one.say(type="typing", typing=True)
        await one.say(type="message", text=one.mark("talk"), id="x")
        await other.hear("message")
        await one.hear("sent")
        for wrong in (
            f'{{"type":"{one.mark("bad")}"}}',
            f'{{"type":"message","text":"{one.mark("bad")}',
            f"{one.mark('bad')}",
            '{"type":"message","text":"\\u0001"}',
        ):
            await one.raw(wrong)
            await one.hear("error")
        await one.say(type="report", reason="spam", note=one.mark("note"))
        await one.hear("reported")
    await a.drop()
    await b.hear("partner")
    old = a.token
    a._socket = await a.http.ws_connect(a.base + "/ws")
    await a.say(type="resume", token=old, last=1)
    await a.hear("resumed")
    await a.say(type="save")
    saved = await a.hear("saved")
    a.url, a.delete = saved["url"], saved["delete"]
    await b.say(type="leave")
    await a.hear("left")


async def spy(asker: Person, one: Person, two: Person) -> None:
    """A question is discussed."""
    for who in (asker, one, two):
        await who.connect()
    await asker.say(type="find", role="spy", question=f"What about {asker.mark('question')}?")
    await one.say(type="find", role="discuss")
    await two.say(type="find", role="discuss")
    await asyncio.gather(*(who.hear("matched") for who in (asker, one, two)))
    await one.say(type="message", text=one.mark("talk"))
    await asyncio.gather(two.hear("message"), asker.hear("message"))
    await two.say(type="leave")
    await asyncio.gather(one.hear("left"), asker.hear("left"))


async def omegle(a: Person, b: Person) -> None:
    """Two programs by long polling, their markers in the query string."""
    ids = []
    for who in (a, b):
        query = {
            "randid": who.mark("randid"),
            "topics": json.dumps([a.mark("shared"), who.mark("private")]),
            "lang": "en",
            "firstevents": "1",
        }
        async with who.http.post(who.base + "/start", params=query) as answer:
            body = await answer.text()
            who.sinks.put(f"user:{who.name}", body)
            ids.append(json.loads(body)["clientID"])

    async def until(who: Person, ident: str, word: str) -> None:
        while True:
            async with who.http.post(who.base + "/events", data={"id": ident}) as answer:
                body = await answer.text()
            who.sinks.put(f"user:{who.name}", body)
            if word in body:
                return

    async with a.http.post(a.base + "/send", data={"id": ids[0], "msg": a.mark("talk")}):
        pass
    await asyncio.wait_for(until(b, ids[1], "gotMessage"), PATIENCE)
    async with a.http.post(a.base + "/disconnect", data={"id": ids[0]}):
        pass
    await asyncio.wait_for(until(b, ids[1], "strangerDisconnected"), PATIENCE)


async def pages(a: Person, reader: Person) -> None:
    """Everything that answers by HTTP, and every way to be wrong there."""
    for accept in ("text/html", "text/plain", "application/json"):
        status, _ = await reader.get(a.url, "link", Accept=accept)
        assert status == 200
    await reader.get(a.url + "/remove", "link")
    async with reader.http.post(reader.base + a.url + "/remove") as answer:
        reader.sinks.put("link", await answer.read())
        assert answer.status == 404
    for path in ("/api/status", "/api/config", "/api/privacy", "/privacy", "/healthz", "/readyz", "/rules"):
        status, _ = await reader.get(path, "anyone")
        assert status == 200
    for path in (
        f"/{reader.mark('path')}",
        f"/log/{reader.mark('path')}",
        f"/api/x?q={reader.mark('path')}",
        f"/s/{reader.mark('path')}",
    ):
        status, body = await reader.get(path, "self")
        assert status == 404
        assert reader.mark("path").encode() not in body
