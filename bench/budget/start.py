"""`serendip` as callgrind is to see it: its frames told apart, its times longer.

Rule: what the service does by the clock is as much rarer, and what bounds a turn or a batch as much longer, so that both are as large as ever
and a chat bears no more of what is done now and then.
"""

import asyncio
import sys
from typing import Any

from bench.budget import parts
from server.data.database import database
from server.data.store import writer
from server.realtime.worker import worker_loop


def main(folder: str, slower: float) -> None:
    """The service's command line. `folder`: where frames.so is; `slower`: how many times slower everything runs."""
    sys.path.insert(0, folder)
    import frames  # type: ignore[import-not-found]  # built by bench.budget.counting

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
