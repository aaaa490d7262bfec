"""Write log lines to standard error from a thread with a bounded queue.

**Invariant:** writing a line never blocks and never raises; lost lines are counted, and a line reports their number as soon as one can be written.
"""

# A descriptor that refuses writes (a full disk, `/dev/full`, a closed pipe) loses the lines; a slow reader loses those beyond the bound. The report
# also names the last error.

import errno
import os
import queue
import select
import threading
from collections.abc import Callable
from typing import Final

LINES: Final = 10_000  # lines that wait at most; a line has a few hundred bytes
BATCH: Final = 100  # lines of one write
AGAIN_S: Final = 1.0  # between two attempts to report lost lines
END: Final = None  # in the queue: the thread is to end


class LogSink:
    """Queue of lines to a descriptor. `told` formats the line that reports lost lines, from (count, name of the last error)."""

    def __init__(self, descriptor: int, told: Callable[[int, str], bytes], lines: int = LINES) -> None:
        self._descriptor = descriptor
        self._told = told
        self._bound = lines
        self._queue: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        self._untold = 0  # lines lost since the last report
        self._error = ""  # the last error
        self._torn = False  # the last bytes that were written are the beginning of a line
        self.dropped = 0  # lines lost in all
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Queue a line, with its line break. Never blocks, never raises."""
        if self._queue.qsize() >= self._bound:
            self._lose(1, "behind")
        else:
            self._queue.put(line)

    def flush(self, within: float = 1.0) -> bool:
        """Wait until all queued lines are written or lost; False if that takes longer than `within` seconds."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(within)

    def close(self, within: float = 1.0) -> None:
        """Write the queued lines and end the thread; after `within` seconds it is abandoned (it ends with the process)."""
        self._queue.put(END)
        self._thread.join(within)

    def _run(self) -> None:
        while True:
            lines, other = self._taken()
            if lines or self._untold:
                self._write(lines)
            if isinstance(other, threading.Event):
                other.set()
            elif other is END and not isinstance(other, bytes):
                return

    def _taken(self) -> tuple[list[bytes], "threading.Event | bytes | None"]:
        """Take lines from the queue, a batch at most, and the other item that followed them (b"" for none). None for a while if lines were lost."""
        try:
            found = self._queue.get(timeout=AGAIN_S if self._untold else None)
        except queue.Empty:
            return [], b""
        lines: list[bytes] = []
        while isinstance(found, bytes):
            lines.append(found)
            if len(lines) == BATCH or self._queue.empty():
                return lines, b""
            found = self._queue.get()
        return lines, found

    def _write(self, lines: list[bytes]) -> None:
        before = self._untold
        head = (b"\n" if self._torn else b"") + (self._told(before, self._error) if before else b"")
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
                self._torn = bool(data)
            except BlockingIOError:  # the pipe is shared with a reader that made it non-blocking
                select.select([], [self._descriptor], [])

    def _lose(self, count: int, error: str) -> None:
        self._untold += count
        self._error = error
        self.dropped += count


def hold_standard_descriptors() -> None:
    """Open closed descriptors among 0, 1 and 2 to /dev/null; otherwise a client's socket could get that number and receive what is printed."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return
