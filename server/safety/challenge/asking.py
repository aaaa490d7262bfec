"""Which challenge somebody gets, and whether the answer is right. Rule: the loop never waits for one, and a bounded number is made at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from engine.engine import Session
from engine.protocol import CHALLENGE_WAITS, PLAIN, PROGRAM
from server import log
from server.safety.challenge.puzzles import LIFE, Puzzles
from server.worker.worker import Worker

ALTCHA: Final = "altcha"
MAKING_MAX: Final = 64  # puzzles that wait for a thread; beyond, who asks is told to come back
BUSY: Final = -1.0

logger = log.get()


class Asking:
    """Of one worker, which it is told of by `begin`."""

    def __init__(self, puzzles: Puzzles) -> None:
        self._puzzles = puzzles
        self._worker: Worker | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, worker: Worker) -> None:
        """Whose sessions they are."""
        self._worker = worker

    def ask(self, session: Session, level: int) -> float:
        """`engine.ports.Outside.ask`."""
        if session.way & (PLAIN | PROGRAM):
            return CHALLENGE_WAITS[level]
        if len(self._tasks) >= MAKING_MAX or self._puzzles.full:
            return BUSY
        self._start(self._make(session, level))
        return 0.0

    def check(self, session: Session, level: int, kind: str, response: str) -> bool | None:
        """`engine.ports.Outside.check`."""
        return kind == ALTCHA and self._puzzles.right(session.id, level, response)

    async def close(self) -> None:
        """Make no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _make(self, session: Session, level: int) -> None:
        """One puzzle. Where it cannot be made the log says why, and the next search asks anew."""
        worker = self._worker
        if worker is None:
            return
        engine = worker.engine
        try:
            parameters = await asyncio.to_thread(self._puzzles.make, session.id, level)
        except Exception as error:  # noqa: BLE001 - a fault of ours costs one challenge
            logger.error("challenge.fault", **log.described(error))
            engine.unmade(session, level)
            return
        if engine.sessions.get(session.id) is session:  # it may have gone, or moved
            worker.act(lambda now: engine.challenge(session, ALTCHA, level, parameters, LIFE, now))
