"""Wait for the first of several events, tasks or coroutines to finish, and cancel the others; wait for an event with a limit."""

from __future__ import annotations

import asyncio
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
