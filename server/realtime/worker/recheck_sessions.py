"""Who is banned or under age goes, and who has a notice is told, of people who are here already. Rule: a slice at a time, so that nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from engine.engine import Engine, Session

SLICE: Final = 200  # sessions in one go, 4 us each


class Having(Protocol):
    """Who has them: what `server.realtime.worker.worker_loop.Worker` is, of which see each."""

    @property
    def find_ban(self) -> Callable[[int, str], tuple[bytes, bytes] | None]:
        """See `WorkerPorts`."""

    @property
    def find_notice(self) -> Callable[[int, int], tuple[str, bytes] | None]:
        """See `WorkerPorts`."""

    @property
    def engine(self) -> Engine:
        """Theirs."""

    def ban(self, id: int, refusal: bytes) -> None:
        """One is over."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Something is done to the engine."""


async def look(worker: Having, sessions: Sequence[Session]) -> None:
    """Look at each of these."""
    for place, session in enumerate(sessions):
        banned = worker.find_ban(session.identity, session.address)
        refusal = banned[0] if banned is not None else worker.engine.underage(session.person, time.monotonic())
        if refusal is not None:
            worker.ban(session.id, refusal)
        elif worker.find_notice(session.identity, session.id) is not None:
            worker.act(lambda _, session=session: worker.engine.notify(session))  # type: ignore[misc]  # bound now
        if place % SLICE == SLICE - 1:
            await asyncio.sleep(0)
