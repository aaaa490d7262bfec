"""A storm: thousands of people in chats lose their connections at once and come back within seconds; what does it cost?.



    python -m bench.load.storm --people 10000 --within 5

The people of the storm live in a process of their own. Beside them, quiet pairs talk all the time, and their
messages' times before and during the storm are compared. Server on processor 0, everything else on processor 1. Fails
unless all are back.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import uvloop

from bench.load.thin import Thin
from bench.server.serving import Serving

QUIET = 50  # pairs that are not cut
PAUSE = 0.02  # seconds between the messages of a quiet pair
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


def as_made(thin: Thin) -> Callable[[], Thin]:
    """A factory for what exists."""
    return lambda: thin


def gone(thin: Thin) -> None:
    """A quiet pair ends with the bench."""


class Meter:
    """Quiet pairs: each side answers, and the way of each message is timed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.times: list[float] = []
        self.sides: list[Thin] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for number in range(QUIET * 2):
            word = number // 2
            matched = loop.create_future()

            def opened(thin: Thin, word: int = word) -> None:
                thin.send(b'{"type":"find","interests":["quiet %d"]}' % word)

            def hear(thin: Thin, frame: bytes, done: asyncio.Future[None] = matched) -> None:
                if frame.startswith(b'{"type":"message"'):
                    self.times.append(time.perf_counter() - float(orjson.loads(frame)["text"]))
                    loop.call_later(PAUSE, self.say, thin)
                elif frame.startswith(b'{"type":"matched"') and not done.done():
                    done.set_result(None)

            thin = Thin(opened, hear, gone)
            await loop.create_connection(as_made(thin), "127.0.0.1", self.port)
            self.sides.append(thin)
            if number % 2:
                await matched
                self.say(thin)

    def say(self, thin: Thin) -> None:
        thin.send(b'{"type":"message","text":"%.6f"}' % time.perf_counter())

    def take(self) -> dict[str, Any]:
        """The times since the last call, in milliseconds."""
        times, self.times = sorted(self.times), []
        cuts = statistics.quantiles(times, n=100)
        return {
            "messages": len(times),
            "p50_ms": round(cuts[49] * 1e3, 2),
            "p99_ms": round(cuts[98] * 1e3, 2),
            "max_ms": round(times[-1] * 1e3, 2),
        }


async def measure(server: Serving, people: int, within: float) -> dict[str, Any]:
    """The whole experiment."""
    meter = Meter(server.port)
    await meter.start()
    cpu, started = server.cpu(), time.perf_counter()
    storm = await asyncio.create_subprocess_exec(
        "nice", sys.executable, "-m", "bench.load.storm", "--child", str(server.port), "--people", str(people),
        "--within", str(within), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    if storm.stdout is None or storm.stdin is None:
        raise RuntimeError("no pipes")
    await storm.stdout.readline()
    meeting_cpu, meeting = server.cpu() - cpu, time.perf_counter() - started
    await asyncio.sleep(1)
    meter.take()
    cpu = server.cpu()
    await asyncio.sleep(within + SHOCK)
    calm_cpu = server.cpu() - cpu
    calm = meter.take()
    cpu, started = server.cpu(), time.perf_counter()
    storm.stdin.write(b"go\n")
    await storm.stdout.readline()
    cut_cpu, cut = server.cpu() - cpu, time.perf_counter() - started
    answer = json.loads(await storm.stdout.readline())
    seconds = time.perf_counter() - started
    stormy_cpu = server.cpu() - cpu
    stormy = meter.take()
    storm.stdin.write(b"end\n")
    await storm.wait()
    rate = calm_cpu / (within + SHOCK)
    return {
        **answer,
        "people": people,
        "seconds": round(seconds, 2),
        "server_cpu_us_per_connect_and_find": round((meeting_cpu - rate * meeting) / people * 1e6, 1),
        "server_cpu_us_per_cut": round((cut_cpu - rate * cut) / people * 1e6, 1),
        "server_cpu_us_per_return": round((stormy_cpu - cut_cpu - rate * (seconds - cut)) / people * 1e6, 1),
        "calm": calm,
        "storm": stormy,
        "server_mib": round(server.resident() / 2**20, 1),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--within", type=float, default=5.0, help="seconds in which they come back")
    parser.add_argument("--child", type=int, help="internal: the storm itself, against this port")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if args.child is not None:
        uvloop.run(storming(args.child, args.people, args.within))
        return
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    with Serving() as server:
        os.sched_setaffinity(0, {cpus[-1]})
        result = uvloop.run(measure(server, args.people, args.within))
    print(json.dumps(result, indent=1))
    raise SystemExit(0 if result["back"] == args.people else 1)


if __name__ == "__main__":
    main()
