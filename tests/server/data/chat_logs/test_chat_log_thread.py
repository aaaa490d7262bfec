"""Work on logs is done by one thread apart from the loop, and only so much waits for it."""

import asyncio
import threading

import pytest

from server.data.chat_logs.chat_log_thread import WAITING_MAX, LogThread
from server.data.errors import Crowded


async def test_work_is_done_apart_and_its_error_is_raised_here() -> None:
    thread = LogThread()
    assert await thread.run(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    thread.close()


async def test_what_is_too_much_is_refused_at_once_and_taken_when_there_is_room() -> None:
    thread = LogThread()
    go = threading.Event()
    waiting = [asyncio.ensure_future(thread.run(go.wait)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await thread.run(list)
    go.set()
    await asyncio.gather(*waiting)
    assert await thread.run(list) == []
    assert len({thread.name for thread in threading.enumerate() if thread.name.startswith("log_")}) == 1
    thread.close()
