"""Wait for the first of several events, tasks or coroutines to finish, and cancel the others; wait for an event with a limit, or for an
end that no cancellation may leave behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any


async def first_of(*waits: asyncio.Event | asyncio.Task[Any] | Coroutine[Any, Any, Any]) -> None:
    """Wait until an event is set or a task or coroutine is done; then cancel all the tasks and coroutines that still run."""
    tasks = [
        wait
        if isinstance(wait, asyncio.Task)
        else asyncio.create_task(wait.wait() if isinstance(wait, asyncio.Event) else wait)
        for wait in waits
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, `seconds` at most; return whether it is set.

    `asyncio.wait_for` is no substitute: before Python 3.12 it swallows a cancellation that coincides with the event.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


async def until_done(running: asyncio.Future[Any]) -> None:
    """Wait until work that must not be left behind, such as a thread's, is done, however often this task is cancelled. Its fault is not raised."""
    while not running.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((running,))
    if not running.cancelled():
        running.exception()  # retrieved, so that the loop does not log it
