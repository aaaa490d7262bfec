"""Start `serendip` under callgrind, with each Python frame distinguishable and with longer intervals.

Under callgrind everything is slower, so periodic work and the time bounds of a turn or a batch are stretched by the same factor: a chat bears its
usual share of them.
"""

import asyncio
import sys
from typing import Any

from bench.budget import parts
from server.data.database import database
from server.data.store import writer
from server.realtime.worker import worker_loop


def main(folder: str, slower: float) -> None:
    """Run the service's command line. `folder`: of frames.so; `slower`: factor by which everything is slower."""
    sys.path.insert(0, folder)
    import frames  # type: ignore[import-not-found]  # built by bench.budget.instruction_counts

    frames.apart(parts.rows())
    writer.HELD *= slower
    writer.TURN *= slower
    worker_loop.TURN *= slower
    database.TIDY *= slower
    sleep = asyncio.sleep

    async def slowly(delay: float, result: Any = None) -> Any:
        return await sleep(delay * slower, result)

    asyncio.sleep = slowly
    from server.main.cli import main as serve

    serve()
