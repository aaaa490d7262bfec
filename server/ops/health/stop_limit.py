"""Limit the time that a stopping process takes: log what it still waits for, and end it.

**Invariant:** a process that was told to stop ends, whatever it waits for: a task, a thread of a library, or the end of the interpreter.
"""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Final

from server.ops import log

ENDING_S: Final = 5.0  # seconds that a process may take for its end beyond `server.drain`
REPORT_S: Final = 1.0  # seconds between the report of a child and its end by the supervisor
HELD_S: Final = 30.0  # seconds more, if a thread holds the interpreter and there is no report
STEP_S: Final = 0.25  # seconds of one wait; what a wait takes beyond two of them does not count: it had no core
WAITS_MAX: Final = 20  # lines of a report
FRAMES_MAX: Final = 6  # places of one task or thread
logger = log.get()


class StopLimit:
    """Limit of one process, which begins with the order to stop. Make it in the loop.

    `process`: its name in the log; `within`: seconds until the report, of those in which it had a core. `ends`: whether the process ends
    itself then, with status 1; otherwise its supervisor kills it.
    """

    def __init__(self, process: str, within: float, *, ends: bool) -> None:
        self._process = process
        self._within = within
        self._ends = ends
        self._loop = asyncio.get_running_loop()
        self._over = threading.Event()
        self._begun = False

    def begin(self) -> None:
        """Begin to count; later calls do nothing. A limit that was lifted does not begin."""
        if self._begun or self._over.is_set():
            return
        self._begun = True
        if self._ends:
            # If a thread never gives back the interpreter's lock. The library's own report names threads alone, and is discarded.
            silent = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)  # open until the process ends
            faulthandler.dump_traceback_later(self._within + HELD_S, exit=True, file=silent)
        threading.Thread(target=self._run, name="stop-limit", daemon=True).start()

    def lift(self) -> None:
        """Lift the limit: a successor serves, and this process ends when it can."""
        self._over.set()
        if self._begun and self._ends:
            faulthandler.cancel_dump_traceback_later()

    def _run(self) -> None:
        left = self._within
        while left > 0:
            begun = time.monotonic()
            if self._over.wait(min(left, STEP_S)):
                return
            left -= min(time.monotonic() - begun, 2 * STEP_S)
        self.report()
        if self._ends:
            log.sink().flush()
            os._exit(1)

    def report(self) -> None:
        """Log each task and thread that has not ended, with its places in the code."""
        waits = [*_tasks(self._loop), *_threads()]
        for what, where in waits[:WAITS_MAX]:
            logger.error("process.unended", process=self._process, what=what, where=where)


def stop_child_by(signals: Iterable[signal.Signals], process: str, drain: float, stop: Callable[[], object]) -> None:
    """Call `stop` at each of these signals, in a child of the supervisor, which kills a process that does not end; begin the report of that.

    Call it in the loop. `drain`: `server.drain`.
    """
    loop, limit = asyncio.get_running_loop(), StopLimit(process, drain + ENDING_S - REPORT_S, ends=False)

    def told() -> None:
        stop()
        limit.begin()

    for number in signals:
        loop.add_signal_handler(number, told)


def task_place(task: asyncio.Task[Any]) -> str:
    """Return the places in the code where a task waits, innermost first."""
    frames: list[FrameType] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = next((found for kind in ("cr", "gi", "ag") if (found := getattr(awaited, f"{kind}_frame", None))), None)
        if isinstance(frame, FrameType):
            frames.append(frame)
        waits = ("cr_await", "gi_yieldfrom", "ag_await")
        awaited = next((getattr(awaited, name) for name in waits if hasattr(awaited, name)), None)
    return _places(reversed(frames))


def _tasks(loop: asyncio.AbstractEventLoop) -> Iterator[tuple[str, str]]:
    for task in asyncio.all_tasks(loop):
        yield f"task {task.get_name()}", task_place(task)


def _threads() -> Iterator[tuple[str, str]]:
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is not None and thread is not threading.current_thread():
            yield f"thread {thread.name}", _places(_callers(frame))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _places(frames: Iterator[FrameType]) -> str:
    return " < ".join(f"{Path(one.f_code.co_filename).name}:{one.f_lineno}" for one in islice(frames, FRAMES_MAX))
