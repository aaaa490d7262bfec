"""Send pictures to the picture process and await its verdicts; start the process, and restart it when it ends.

**Invariant:** a dead, slow or full process costs only the verdict, which is then None. At most AT_ONCE pictures are sent and unanswered; the rest
wait in a bounded queue, which drops its oldest when full.
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
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.picture_metrics import PICTURE_BOUNDS
from server.ops.process.first_done import is_set_within
from server.trust.pictures.picture_process_codec import (
    ANSWER_MAX,
    JUDGE,
    MOST,
    SENT,
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
STUCK: Final = 10.0  # seconds that a job may take before the process is killed
STARVED: Final = 60.0  # the same while it could run: others use all cores, and a new process would have no more of them
STARTING: Final = 60.0  # seconds until its first message
LOOK: Final = 2.0  # seconds between checks of the lists, and of the oldest job
AT_ONCE: Final = 2  # jobs in the process: one in work, one ready
NUMBERS: Final = 1 << 32
FOLDER: Final = "lists"  # under DATA
# one thread, and no telemetry of the libraries (`picture_verdict.STILL`)
ENVIRONMENT: Final = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

logger = log.get()


class WaitingJob(NamedTuple):
    """A job whose answer is awaited, since `since`."""

    job: Job
    answer: asyncio.Future[Judged | None]
    since: float


class PictureClient:
    """Client of the picture process, one for each process with users, whose name is `process`. `data`: the data folder. Call it in the loop.

    `on_change`: called when the process begins or ceases to answer, and for a job when none was there.

    A picture is sent as it came: nothing is decoded here, and each answer is validated. The process gets one descriptor, the folder of hash lists,
    and an environment without this server's variables.
    """

    def __init__(
        self, process: str, chosen: Pictures, data: Path, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._name = process
        self._chosen = chosen
        self._folder = data / FOLDER
        self._sock: socket.socket | None = None  # None: no process accepts jobs
        self._queue: deque[WaitingJob] = deque()
        self._asked: dict[int, tuple[WaitingJob, float]] = {}  # job number → (job, time of sending)
        self._number = 0
        self._seconds = Histogram(PICTURE_BOUNDS)
        self.dropped = 0
        self._lists: object = ()  # as the process read them
        self._on_change = on_change
        self._program = Program(self, ANSWER_MAX + 1, strict=True)

    @property
    def up(self) -> bool:
        """Whether the process answers."""
        return self._sock is not None and self._oldest() < FRESH

    @property
    def busy(self) -> bool:
        """Whether there is a job: a job that takes too long means not up."""
        return bool(self._queue or self._asked)

    @property
    def waiting(self) -> int:
        """Number of waiting jobs."""
        return len(self._queue)

    async def judge(self, strip: bytes, reported: bool = False, score: float = UNSCORED) -> Judged | None:
        """Return the verdict on a strip, or None. `reported`: match the lists, whatever the score; `score`: a remote provider's."""
        began = time.monotonic()
        seen = await self._done(JUDGE, strip, reported, score)
        if seen is not None:
            self._seconds.add(time.monotonic() - began)
        return seen

    async def thumb(self, own: bytes) -> bytes | None:
        """Return the thumb of a tile; None if it is no picture, or there is no answer."""
        seen = await self._done(THUMBS, own, False, UNSCORED)
        return seen.thumbs[0] if seen is not None and seen.thumbs else None

    async def glance(self, still: bytes, frames: int) -> Judged | None:
        """Return the verdict alone on an unrequested picture, or None. It is judged only while no other job exists."""
        if not self.up or self._queue or self._asked or len(still) > STILL_MAX:
            return None
        return await self._done(UNASKED, still, False, UNSCORED, frames)

    async def judge_sent(self, picture: bytes) -> Judged | None:
        """Return the verdict on a picture that a user sends the partner, matched with the lists, or None."""
        return await self._done(SENT, picture, True, UNSCORED)

    @property
    def pid(self) -> int:
        """Process id, 0 without a process."""
        return self._program.pid

    async def run(self) -> None:
        """Keep a process running until cancelled."""
        await self._program.run()

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_pictures_up": {(self._name,): int(self.up)},
            "serendip_picture_seconds": self._seconds.reading(),
            "serendip_pictures_waiting": self.waiting,
            "serendip_pictures_dropped": self.dropped,
        }

    async def _done(self, kind: int, body: bytes, reported: bool, score: float, frames: int = 1) -> Judged | None:
        if self._sock is None or not 0 < len(body) <= MOST[kind]:
            self.dropped += 1
            return None
        if not self.busy:
            self._on_change()
        while len(self._queue) >= self._chosen.queue:
            self._drop(self._queue.popleft())
        self._number = (self._number + 1) % NUMBERS
        answer: asyncio.Future[Judged | None] = asyncio.get_running_loop().create_future()
        self._queue.append(WaitingJob(Job(kind, self._number, reported, score, body, frames), answer, time.monotonic()))
        self._send()
        return await answer

    def _drop(self, waiting: WaitingJob) -> None:
        if not waiting.answer.done():
            self.dropped += 1
            waiting.answer.set_result(None)

    def _send(self) -> None:
        """Send the process the jobs that it has room for."""
        while self._sock is not None and self._queue and len(self._asked) < AT_ONCE:
            waiting = self._queue.popleft()
            if waiting.answer.done():  # its caller was cancelled
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
        """Return the seconds since the oldest job in the process was sent."""
        return time.monotonic() - min((sent for _, sent in self._asked.values()), default=time.monotonic())

    # as the owner of the program

    async def watch(self, over: asyncio.Event) -> bool:
        """See `Owner`: return to end a stuck process (False), or one whose lists have changed (True)."""
        began = time.monotonic()
        while not over.is_set():
            if await is_set_within(over, LOOK):
                return False
            if await self._is_stuck() or (self._sock is None and time.monotonic() - began >= STARTING):
                logger.error("pictures.stuck")
                return False
            if await asyncio.to_thread(stamp, self._folder) != self._lists:
                return True
        return False

    async def _is_stuck(self) -> bool:
        """Whether the oldest job takes too long, and not for want of a core."""
        age = self._oldest()
        return age >= STARVED or (age >= STUCK and not await asyncio.to_thread(is_runnable, self.pid))

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        """See `Owner`."""
        chosen = self._chosen
        self._lists = stamp(self._folder)  # before it reads them
        words = [str(pair), str(chosen.hit), str(chosen.unsure), str(chosen.quality), str(self._folder.absolute())]
        return spawned("server.trust.pictures", words, (pair,), ENVIRONMENT)

    def gone(self) -> None:
        """See `Owner`: all waiting callers get None."""
        self._sock = None
        for waiting, _ in self._asked.values():
            self._drop(waiting)
        self._asked.clear()
        while self._queue:
            self._drop(self._queue.popleft())
        self._on_change()

    def ended(self, status: int) -> None:
        """See `Owner`."""
        logger.error("pictures.ended", status=status)

    def unreadable(self, error: Exception) -> None:
        """See `Owner`."""
        logger.error("pictures.unreadable", **log.described(error))

    def take(self, sock: socket.socket, data: bytes) -> None:
        """See `Owner`. An invalid message ends the process, because the job that it answers is unknown."""
        if self._sock is None:
            self._began(sock, orjson.loads(data))
            return
        if data.startswith(b"{"):
            message = orjson.loads(data)
            logger.error("pictures.fault", error=str(message["fault"]), where=str(message["where"]))
            return
        number, judged = unpack_answer(data)
        if number not in self._asked:
            raise ValueError("an answer to no request")
        waiting, _ = self._asked.pop(number)
        if not waiting.answer.done():
            waiting.answer.set_result(judged)
        self._send()

    def _began(self, sock: socket.socket, message: dict[str, Any]) -> None:
        """Handle the first message: the process is ready, or why not."""
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
        self._on_change()


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and times of the lists in a folder, to detect a change; unreadable ones are left out."""
    found = []
    for path in sorted(folder.glob("*.pdq")):
        with contextlib.suppress(OSError):
            about = path.stat()
            found.append((path.name, about.st_size, about.st_mtime_ns))
    return tuple(found)


def is_runnable(pid: int) -> bool:
    """Whether a process runs, or waits for a core alone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"R"
    except (OSError, IndexError):
        return False
