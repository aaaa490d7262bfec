"""What a burst left free goes back to the system, in a process of its own: what tests before it left free is none of this one's."""

import subprocess
import sys

from tests.server.site.web.servers import ROOT

BURST = """
import asyncio, contextlib, resource
from pathlib import Path
from server.ops.process import free_memory

PIECE, PIECES = 16_000, 4_000


def resident() -> int:
    return resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[1])


async def main() -> None:
    free_memory.EVERY_S = 0.01
    task = asyncio.create_task(free_memory.run())
    pieces = [bytes([1]) * PIECE for _ in range(PIECES)]
    kept = pieces[-1]  # at the end of the heap
    most = resident()
    del pieces
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while most - resident() < PIECE * PIECES // 2:
                await asyncio.sleep(0.01)
    print(most - resident() >= PIECE * PIECES // 2, len(kept), task.done())


asyncio.run(main())
"""


def test_memory_that_a_burst_left_free_goes_back_though_a_block_above_it_is_in_use() -> None:
    words = [sys.executable, "-c", BURST]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True", "16000", "False"]
