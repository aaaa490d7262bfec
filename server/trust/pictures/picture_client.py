"""The server's side of looks at pictures. Rule: a process that is dead, slow or full costs nobody but the look: it answers None, and that is counted.

A picture goes to the process as it came; nothing of it is decoded here, and what comes back is looked at before it is believed. AT_ONCE are there,
the others wait, the oldest of too many are dropped. The process gets one descriptor, the folder of lists, and an environment with nothing of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from server.ops import log
from server.ops.config.picture_settings import Pictures
from server.ops.config.picture_settings import installed as installed
from server.ops.metrics.exposition import Reading
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.picture_metrics import PICTURE_BOUNDS
from server.trust.pictures.picture_messages import (
    ANSWER_MAX,
    BODY_MAX,
    JUDGE,
    STILL_MAX,
    THUMBS,
    UNASKED,
    UNSCORED,
    Job,
    Judged,
    pack_job,
    unpack_answer,
)
from server.trust.programs.helper_process import Program, spawned

FRESH: Final = 5.0  # seconds that a job may take before the process does not count as up
STUCK: Final = 10.0  # the same before it is ended
STARTING: Final = 60.0  # seconds until its first word
LOOK: Final = 2.0  # seconds between looks at the lists, and at its age
AT_ONCE: Final = 2  # jobs in the process: one that is done, one that lies ready
NUMBERS: Final = 1 << 32
FOLDER: Final = "lists"  # under DATA
# one thread, and no word of the libraries to their makers (`judge.STILL`)
ENVIRONMENT: Final = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

logger = log.get()


def nobody_looks() -> None:
    """Nothing follows from it."""


class Waiting(NamedTuple):
    """A job whose answer somebody waits for, since `since`."""

    job: Job
    answer: asyncio.Future[Judged | None]
    since: float


class Judging:
    """One a process that has people, whose name is `process`; `data`: the data folder. Call it in the loop."""

    def __init__(self, process: str, chosen: Pictures, data: Path) -> None:
        self._name = process
        self._chosen = chosen
        self._folder = data / FOLDER
        self._sock: socket.socket | None = None  # None: there is no process that takes jobs
        self._queue: deque[Waiting] = deque()
        self._asked: dict[int, tuple[Waiting, float]] = {}  # by number, with the time at which it was sent
        self._number = 0
        self._seconds = Histogram(PICTURE_BOUNDS)
        self.dropped = 0
        self._lists: object = ()  # what the process read of them
        # told where the process begins or ends to answer, and where the first of its jobs comes
        self.changed: Callable[[], None] = nobody_looks
        self._program = Program(self, ANSWER_MAX + 1, strict=True)

    @property
    def up(self) -> bool:
        """Whether the process answers."""
        return self._sock is not None and self._oldest() < FRESH

    @property
    def busy(self) -> bool:
        """Whether there is a job: of one that takes too long it is not up."""
        return bool(self._queue or self._asked)

    @property
    def waiting(self) -> int:
        """Jobs that wait for it."""
        return len(self._queue)

    async def judge(self, strip: bytes, reported: bool = False, score: float = UNSCORED) -> Judged | None:
        """What a strip shows; None: nobody looked. `reported`: look for known pictures, whatever the score; `score`: somebody else's."""
        began = time.monotonic()
        seen = await self._done(JUDGE, strip, reported, score)
        if seen is not None:
            self._seconds.add(time.monotonic() - began)
        return seen

    async def thumb(self, own: bytes) -> bytes | None:
        """The thumb of a tile; None: it was no picture, or nobody looked."""
        seen = await self._done(THUMBS, own, False, UNSCORED)
        return seen.thumbs[0] if seen is not None and seen.thumbs else None

    async def glance(self, still: bytes, frames: int) -> Judged | None:
        """The verdict on what nobody asked for, and that alone; None: nobody looked. It takes nobody's place: only while no other one waits."""
        if not self.up or self._queue or self._asked or len(still) > STILL_MAX:
            return None
        return await self._done(UNASKED, still, False, UNSCORED, frames)

    @property
    def pid(self) -> int:
        """Of the process, 0: there is none."""
        return self._program.pid

    async def run(self) -> None:
        """Until it is cancelled: keep a process there."""
        await self._program.run()

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        return {
            "serendip_pictures_up": {(self._name,): int(self.up)},
            "serendip_picture_seconds": self._seconds.reading(),
            "serendip_pictures_waiting": self.waiting,
            "serendip_pictures_dropped": self.dropped,
        }

    async def _done(self, kind: int, body: bytes, reported: bool, score: float, frames: int = 1) -> Judged | None:
        if self._sock is None or not 0 < len(body) <= (STILL_MAX if kind == UNASKED else BODY_MAX):
            self.dropped += 1
            return None
        if not self.busy:
            self.changed()
        while len(self._queue) >= self._chosen.queue:
            self._drop(self._queue.popleft())
        self._number = (self._number + 1) % NUMBERS
        answer: asyncio.Future[Judged | None] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(Job(kind, self._number, reported, score, body, frames), answer, time.monotonic()))
        self._send()
        return await answer

    def _drop(self, waiting: Waiting) -> None:
        if not waiting.answer.done():
            self.dropped += 1
            waiting.answer.set_result(None)

    def _send(self) -> None:
        """Give the process what it has room for."""
        while self._sock is not None and self._queue and len(self._asked) < AT_ONCE:
            waiting = self._queue.popleft()
            if waiting.answer.done():  # nobody waits for it any more
                continue
            try:
                self._sock.send(pack_job(waiting.job))
            except BlockingIOError:  # its next answer makes room
                self._queue.appendleft(waiting)
                return
            except OSError:  # it ended: `_read` sees that
                self._drop(waiting)
                return
            self._asked[waiting.job.number] = (waiting, time.monotonic())

    def _oldest(self) -> float:
        """Seconds that the job takes which was sent first."""
        return time.monotonic() - min((sent for _, sent in self._asked.values()), default=time.monotonic())

    # of the program

    async def watch(self, over: asyncio.Event) -> bool:
        """See `Owner`: it shall end where it stands still, and where the lists are not those that it read: then true."""
        began = time.monotonic()
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LOOK)
                return False
            if self._oldest() >= STUCK or (self._sock is None and time.monotonic() - began >= STARTING):
                logger.error("pictures.stuck")
                return False
            if await asyncio.to_thread(stamp, self._folder) != self._lists:
                return True
        return False

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        """See `Owner`."""
        chosen = self._chosen
        self._lists = stamp(self._folder)  # before it reads them
        words = [str(pair), str(chosen.hit), str(chosen.unsure), str(chosen.quality), str(self._folder.absolute())]
        return spawned("server.trust.pictures", words, (pair,), ENVIRONMENT)

    def gone(self) -> None:
        """See `Owner`: whoever waits is told that nobody looked."""
        self._sock = None
        for waiting, _ in self._asked.values():
            self._drop(waiting)
        self._asked.clear()
        while self._queue:
            self._drop(self._queue.popleft())
        self.changed()

    def ended(self, status: int) -> None:
        """See `Owner`."""
        logger.error("pictures.ended", status=status)

    def unreadable(self, error: Exception) -> None:
        """See `Owner`."""
        logger.error("pictures.unreadable", **log.described(error))

    def take(self, sock: socket.socket, data: bytes) -> None:
        """See `Owner`. Behind a message that is none the process ends: whose answer that was is not known."""
        if self._sock is None:
            self._began(sock, orjson.loads(data))
            return
        if data.startswith(b"{"):
            message = orjson.loads(data)
            logger.error("pictures.fault", error=str(message["fault"]), where=str(message["where"]))
            return
        number, judged = unpack_answer(data)
        if number not in self._asked:
            raise ValueError("an answer that nobody waits for")
        waiting, _ = self._asked.pop(number)
        if not waiting.answer.done():
            waiting.answer.set_result(judged)
        self._send()

    def _began(self, sock: socket.socket, message: dict[str, Any]) -> None:
        """Its first word: that it is there, or why not."""
        if "fault" in message:
            logger.error("pictures.fault", error=str(message["fault"]), where=str(message["where"]))
            return
        count, bad, without = message["ready"], message["bad"], message["without"]
        if type(count) is not int or not isinstance(bad, str) or not isinstance(without, list):
            raise ValueError("no first word")
        logger.info("pictures.ready", count=count)
        if bad:
            logger.error("pictures.list_refused", name=bad)
        for what in without:
            logger.warning("pictures.unconfined", what=str(what))
        self._sock = sock
        self.changed()


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the lists in a folder, to see a change; what cannot be seen is not there."""
    found = []
    for path in sorted(folder.glob("*.pdq")):
        with contextlib.suppress(OSError):
            about = path.stat()
            found.append((path.name, about.st_size, about.st_mtime_ns))
    return tuple(found)
