"""Measure the time to match on a busy server: from `find` to `matched`, a partner waiting.

    python -m bench meeting --connected 10000 --messages 20000

Beside the measured users, a fifth of the connected talk at the stated rate and the others wait for an interest that no one has. The server is on
processor 0, everything else on processor 1. The measuring process has priority over the load on that processor if the system allows it (`ahead`);
otherwise the times include a delay of some milliseconds that the load causes. It fails unless every user gets the intended partner and no message
of the others is lost.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import orjson
import uvloop

from bench.load import generator
from bench.load.websocket_client import Thin
from bench.support.machine import machine
from bench.support.precedence import ahead
from bench.support.results import write
from bench.support.serving import Serving

MEASURED: Final = 40  # connections that meet each other in turn
TALKING: Final = 5  # one in so many of the others talks
PAUSE: Final = 0.005  # seconds between two meetings
PATIENCE: Final = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose numbers and duration."""
    parser.add_argument("--connected", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=20_000, help="a second, of those who talk")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--keep", action="store_true", help="write bench/results/meeting.json")


def main(chosen: argparse.Namespace) -> int:
    """Run one experiment."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    with Serving() as server:
        os.sched_setaffinity(0, {cpus[-1]})
        before_load = ahead()
        result = uvloop.run(measure(server, chosen.connected, chosen.messages, chosen.seconds))
    result["ahead"] = before_load
    print(json.dumps(result, indent=1))
    if chosen.keep:
        write(result, "meeting", ordered=False)
    return 0


class Person:
    """A measured user: receives `waiting` and `matched`."""

    def __init__(self, port: int, at: str = "127.0.0.1") -> None:
        self._port = port
        self._at = at
        self._thin = Thin(self._opened, self._hear, self._lost)
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._open = asyncio.Event()

    async def come(self) -> None:
        """Connect."""
        await asyncio.get_running_loop().create_connection(self._made(), self._at, self._port)
        await asyncio.wait_for(self._open.wait(), PATIENCE)

    def find(self, word: str) -> None:
        """Search; a current chat is left."""
        self._thin.send(orjson.dumps({"type": "find", "interests": [word], "strict": True}))

    def say(self, text: str) -> None:
        """Send a line."""
        self._thin.send(orjson.dumps({"type": "message", "text": text}))

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a kind. Raises RuntimeError at an error frame, TimeoutError."""
        while True:
            frame = await asyncio.wait_for(self._heard.get(), PATIENCE)
            if frame["type"] == kind:
                return frame
            if frame["type"] == "error":
                raise RuntimeError(frame)

    def cut(self) -> None:
        """Disconnect."""
        self._thin.cut()

    def _made(self) -> Callable[[], Thin]:
        return lambda: self._thin

    def _opened(self, _: Thin) -> None:
        self._open.set()

    def _hear(self, _: Thin, frame: bytes) -> None:
        self._heard.put_nowait(orjson.loads(frame))

    def _lost(self, _: Thin) -> None:
        """Handle a lost connection; at the end all are lost."""


class Meetings:
    """One match after the other, each time of other users, since recent partners are not matched (rule 7)."""

    def __init__(self, people: list[Person]) -> None:
        self._first, self._second = people[: len(people) // 2], people[len(people) // 2 :]
        self._turn = 0

    async def go_on(self, seconds: float) -> list[float]:
        """Return the seconds from `find` to `matched`."""
        times: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._turn += 1
            for at, first in enumerate(self._first):
                second = self._second[(at + self._turn) % len(self._second)]
                times.append(await self._meet(first, second, f"meeting {self._turn} {at}"))
                await asyncio.sleep(PAUSE)
        return times

    async def _meet(self, first: Person, second: Person, word: str) -> float:
        first.find(word)
        await first.hear("waiting")
        begun = time.perf_counter()
        second.find(word)
        match = await second.hear("matched")
        took = time.perf_counter() - begun
        for found in (match, await first.hear("matched")):
            if found["common"] != [word]:
                raise RuntimeError(f"not over {word}: {found}")
        return took


async def measure(server: Serving, connected: int, messages: int, seconds: float) -> dict[str, Any]:
    """Run the whole experiment."""
    people = [Person(server.port) for _ in range(MEASURED)]
    talkers = connected // TALKING // 2 * 2
    waiters = connected - talkers - MEASURED
    with ExitStack() as stack:
        waiting = stack.enter_context(generator.start(["wait", "-n", str(waiters), "-x", str(talkers)], server.port))
        generator.ready(waiting)
        for person in people:
            await person.come()
        meetings = Meetings(people)
        idle = await meetings.go_on(seconds / 4)
        rest = f"{talkers / 2 / messages * 1000:.3f}"
        length = f"{seconds + 2:.1f}"
        talking = stack.enter_context(
            generator.start(["relay", "-n", str(talkers), "-z", rest, "-t", length, "-w", "1"], server.port)
        )
        await asyncio.to_thread(generator.ready, talking)
        cpu, begun = server.cpu(), time.perf_counter()
        times = await meetings.go_on(seconds)
        share = (server.cpu() - cpu) / (time.perf_counter() - begun)
        talked = await asyncio.to_thread(generator.ended, talking)
        waited = await asyncio.to_thread(generator.ended, waiting)
        for person in people:
            person.cut()
    return {
        "machine": machine(),
        "connected": waited["open"] + talkers + MEASURED,
        "messages_s": talked["messages_s"],
        "message_p99_ms": round(talked["p99_us"] / 1000, 2),
        "server_cpu": round(share, 3),
        "calm": quantiles(idle),
        "busy": quantiles(times),
    }


def quantiles(times: list[float]) -> dict[str, Any]:
    """Return quantiles in milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return {
        "meetings": len(times),
        "p50_ms": round(cuts[49] * 1e3, 2),
        "p99_ms": round(cuts[98] * 1e3, 2),
        "max_ms": round(max(times) * 1e3, 2),
    }
