"""Run calls with media: peers with a generated picture and tone; their cost, the server's, and the time to a first frame.

Peers are those of serendip_client.peer, in this process; the server's cost is read from /proc and its metrics. While a call runs the server must
spend nothing on it: not a byte is received or sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple
from urllib.request import urlopen

from bench.support.serving import Serving
from serendip_client import Client
from serendip_client.peer import Call, Peer

WITHIN: Final = 20.0  # seconds for each step of a call
RATE_MIN: Final = 15.0  # frames a second below which a peer does not keep up; 30 are sent
TRAFFIC: Final = ("serendip_received_bytes_total", "serendip_sent_bytes_total", "serendip_signals_total")


class Times(NamedTuple):
    """Sorted seconds, one per call: from `find`, and from `matched`, to the later side's first frame."""

    found: list[float]
    matched: list[float]


class Running(NamedTuple):
    """Cost of running calls, per second."""

    calls: int
    peer: float  # CPU seconds a second of one peer
    server: float  # CPU seconds a second of the server, of all calls
    idle: float  # the same before there were any
    traffic: dict[str, float]  # what the server received, sent and relayed meanwhile
    frames: float  # a second, of the slowest peer


@asynccontextmanager
async def calling(server: Serving, number: int, word: str, *, relay: bool) -> AsyncIterator[list[tuple[Call, float]]]:
    """Start calls with a picture on both sides at once; each side with the time of its search."""
    async with AsyncExitStack() as stack:
        asked = []
        for n in range(number):
            for _ in range(2):
                client = Client(f"ws://127.0.0.1:{server.port}/ws", heartbeat=None)
                await stack.enter_async_context(client)
                asked.append(_call(Peer(client), f"{word} {n}", relay))
        made = await asyncio.gather(*asked)
        for call, _ in made:
            stack.push_async_callback(call.close)
        for call, _ in made:
            await call.picture(WITHIN)
        yield made


async def _call(peer: Peer, word: str, relay: bool) -> tuple[Call, float]:
    began = time.monotonic()
    return await peer.call(interests=(word,), relay=relay, within=WITHIN), began


async def first_frames(server: Serving, calls: int, *, relay: bool) -> Times:
    """Run one call after the other, without other load."""
    found, matched = [], []
    for number in range(calls + 1):  # the first loads codecs
        async with calling(server, 1, f"first {relay} {number}", relay=relay) as made:
            if number:
                found.append(max(call.counts.first_frame - began for call, began in made))
                matched.append(max(call.counts.first_frame - call.counts.matched for call, _ in made))
    return Times(sorted(found), sorted(matched))


def at(values: list[float], share: float) -> float:
    """Return a quantile of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


async def set_up(server: Serving, calls: int) -> tuple[float, float]:
    """Return CPU seconds of the peers and of the server for one call from `find` to pictures on both sides, ended at once."""
    async with calling(server, 1, "warm", relay=False):
        pass
    ours, theirs = time.process_time(), server.cpu()
    for number in range(calls):
        async with calling(server, 1, f"set up {number}", relay=False):
            pass
    return (time.process_time() - ours) / calls, (server.cpu() - theirs) / calls


async def running(server: Serving, metrics: int, calls: int, seconds: float) -> Running:
    """Run calls for a while."""
    idle = await _spent(server.cpu, seconds)
    async with calling(server, calls, "running", relay=False) as made:
        before, begun = _traffic(metrics), [(call.counts.pictures, time.monotonic()) for call, _ in made]
        ours = time.process_time()
        used = await _spent(server.cpu, seconds)
        ours = (time.process_time() - ours) / seconds
        rates = [
            (call.counts.pictures - had) / (time.monotonic() - at)
            for (call, _), (had, at) in zip(made, begun, strict=True)
        ]
        after = _traffic(metrics)
    more = {name: after[name] - before[name] for name in TRAFFIC}
    return Running(calls, ours / (2 * calls), used, idle, more, min(rates))


async def _spent(cpu: Callable[[], float], seconds: float) -> float:
    """Return CPU seconds per second over a while."""
    before = cpu()
    await asyncio.sleep(seconds)
    return (cpu() - before) / seconds


def _traffic(port: int) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(rest) for name, _, rest in (line.partition(" ") for line in lines) if name in TRAFFIC}
