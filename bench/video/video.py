"""Measure calls: setups per second, time to the first frame, how many peers one core serves, and that a running call costs the server nothing:
`python -m bench video`.

A missed goal, a call without a picture, or a byte that the server spends on a running call ends it with status 1. Rates are by CPU time, so other
processes do not count; times to a first frame need a quiet machine. Writes bench/results/video.json.
"""

import argparse
import asyncio
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

from bench.support.machine import machine
from bench.support.process_inspection import free_port
from bench.support.results import write
from bench.support.serving import Serving
from bench.video import browser_calls, media_calls, signalling
from bench.video.coturn import Turn

SIGNALLED_MIN: Final = 2_000.0  # calls a second of one core of the server, without media
WAYS: Final = ("direct", "relay")
DIRECT_MAX: Final = 1.5  # seconds from `matched` to the first frame
RELAY_MAX: Final = 2.5
SERVER_MAX: Final = (
    0.002  # CPU seconds a second that calls may seem to add: the clock of /proc ticks a hundred times a second
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose numbers and durations."""
    parser.add_argument("--calls", type=int, default=10_000, help="signalled without media")
    parser.add_argument("--frames", type=int, default=40, help="calls with media, for each figure")
    parser.add_argument("--seconds", type=float, default=10.0, help="that calls run")


def main(chosen: argparse.Namespace) -> int:
    """Run all; return 1 if a goal is missed."""
    warnings.simplefilter("ignore", DeprecationWarning)  # of the peer's dependencies
    found = {"machine": machine(), **signalled(chosen.calls), **media(chosen.frames, chosen.seconds)}
    write(found, "video", ordered=False)
    for name, value in found.items():
        if name != "machine":
            print(f"{name:<46} {value:,.3f}" if isinstance(value, float) else f"{name:<46} {value}")
    wrong = falls_short(found)
    for line in wrong:
        print(f"falls short: {line}")
    return 1 if wrong else 0


def signalled(calls: int) -> dict[str, Any]:
    """Measure signalling alone."""
    return {
        f"calls signalled a second of one core, {name}": round(signalling.measure(calls, hidden=hidden).rate, 1)
        for name, hidden in (("direct", False), ("relay only", True))
    }


def media(frames: int, seconds: float) -> dict[str, Any]:
    """Measure calls with pictures, of programs and of windows."""
    metrics = free_port()
    more = {"SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": str(metrics)}
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        turn = Turn(Path(folder))
        try:
            with Serving(**turn.settings, **more) as server:
                found = asyncio.run(_programs(server, metrics, frames, seconds))
                for way in WAYS:
                    url = f"http://127.0.0.1:{server.port}/"
                    times = browser_calls.first_pictures(url, max(1, frames // 4), relay=way == "relay")
                    found |= _quantiles(f"matched to first picture in Chromium, {way}", times)
        finally:
            turn.stop()
    return found


async def _programs(server: Serving, metrics: int, frames: int, seconds: float) -> dict[str, Any]:
    run = await media_calls.running(server, metrics, 2, seconds)
    peers, served = await media_calls.set_up(server, frames)
    found: dict[str, Any] = {
        "calls with media set up a second of one core": round(1 / (peers + served), 2),
        "of that, the server's share": round(served / (peers + served), 4),
        "peers a core, at their frames": round(1 / run.peer, 1),
        "frames a second of the slowest peer": round(run.frames, 1),
        "server's CPU while calls run": run.server,
        "server's CPU without calls": run.idle,
        **{f"{name} while calls run": value for name, value in run.traffic.items()},
    }
    for way in WAYS:
        times = await media_calls.first_frames(server, frames, relay=way == "relay")
        found |= _quantiles(f"find to first frame, {way}", times.found)
        found |= _quantiles(f"matched to first frame, {way}", times.matched)
    return found


def _quantiles(name: str, values: list[float]) -> dict[str, float]:
    return {f"{name}, p{share * 100:g}": round(media_calls.at(values, share), 3) for share in (0.5, 0.99)}


def falls_short(found: dict[str, Any]) -> list[str]:
    """Return the missed goals, in words."""
    wrong = [
        f"{name}: {value} a second"
        for name, value in found.items()
        if name.startswith("calls signalled") and value < SIGNALLED_MIN
    ]
    for way, bound in zip(WAYS, (DIRECT_MAX, RELAY_MAX), strict=True):
        for what in ("frame", "picture in Chromium"):
            if (took := found[f"matched to first {what}, {way}, p99"]) > bound:
                wrong.append(f"first {what} after {took} s, {way}")
    wrong += [
        f"{name} while calls run: {found[f'{name} while calls run']}"
        for name in media_calls.TRAFFIC
        if found[f"{name} while calls run"]
    ]
    if found["server's CPU while calls run"] - found["server's CPU without calls"] > SERVER_MAX:
        wrong.append("the server spends time on calls that run")
    if found["frames a second of the slowest peer"] < media_calls.RATE_MIN:
        wrong.append("a peer did not keep up: fewer at once, or a quieter machine")
    return wrong
