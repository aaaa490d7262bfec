"""The people of a storm, in a process of their own: they meet, are cut all at once, and come back. See `bench.load.storm`."""

import asyncio
import json
import random
import sys
import time
from typing import Any

import orjson

from bench.load.thin import Thin

SHOCK = 0.5  # seconds between the cut and the first who comes back
AT_ONCE = 200  # connects under way while the chats are made


class Person:
    """One of the storm."""

    def __init__(self, number: int, crowd: "Crowd") -> None:
        self.number = number
        self.crowd = crowd
        self.token = ""
        self.next_token = ""
        self.chat = ""
        self.thin: Thin | None = None
        self.again_at = 0.0

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.thin = await loop.create_connection(
            lambda: Thin(self.opened, self.hear, self.lost), "127.0.0.1", self.crowd.port
        )

    def opened(self, thin: Thin) -> None:
        if self.token:
            thin.send(
                b'{"type":"resume","token":"%s","last":0,"chat":"%s"}' % (self.token.encode(), self.chat.encode())
            )
        else:
            thin.send(b'{"type":"find","interests":["storm %d"]}' % (self.number // 2))

    def hear(self, thin: Thin, frame: bytes) -> None:
        body: dict[str, Any] = orjson.loads(frame)
        kind = body["type"]
        if kind == "hello":
            self.next_token = body["token"]
        elif kind == "matched":
            self.token, self.chat = self.next_token, body["chat"]
            self.crowd.one_more()
        elif kind == "resumed":
            self.token = self.next_token
            if body["chat"] == self.chat:
                self.crowd.times.append(time.perf_counter() - self.again_at)
            thin.send(b'{"type":"ping"}')
            self.crowd.one_more()
        elif kind in ("error", "left"):
            self.crowd.trouble.append(frame.decode())
            self.crowd.one_more()

    def lost(self, thin: Thin) -> None:
        """Cut, as is the plan."""


class Crowd:
    """All of the storm."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.people: list[Person] = []
        self.times: list[float] = []
        self.trouble: list[str] = []
        self.count = 0
        self.wanted = 0
        self.reached = asyncio.Event()

    def one_more(self) -> None:
        self.count += 1
        if self.count >= self.wanted:
            self.reached.set()

    async def until(self, count: int, seconds: float) -> None:
        self.wanted = count
        if self.count < count:
            self.reached.clear()
            await asyncio.wait_for(self.reached.wait(), seconds)

    async def meet(self, people: int) -> None:
        """Everybody finds a partner."""
        for first in range(0, people, AT_ONCE):
            batch = [Person(number, self) for number in range(first, min(first + AT_ONCE, people))]
            await asyncio.gather(*(person.connect() for person in batch))
            self.people += batch
            await self.until(len(self.people), 30)

    async def come_back(self, within: float) -> None:
        """Everybody is cut at once, and half a second later each begins to come back, at a random moment."""
        self.count = 0
        dice = random.Random(7)
        for person in self.people:
            if person.thin is not None:
                person.thin.cut()
        await asyncio.sleep(SHOCK)
        print("cut", flush=True)

        async def later(person: Person, delay: float) -> None:
            await asyncio.sleep(delay)
            person.again_at = time.perf_counter()
            await person.connect()

        await asyncio.gather(*(later(person, dice.uniform(0, within)) for person in self.people))
        await self.until(len(self.people), 30)


async def storming(port: int, people: int, within: float) -> None:
    """The storm's process: says when it is ready, waits for a word, says what came of it."""
    crowd = Crowd(port)
    await crowd.meet(people)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await crowd.come_back(within)
    times = sorted(crowd.times)
    result = {
        "back": len(times),
        "trouble": len(crowd.trouble),
        "first_trouble": crowd.trouble[:1],
        "resume_p50_ms": round(times[len(times) // 2] * 1000, 2) if times else None,
        "resume_p99_ms": round(times[len(times) * 99 // 100] * 1000, 2) if times else None,
    }
    print(json.dumps(result), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
