"""A storm: thousands of people in chats lose their connections at once and come back within seconds; what does it cost?

    python -m bench storm --people 10000 --within 5

Rule: the people of the storm live in a process of their own. Beside them, quiet pairs talk all the time, and their
messages' times before and during the storm are compared. Server on processor 0, everything else on processor 1. Fails
unless all are back.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import uvloop

from bench.load.crowd import SHOCK, storming
from bench.load.thin import Thin
from bench.support.serving import Serving

QUIET = 50  # pairs that are not cut
PAUSE = 0.02  # seconds between the messages of a quiet pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, how fast."""
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--within", type=float, default=5.0, help="seconds in which they come back")
    parser.add_argument("--child", type=int, help="internal: the storm itself, against this port")


def main(chosen: argparse.Namespace) -> int:
    """One storm; 1 where somebody is not back."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if chosen.child is not None:
        uvloop.run(storming(chosen.child, chosen.people, chosen.within))
        return 0
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    with Serving() as server:
        os.sched_setaffinity(0, {cpus[-1]})
        result = uvloop.run(measure(server, chosen.people, chosen.within))
    print(json.dumps(result, indent=1))
    return 0 if result["back"] == chosen.people else 1


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
        "nice", sys.executable, "-m", "bench", "storm", "--child", str(server.port), "--people", str(people),
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
