"""Standard error without waiting for it. Rule: who writes a line is never held up and never fails; what does not get out is counted.

Lines wait in a bounded queue for a thread of their own, which is the only one that writes. A file that takes nothing (a full
disk, `/dev/full`, a reader that is gone) costs the lines, a reader that does not read costs those beyond the bound. The
first line that gets out again is told after one that says how many are missing and which error was the last.
"""

import errno
import os
import queue
import select
import threading
from collections.abc import Callable
from typing import Final

LINES: Final = 10_000  # that wait at most; a line of ours has a few hundred bytes
BATCH: Final = 100  # lines of one write
END: Final = None  # in the queue: the thread is to end


class Sink:
    """Lines to a descriptor. `told` makes the line that says what is missing, from (lines, name of the last error)."""

    def __init__(self, descriptor: int, told: Callable[[int, str], bytes], lines: int = LINES) -> None:
        self._descriptor = descriptor
        self._told = told
        self._bound = lines
        self._queue: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        self._untold = 0  # lines that were lost since the last that got out
        self._error = ""  # what the last of them met with
        self.dropped = 0  # lines that were lost, in all
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Take a line, with its end. Never blocks, never raises."""
        if self._queue.qsize() >= self._bound:
            self._lose(1, "behind")
        else:
            self._queue.put(line)

    def flush(self, within: float = 1.0) -> bool:
        """Wait until what was taken is written or lost; False where that takes longer than `within` seconds."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(within)

    def close(self, within: float = 1.0) -> None:
        """Write what waits and end the thread; after `within` seconds it is left behind (it ends with the process)."""
        self._queue.put(END)
        self._thread.join(within)

    def _run(self) -> None:
        while True:
            lines, other = self._taken()
            if lines:
                self._write(lines)
            if isinstance(other, threading.Event):
                other.set()
            elif other is END and not isinstance(other, bytes):
                return

    def _taken(self) -> tuple[list[bytes], "threading.Event | bytes | None"]:
        """Lines that wait, a few at once, and what came behind them that is no line (b"": nothing)."""
        found = self._queue.get()
        lines: list[bytes] = []
        while isinstance(found, bytes):
            lines.append(found)
            if len(lines) == BATCH or self._queue.empty():
                return lines, b""
            found = self._queue.get()
        return lines, found

    def _write(self, lines: list[bytes]) -> None:
        before = self._untold
        head = self._told(before, self._error) if before else b""
        try:
            self._put(head + b"".join(lines))
        except OSError as error:
            self._lose(len(lines), errno.errorcode.get(error.errno or 0, type(error).__name__))
        else:
            self._untold -= before

    def _put(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody made it non-blocking: a pipe is shared with who reads it
                select.select([], [self._descriptor], [])

    def _lose(self, count: int, error: str) -> None:
        self._untold += count
        self._error = error
        self.dropped += count


def hold_standard_descriptors() -> None:
    """Open what is closed of 0, 1 and 2 to nowhere, or a socket would get that number, and what is printed would go to a person."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return
