"""Read where in the code the threads of a hung or crashed process were: its handler of a signal writes that to a pipe, and the signal ends it.

**Invariant:** the process needs neither the interpreter's lock nor its loop for it, and nothing here waits. The pipe has places, no values.
"""

# `faulthandler` writes in the handler itself and then repeats the signal with its default action, which ends the process: a dead process has written
# all. A full pipe cuts the text. Code of compiled modules has no frames: the innermost place is the Python code that called it.

from __future__ import annotations

import faulthandler
import os
import re
import signal
import threading
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

STACKS_SIGNAL: Final = signal.SIGRTMIN  # neither Python nor a library uses it
THREADS_MAX: Final = 20  # threads of a report
FRAMES_MAX: Final = 6  # places of one thread
MAIN: Final = "main thread"
_BYTES_MAX: Final = 64 * 1024  # what a pipe holds
_THREAD: Final = re.compile(r"(Current thread|Thread) 0x([0-9a-f]+)")
_FRAME: Final = re.compile(r'  File "(.+)", line ([0-9?]+) in (.+)')


class ThreadStack(NamedTuple):
    """One thread. `where`: its places in the code, innermost first."""

    what: str
    where: str


def register() -> int:
    """Register the signal and crashes in the calling process; return the pipe's end for the supervisor, which the caller sends there and closes."""
    ours, pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    faulthandler.enable(pipe)
    faulthandler.register(STACKS_SIGNAL, pipe, chain=True)
    return ours


def read(pipe: int) -> list[ThreadStack]:
    """Return what a dead process has written, first the thread that got the signal. Call it in the thread that forked the process."""
    try:
        text = os.read(pipe, _BYTES_MAX).decode(errors="replace")
    except OSError:
        return []
    return [stack for _, stack in sorted(_stacks(text), key=itemgetter(0)) if stack.where][:THREADS_MAX]


def _stacks(text: str) -> Iterator[tuple[bool, ThreadStack]]:
    """Yield the threads of a report, and whether each is another one than that which got the signal."""
    main = threading.get_ident()  # a thread keeps its number over a fork
    parts = _THREAD.split(text)[1:]
    for number, (kind, ident, frames) in enumerate(zip(parts[::3], parts[1::3], parts[2::3], strict=True), 1):
        places = (f"{Path(file).name}:{line} {name}" for file, line, name in _FRAME.findall(frames))
        what = MAIN if int(ident, 16) == main else f"thread {number}"
        yield kind == "Thread", ThreadStack(what, " < ".join(islice(places, FRAMES_MAX)))
