"""Choose the challenge of a session (a puzzle or the provider's captcha), and check the answer.

**Invariant:** the event loop is never blocked: puzzles are made in threads, a bounded number at once. No single network can get so many puzzles
that it fills the table of solved puzzles for everyone.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, Protocol

from engine.engine import Engine, Session
from engine.wire.protocol import CHALLENGE_WAITS, PLAIN, PRIVATE, PROGRAM
from server.ops import log
from server.ops.config.challenge_settings import ALTCHA, RECAPTCHA, Challenge
from server.ops.health.background_tasks import cancel_all
from server.ops.metrics.metric_type import Reading
from server.ops.security.token_buckets import NetworkBuckets
from server.trust.challenge.altcha_puzzles import LIFE, TRIES, Puzzles
from server.trust.challenge.captcha_verdicts import ACTION, Siteverify

MAKING_MAX: Final = 64  # puzzles that wait for a thread; beyond it, clients must retry
MADE_BURST: Final = 500  # puzzles that a network gets in `LIFE` seconds, in which solved ones are remembered
BUSY: Final = -1.0
HARDEST: Final = max(TRIES)
REFUSED_FOR: Final = 10.0  # seconds without a search, if the provider gives no verdict and there is no fallback

logger = log.get()


class Worker(Protocol):
    """Port of the worker that has the sessions (`server.realtime.worker.worker_loop.Worker`)."""

    @property
    def engine(self) -> Engine:
        """The worker's engine."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, and deliver the engine's output."""


class SessionChallenges:
    """Challenges of one worker, which `begin` sets.

    The hardest level is the captcha provider's, if the operator chose one; a user who asks not to be tracked gets a puzzle of this server in any
    case. If the provider gives no verdict, a puzzle replaces it, or the search is refused for a moment.
    """

    def __init__(self, puzzles: Puzzles, settings: Challenge, *, limits: bool = True) -> None:
        """`limits`: whether a network gets a bounded number of puzzles (`limits.enabled`)."""
        self._puzzles = puzzles
        self._settings = settings
        self._company = None if settings.company is None else Siteverify(settings, settings.company)
        self._worker: Worker | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._making = 0
        self._made = NetworkBuckets(MADE_BURST, MADE_BURST / LIFE) if limits else None
        self._own = 0  # session that gets a puzzle instead of the provider's challenge

    def begin(self, worker: Worker) -> None:
        """Set the worker that has the sessions."""
        self._worker = worker

    def use(self, hosts: Iterable[str]) -> None:
        """Set the host names of this server."""
        if self._company is not None:
            self._company.hosts = (*hosts, self._settings.frame_host)

    def ask(self, session: Session, level: int) -> float:
        """Make a challenge (`engine.core.ports.Outside.make_challenge`)."""
        if self._elsewhere(session, level):
            asyncio.get_running_loop().call_soon(self._tell, session, level)  # the engine is in the middle of a turn
            return 0.0
        if session.way & (PLAIN | PROGRAM):
            return CHALLENGE_WAITS[level]
        if self._making >= MAKING_MAX or self._puzzles.full or not self._spend(session.address):
            return BUSY
        self._making += 1
        self._start(self._make(session, level))
        return 0.0

    def check(self, session: Session, level: int, kind: str, response: str) -> bool | None:
        """Check an answer (`engine.core.ports.Outside.check_answer`)."""
        if kind == ALTCHA:
            return self._puzzles.right(session.id, level, response)
        if self._company is None or kind != self._settings.provider:  # made by another process with other settings
            return False
        self._start(self._verify(self._company, session, level, response))
        return None

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {} if self._company is None else self._company.reading()

    async def close(self) -> None:
        """Cancel all work."""
        await cancel_all(self._tasks)
        if self._company is not None:
            await self._company.stop()

    def _elsewhere(self, session: Session, level: int) -> bool:
        """Whether a session gets the provider's challenge. Clients of Omegle's protocol know reCAPTCHA, in its visible version."""
        company, way = self._company, session.way
        if company is None or way & (PLAIN | PRIVATE) or session.id == self._own:
            return False
        if company.away and self._settings.fallback:
            return False
        if way & PROGRAM:
            return self._settings.provider == RECAPTCHA and not self._settings.invisible
        return level >= HARDEST

    def _spend(self, address: str) -> bool:
        """Take a puzzle from the share of the network of `address`; False if that is spent."""
        if self._made is None:
            return True
        now = time.monotonic()
        if self._made.wait(address, now) > 0.0:
            return False
        self._made.take(address, now)
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, session: Session, level: int) -> None:
        """Send the provider's challenge, which its script makes in the browser. `id` tells it from the next one."""
        parameters = {"sitekey": self._settings.site_key, "action": ACTION, "id": secrets.token_urlsafe(12)}
        self._give(session, self._settings.provider, level, parameters)

    async def _make(self, session: Session, level: int) -> None:
        """Make one puzzle. A failure is logged, and the next search asks again."""
        try:
            parameters = await asyncio.to_thread(self._puzzles.make, session.id, level)
        except Exception as error:  # noqa: BLE001 - a bug costs one challenge
            logger.error("challenge.fault", **log.described(error))
            if self._worker is not None:
                self._worker.engine.unmade(session, level)
            return
        finally:
            self._making -= 1
        self._give(session, ALTCHA, level, parameters)

    async def _verify(self, company: Siteverify, session: Session, level: int, response: str) -> None:
        """Ask the provider, and pass its verdict to the engine."""
        try:
            right = await company.right(response, session.address)
        except Exception as error:  # noqa: BLE001 - a bug costs one challenge
            logger.error("challenge.fault", **log.described(error))
            right = None
        worker = self._worker
        if worker is None or not self._here(session):
            return
        if right is None:
            worker.act(partial(self._instead, worker.engine, session, level))
        else:
            worker.act(partial(worker.engine.judged, session, level, right))

    def _instead(self, engine: Engine, session: Session, level: int, now: float) -> None:
        """Replace a challenge without a verdict by a puzzle, or refuse the search."""
        self._own = session.id if self._settings.fallback else 0
        try:
            engine.unchecked(session, level, 0.0 if self._settings.fallback else REFUSED_FOR, now)
        finally:
            self._own = 0

    def _give(self, session: Session, kind: str, level: int, parameters: dict[str, Any]) -> None:
        worker = self._worker
        if worker is not None and self._here(session):
            worker.act(lambda now: worker.engine.challenge(session, kind, level, parameters, LIFE, now))

    def _here(self, session: Session) -> bool:
        """Whether the session is still here: it may have ended, or migrated."""
        return self._worker is not None and self._worker.engine.sessions.get(session.id) is session
