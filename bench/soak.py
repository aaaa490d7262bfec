"""A soak: churn, chat, cuts and slow readers for a while; memory, descriptors and lag plotted, a verdict at the end.

Rule: the verdict is by numbers: resident memory of the last fifth against the second fifth within 2 %, descriptors back to
the start, no error of the generators, the loop's lag bounded.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import servers
from bench.machine import machine
from bench.report import pyplot, save
from bench.whole import write

EVERY = 1.0  # seconds between looks
SLOPE = 0.02  # share that resident memory may grow from the second fifth to the last
FIND = b'{"type":"find","interests":["soak"],"language":"fr"}'


def main(seconds: float) -> int:
    """Runs it; 1 where the verdict is bad."""
    load = str(servers.build_load())
    looks: list[dict[str, float]] = []
    metrics = servers.free_port()
    with servers.running(servers.serendip(), SERENDIP_METRICS__PORT=str(metrics), SERENDIP_SESSION__GRACE="2") as (
        port,
        pid,
    ):
        # The store opens its connections with the first chats: what it keeps is no leak.
        warm = [load, "chat", "-n", "20", "-p", str(port), "-t", "1"]
        subprocess.run(warm, check=True, capture_output=True)
        time.sleep(4.0)
        at_rest = look(pid, metrics)
        loads = [
            subprocess.Popen(
                ["taskset", "-c", servers.LOAD_CPU, load, *words, "-p", str(port), "-t", str(seconds), "-c", "4"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for words in (("relay", "-n", "200"), ("chat", "-n", "20"))
        ]
        rude = asyncio.run(rudeness(port, seconds, lambda: looks.append(look(pid, metrics))))
        results = [finished(process) for process in loads]
        time.sleep(8.0)  # graces end, sockets close
        after = look(pid, metrics)
    verdicts = judged(at_rest, looks, after, results)
    document: dict[str, Any] = {
        "machine": machine(), "seconds": seconds, "at_rest": at_rest, "after": after, "looks": looks[:: max(1, len(looks) // 300)],
        "loads": results, "rude": rude, "verdicts": verdicts,
    }  # fmt: skip
    write(document, "soak")
    plot(looks)
    for name, good in verdicts.items():
        print(f"{'good' if good else 'BAD '} {name}")
    return 0 if all(verdicts.values()) else 1


def look(pid: int, metrics: int) -> dict[str, float]:
    """The server now: memory, descriptors, sessions, lag."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
    lag = float(lines["serendip_loop_lag_seconds_sum"]), float(lines["serendip_loop_lag_seconds_count"])
    return {
        "time": time.monotonic(),
        "resident": int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096,
        "descriptors": float(lines["process_open_fds"]),
        "connections": float(lines["serendip_connections"]),
        "sessions": sum(float(value) for name, value in lines.items() if name.startswith("serendip_sessions{")),
        "lag_sum": lag[0],
        "lag_count": lag[1],
    }


async def rudeness(port: int, seconds: float, tell: Any) -> dict[str, int]:
    """People who are cut off in the midst, and people who read nothing, until the time is over."""
    end = time.monotonic() + seconds
    count = {"cuts": 0, "slow": 0}
    rng = random.Random(8)

    async def cut() -> None:
        while time.monotonic() < end:
            _, writer = await connected(port)
            writer.write(framed(FIND))
            await asyncio.sleep(rng.random() * 0.2)
            writer.transport.abort()
            count["cuts"] += 1

    async def slow() -> None:
        while time.monotonic() < end:
            pairs = [await connected(port), await connected(port)]
            for _, writer in pairs:
                writer.write(framed(b'{"type":"find","interests":["slow"],"language":"de"}'))
            await asyncio.sleep(0.3)
            for _ in range(400):  # the other one never reads: its buffers fill, then the sender is told `slow`
                pairs[0][1].write(framed(b'{"type":"message","text":"' + b"x" * 1500 + b'"}'))
                await asyncio.sleep(0)
            await asyncio.sleep(min(2.0, max(0.0, end - time.monotonic())))
            for _, writer in pairs:
                writer.transport.abort()
            count["slow"] += 1

    async def watch() -> None:
        while time.monotonic() < end:
            await asyncio.to_thread(tell)
            await asyncio.sleep(EVERY)

    await asyncio.gather(cut(), cut(), slow(), watch())
    return count


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose upgrade was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c2VyZW5kaXAgYnkgbG9hZA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def framed(text: bytes) -> bytes:
    """A masked text frame; the mask is nought, which RFC 6455 allows."""
    size = len(text)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + text


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """A generator's figures."""
    out, _ = process.communicate(timeout=60)
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1]) if out.strip() else {"errors": -1}
    return found


def judged(
    at_rest: dict[str, float], looks: list[dict[str, float]], after: dict[str, float], results: list[dict[str, Any]]
) -> dict[str, bool]:
    """The verdicts."""
    fifth = max(1, len(looks) // 5)
    early = sum(at["resident"] for at in looks[fifth : 2 * fifth]) / fifth
    late = sum(at["resident"] for at in looks[-fifth:]) / fifth
    lag = (after["lag_sum"] - at_rest["lag_sum"]) / max(1.0, after["lag_count"] - at_rest["lag_count"])
    return {
        f"resident memory {early / 1e6:.1f} MB early, {late / 1e6:.1f} MB late": late <= early * (1 + SLOPE),
        f"descriptors {at_rest['descriptors']:.0f} before, {after['descriptors']:.0f} after": after["descriptors"]
        <= at_rest["descriptors"] + 2,
        f"sessions left: {after['sessions']:.0f}": after["sessions"] == 0,
        f"errors of the generators: {[result['errors'] for result in results]}": all(
            result["errors"] == 0 for result in results
        ),
        f"mean lag of the loop {lag * 1e3:.2f} ms": lag < 0.05,
    }


def plot(looks: list[dict[str, float]]) -> None:
    """Memory, descriptors and lag over time."""
    plt = pyplot()
    figure, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    start = looks[0]["time"]
    minutes = [(at["time"] - start) / 60 for at in looks]
    axes[0].plot(minutes, [at["resident"] / 1e6 for at in looks], color="#d6336c")
    axes[0].set_ylabel("resident MB")
    axes[1].plot(minutes, [at["descriptors"] for at in looks])
    axes[1].set_ylabel("descriptors")
    lags = [0.0] + [
        1e3 * (b["lag_sum"] - a["lag_sum"]) / max(1.0, b["lag_count"] - a["lag_count"]) for a, b in pairwise(looks)
    ]
    axes[2].plot(minutes, lags)
    axes[2].set_ylabel("mean lag, ms")
    axes[2].set_xlabel("minutes")
    for axis in axes[:2]:
        axis.set_ylim(bottom=0)
    save(figure, "soak")


if __name__ == "__main__":
    sys.exit(main(60.0))
