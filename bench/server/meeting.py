"""How soon one is matched while the server is busy: from `find` to `matched`, a partner waiting.

    python -m bench.server.meeting --connected 10000 --messages 20000

Beside those who are measured, a fifth of the connected talk at the stated rate and the others wait for somebody whom
nobody is. Server on processor 0, everything else on processor 1, so a time includes what this process waits for its
turn. Fails unless everybody meets the one that was meant, and no message of the others is lost.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import orjson
import uvloop

from bench.load.thin import Thin
from bench.machine import machine
from bench.server.servers import build_load
from bench.server.serving import Serving

MEASURED: Final = 40  # connections that meet each other in turn
TALKING: Final = 5  # one in so many of the others talks
PAUSE: Final = 0.005  # seconds between two meetings
PATIENCE: Final = 10.0
RESULTS: Final = Path(__file__).resolve().parents[1] / "results"


class Person:
    """One of the measured: hears `waiting` and `matched`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._thin = Thin(self._opened, self._hear, self._lost)
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._open = asyncio.Event()

    async def come(self) -> None:
        """Connect."""
        await asyncio.get_running_loop().create_connection(self._made(), "127.0.0.1", self._port)
        await asyncio.wait_for(self._open.wait(), PATIENCE)

    def find(self, word: str) -> None:
        """Search; a chat that is on is left."""
        self._thin.send(orjson.dumps({"type": "find", "interests": [word], "strict": True}))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind. Raises RuntimeError at an error frame, TimeoutError."""
        while True:
            frame = await asyncio.wait_for(self._heard.get(), PATIENCE)
            if frame["type"] == kind:
                return frame
            if frame["type"] == "error":
                raise RuntimeError(frame)

    def cut(self) -> None:
        """Go."""
        self._thin.cut()

    def _made(self) -> Callable[[], Thin]:
        return lambda: self._thin

    def _opened(self, _: Thin) -> None:
        self._open.set()

    def _hear(self, _: Thin, frame: bytes) -> None:
        self._heard.put_nowait(orjson.loads(frame))

    def _lost(self, _: Thin) -> None:
        """They go when the bench ends."""


class Meetings:
    """One meeting after the other, each time of others, for the last few do not meet again (rule 7)."""

    def __init__(self, people: list[Person]) -> None:
        self._first, self._second = people[: len(people) // 2], people[len(people) // 2 :]
        self._turn = 0

    async def go_on(self, seconds: float) -> list[float]:
        """Seconds from `find` to `matched`."""
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


def load(words: list[str], port: int) -> subprocess.Popen[str]:
    """The generator in C."""
    return subprocess.Popen(
        [str(build_load()), *words, "-p", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def all_there(process: subprocess.Popen[str]) -> None:
    """Wait until a generator says that all its people are where they should be. Raises RuntimeError where it ends instead."""
    if process.stdout is None or "ready" not in process.stdout.readline():
        raise RuntimeError("not all of a load came")


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a generator says at its end. Raises RuntimeError where it counted an error."""
    said, _ = process.communicate(timeout=60)
    if process.returncode:
        raise RuntimeError(f"a load ended with {process.returncode}: {said}")
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


async def measure(server: Serving, connected: int, messages: int, seconds: float) -> dict[str, Any]:
    """The whole experiment."""
    people = [Person(server.port) for _ in range(MEASURED)]
    talkers = connected // TALKING // 2 * 2
    waiters = connected - talkers - MEASURED
    with ExitStack() as stack:
        waiting = stack.enter_context(load(["wait", "-n", str(waiters), "-x", str(talkers)], server.port))
        all_there(waiting)
        for person in people:
            await person.come()
        meetings = Meetings(people)
        idle = await meetings.go_on(seconds / 4)
        rest = f"{talkers / 2 / messages * 1000:.3f}"
        length = f"{seconds + 2:.1f}"
        talking = stack.enter_context(
            load(["relay", "-n", str(talkers), "-z", rest, "-t", length, "-w", "1"], server.port)
        )
        await asyncio.get_running_loop().run_in_executor(None, all_there, talking)
        cpu, begun = server.cpu(), time.perf_counter()
        times = await meetings.go_on(seconds)
        share = (server.cpu() - cpu) / (time.perf_counter() - begun)
        talked = await asyncio.get_running_loop().run_in_executor(None, ended, talking)
        waited = await asyncio.get_running_loop().run_in_executor(None, ended, waiting)
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
    """Milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return {
        "meetings": len(times),
        "p50_ms": round(cuts[49] * 1e3, 2),
        "p99_ms": round(cuts[98] * 1e3, 2),
        "max_ms": round(max(times) * 1e3, 2),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--connected", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=20_000, help="a second, of those who talk")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--keep", action="store_true", help="write bench/results/meeting.json")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    with Serving() as server:
        os.sched_setaffinity(0, {cpus[-1]})
        result = uvloop.run(measure(server, args.connected, args.messages, args.seconds))
    print(json.dumps(result, indent=1))
    if args.keep:
        (RESULTS / "meeting.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
