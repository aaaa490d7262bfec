"""Measure screening of pictures: delay of a verdict, throughput of a core, memory of the program.

    python -m bench pictures [--seconds N] [--keep]

The real model in the real process, on its own core, called by the server's side over their socket, with strips (three pictures of the partner,
stacked) as a browser makes them. First RATE strips a second at even distances, each with a tile (one picture of the sender), as camera checks send
them: most show harmless scenes, one in HITS shows blobs that the model takes for nudity and scores three times. Then as many as it can do. Goals:
99 of 100 verdicts within 400 ms, none dropped, 40 pictures scored per second, and 1,400 pairs of users per core, if each pair is checked once a
minute.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.attacks.bystanders import in_ms
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.process_inspection import resident, spent
from bench.support.results import ROOT, write
from bench.support.serving import LOAD_CPU, SERVER_CPU
from server.ops.config.picture_settings import Pictures, installed
from server.trust.pictures.picture_client import AT_ONCE, PictureClient
from server.trust.pictures.picture_process_codec import TILES
from tests.support import scenes

RATE: Final = 20  # strips a second
HITS: Final = 10  # one strip in so many
USUAL: Final = 30.0  # seconds
ALONE: Final = 200  # strips of which each kind's cost is taken
PATIENCE: Final = 120.0  # seconds until the process is up
MEAN: Final = 60.0  # seconds between looks at a pair, each of two strips and two tiles
LATE, TILES_S, PAIRS, MEMORY = 400.0, 40.0, 1_400.0, 200.0  # the goals: ms, a second, a core, MB


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the duration, and whether to keep the result."""
    parser.add_argument("--seconds", type=float, default=USUAL, help="of strips at an even rate")
    parser.add_argument("--keep", action="store_true", help="keep the results, and the table of the document")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print the table; return 1 if a goal is missed, 2 if the extra is not installed."""
    if not installed():
        print("the extra `moderation` is not installed")
        return 2
    about = machine()
    row = asyncio.run(measured(RATE, chosen.seconds, ALONE))
    print(lines(row))
    missed = faults(row)
    print(f"missed: {', '.join(missed)}" if missed else "every goal is met")
    if chosen.keep:
        write({"machine": about, "seconds": chosen.seconds, **row}, "pictures", ordered=False)
        told = f"{chosen.seconds:g} s at {RATE} strips a second; load before: {about['load']:.1f}.\n"
        fill(ROOT / "docs" / "performance.md", "pictures", f"{lines(row)}\n{told}")
    return 1 if missed else 0


async def measured(rate: int, seconds: float, alone: int) -> dict[str, Any]:
    """Return all figures, of one process."""
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        judging = PictureClient("bench", Pictures(), Path(folder))
        task = asyncio.create_task(judging.run())
        try:
            async with asyncio.timeout(PATIENCE):
                while not judging.up:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
            os.sched_setaffinity(judging.pid, {int(SERVER_CPU)} & cores or cores)
            os.sched_setaffinity(0, {int(LOAD_CPU)} & cores or cores)
            row = await paced(judging, rate, seconds)
            row |= await costs(judging, alone)
            return {**row, "dropped": judging.dropped, "rss_mb": round(resident(judging.pid) / 1e6, 1)}
        finally:
            os.sched_setaffinity(0, cores)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def paced(judging: PictureClient, rate: int, seconds: float) -> dict[str, Any]:
    """Return the delay of verdicts at a rate of strips, each with a tile, and the process's share of its core."""
    usual, hit, own = bodies()
    waits: list[float] = []
    hits = 0

    async def look(number: int) -> None:
        nonlocal hits
        began = time.perf_counter()
        seen = await judging.judge(usual[number % len(usual)] if number % HITS else hit)
        if seen is not None:
            waits.append(time.perf_counter() - began)
            hits += seen.verdict == "hit"

    used, start, looks = spent(judging.pid), time.perf_counter(), []
    count = int(rate * seconds)
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        looks.append(asyncio.create_task(look(number)))
        looks.append(asyncio.create_task(judging.thumb(own)))  # type: ignore[arg-type]
    await asyncio.gather(*looks)
    share = (spent(judging.pid) - used) / (time.perf_counter() - start)
    return {
        "rate": rate, "strips": count, "judged": len(waits), "hits": hits, "busy": round(share, 3),
        "verdict_p50_ms": in_ms(waits, 0.5), "verdict_p99_ms": in_ms(waits, 0.99),
    }  # fmt: skip


async def costs(judging: PictureClient, count: int) -> dict[str, Any]:
    """Return CPU of a clean strip, of one that is scored three times, and of a tile; pictures scored a second, and pairs a core."""
    usual, hit, own = bodies()

    async def cost(*bodies: bytes, tile: bool = False) -> tuple[float, float]:
        """Return seconds per item, by the processor and by the clock; the process always has work."""
        used, start = spent(judging.pid), time.perf_counter()
        queue = iter(range(count))

        async def one() -> None:
            for number in queue:
                body = bodies[number % len(bodies)]
                await (judging.thumb(body) if tile else judging.judge(body))

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))
        return (spent(judging.pid) - used) / count, (time.perf_counter() - start) / count

    clean, _ = await cost(*usual)
    thrice, took = await cost(hit)
    tile, _ = await cost(own, tile=True)
    return {
        "clean_ms": round(clean * 1e3, 2), "scored_ms": round(thrice * 1e3, 2), "own_ms": round(tile * 1e3, 2),
        "tiles_s": round(TILES / took, 1), "pairs": round(MEAN / (2 * (clean + tile))),
    }  # fmt: skip


def bodies() -> tuple[list[bytes], bytes, bytes]:
    """Return harmless strips, one that is a hit, and a tile."""
    usual = [scenes.jpeg(scenes.strip(scenes.scene(number))) for number in range(scenes.SCENES)]
    return usual, scenes.jpeg(scenes.strip(scenes.blobs())), scenes.jpeg(scenes.scene(0))


def faults(row: dict[str, Any]) -> list[str]:
    """Return the missed goals."""
    bad = {
        "verdict": row["verdict_p99_ms"] > LATE,
        "dropped": row["dropped"] > 0 or row["judged"] < row["strips"],
        "hits": row["hits"] < row["strips"] // HITS,
        "tiles": row["tiles_s"] < TILES_S,
        "pairs": row["pairs"] < PAIRS,
        "memory": row["rss_mb"] > MEMORY,
    }
    return [name for name, missed in bad.items() if missed]


def lines(row: dict[str, Any]) -> str:
    """Return the figures as a table of Markdown."""
    return table(
        ("strips a second", "verdict p50, p99 ms", "of its core", "dropped", "CPU ms: clean strip, scored three times, own tile",
         "scored a second", "pairs a core", "RSS MB"),
        [
            (
                f"{row['rate']}",
                f"{row['verdict_p50_ms']:,} / {row['verdict_p99_ms']:,}",
                f"{row['busy'] * 100:.0f} %",
                f"{row['dropped']} of {row['strips']:,}",
                f"{row['clean_ms']} / {row['scored_ms']} / {row['own_ms']}",
                f"{row['tiles_s']}",
                f"{row['pairs']:,}",
                f"{row['rss_mb']}",
            )
        ],
    )  # fmt: skip
