"""Check all sessions again after bans, notices or refused countries changed: end sessions of users who may not use the service any more, and send
unread notices.

**Invariant:** the loop serves other events between slices of SLICE sessions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from engine.engine import Engine, Session

SLICE: Final = 200  # sessions, 4 µs each


class RecheckedWorker(Protocol):
    """The worker, as this check needs it: a part of `server.realtime.worker.worker_loop.Worker`."""

    @property
    def find_ban(self) -> Callable[[int, str], tuple[bytes, bytes] | None]:
        """See `WorkerPorts`."""

    @property
    def find_country_refusal(self) -> Callable[[str], bytes | None]:
        """See `WorkerPorts`."""

    @property
    def find_notice(self) -> Callable[[int, int], tuple[str, bytes] | None]:
        """See `WorkerPorts`."""

    @property
    def engine(self) -> Engine:
        """The worker's engine."""

    def ban(self, id: int, refusal: bytes) -> None:
        """End a session with a closing error."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, and deliver what follows."""


async def look(worker: RecheckedWorker, sessions: Sequence[Session]) -> None:
    """Check each of these sessions."""
    for place, session in enumerate(sessions):
        banned = worker.find_ban(session.identity, session.address)
        refusal = banned[0] if banned is not None else worker.engine.underage(session.person, time.monotonic())
        refusal = worker.find_country_refusal(session.address) if refusal is None else refusal
        if refusal is not None:
            worker.ban(session.id, refusal)
        elif worker.find_notice(session.identity, session.id) is not None:
            worker.act(lambda _, session=session: worker.engine.notify(session))  # type: ignore[misc]  # bound now
        if place % SLICE == SLICE - 1:
            await asyncio.sleep(0)
