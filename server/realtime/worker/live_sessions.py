"""List the sessions of one process for operators, and carry out their orders: end a session, pause its video, apply statements to all users.

A request and its answer are JSON objects, which other processes of the host and other hosts send on (`server.fleet.frontend.live_requests`).
**Invariant:** an answer holds nothing that a user said, and no address; only `find` names the identity, for the audit log of the asking process.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from engine.engine import Engine, Session
from engine.views import CHATTING, STATES, WAITING
from engine.wire.protocol import PROGRAM
from server.ops import log
from server.ops.health.service_state import BadStatement, Rows, ServiceState

ROWS_MAX: Final = 200  # of a list
SLICE: Final = 500  # sessions that are sent a frame in one turn of the loop
PAUSE_MAX: Final = 3_600  # seconds of a pause of video
UNKNOWN: Final[Mapping[str, Any]] = {"error": "this release knows no such request"}


class LiveWorker(Protocol):
    """The worker, as this module needs it (`server.realtime.worker.worker_loop.Worker`)."""

    @property
    def engine(self) -> Engine:
        """The worker's engine."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, and deliver what follows."""


class LiveSessions:
    """The sessions of one process, as operators see them. `find_country`: two letters for an address, or None; `count_coming`: returns how many
    sessions an upgrade has yet to move here.
    """

    def __init__(
        self,
        worker: LiveWorker,
        find_country: Callable[[str], str | None],
        service: ServiceState,
        count_coming: Callable[[], int] = lambda: 0,
    ) -> None:
        self._worker = worker
        self._count_coming = count_coming
        self._find_country = find_country
        self._service = service
        self._telling: asyncio.Task[None] | None = None
        if service.maintenance is not None:  # of before this process started
            worker.engine.close_searches(True, time.monotonic())

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer one request of an operator. It never raises."""
        try:
            match request:
                case {"do": "count"}:
                    return self._count() | self._coming()
                case {"do": "list"}:
                    return self._list(request) | self._coming()
                case {"do": "find", "session": str(name)}:
                    return self._find(name) | self._coming()
                case {"do": "end", "session": str(name)}:
                    return self._order(name, lambda session, now: self._worker.engine.remove(session, now))
                case {"do": "pause", "session": str(name), "seconds": int(seconds)} if 0 < seconds <= PAUSE_MAX:
                    return self._order(
                        name, lambda session, now: self._worker.engine.pause_video(session, seconds, now)
                    )
                case {"do": "service", "rows": rows}:
                    self.take(rows)
                    return {"rows": self._service.rows}
                case {"do": "store", "away": bool(away)}:
                    self.note_store(away)
                    return {"done": True}
                case {"do": "log", "group": str(group), "level": str(level)}:
                    log.set_level(group, level)
                    return {"done": True}
        except (BadStatement, log.BadLevel) as bad:
            return {"error": str(bad)}
        return UNKNOWN

    # statements to all users

    @property
    def rows(self) -> Rows:
        """The statements, for another process."""
        return self._service.rows

    @property
    def store_away(self) -> bool:
        """Whether the database is away."""
        return self._service.store_away

    def take(self, rows: object) -> bool:
        """Take statements; returns whether one is new. Raises BadStatement."""
        if not self._service.take(rows):
            return False
        self.tell()
        return True

    def tell(self) -> None:
        """Apply the statements, and send them to all users who are connected."""
        engine, closed = self._worker.engine, self._service.maintenance is not None
        self._worker.act(lambda now: engine.close_searches(closed, now))
        if self._telling is not None:
            self._telling.cancel()
        self._telling = asyncio.get_running_loop().create_task(self._tell())

    def note_store(self, away: bool) -> None:
        """Tell all users whether the database is away."""
        if self._service.store_away != away:
            self._service.store_away = away
            self.tell()

    async def _tell(self) -> None:
        frame, sessions = self._service.frame(), list(self._worker.engine.sessions.values())
        for at in range(0, len(sessions), SLICE):
            some = sessions[at : at + SLICE]
            self._worker.act(lambda _, some=some: self._worker.engine.send_all(some, frame))  # type: ignore[misc]  # bound now
            await asyncio.sleep(0)

    # sessions

    def _coming(self) -> dict[str, int]:
        """Return what an answer says beside the sessions that are here."""
        coming = self._count_coming()
        return {"coming": coming} if coming else {}

    def _count(self) -> dict[str, Any]:
        sessions = self._worker.engine.sessions.values()
        states = Counter(STATES[session.state] for session in sessions)
        return {
            "sessions": len(sessions),
            "away": sum(not session.conn for session in sessions),
            "video": sum(_is_video(session) for session in sessions),
            "states": dict(states),
        }

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sessions of a state, country and address, those that are longest in their state first; ROWS_MAX at most."""
        now, state, country, address = (
            time.monotonic(),
            request.get("state"),
            request.get("country"),
            request.get("address"),
        )
        found: Iterator[Session] = (
            session
            for session in self._worker.engine.sessions.values()
            if (not state or STATES[session.state] == state)
            and (not address or session.address == address)
            and (not country or self._find_country(session.address) == country)
        )
        total = 0

        def counted() -> Iterator[tuple[float, int, Session]]:
            nonlocal total
            for session in found:
                total += 1
                since = self._since(session)
                yield (now - since if since else -1.0), session.id, session

        longest = heapq.nlargest(ROWS_MAX, counted(), key=lambda one: one[:2])
        return {"total": total, "rows": [self._row(session, seconds) for seconds, _, session in longest]}

    def _since(self, session: Session) -> float:
        """Return when a session entered its state, 0.0: unknown."""
        if session.state == CHATTING and session.seat is not None:
            return session.seat.chat.began
        if session.state == WAITING:
            return self._worker.engine.room.since(session.id) or 0.0
        return 0.0

    def _row(self, session: Session, seconds: float) -> dict[str, Any]:
        paused = self._worker.engine.pauses.left(session.person, time.monotonic())
        return {
            "session": f"{session.id:016x}",
            "state": STATES[session.state],
            "seconds": round(seconds, 1) if seconds >= 0 else None,
            "video": _is_video(session),
            "away": not session.conn,
            "program": bool(session.way & PROGRAM),
            "country": self._find_country(session.address),
            "paused": round(paused),
        }

    def _session(self, name: str) -> Session | None:
        try:
            return self._worker.engine.sessions.get(int(name, 16)) if len(name) == 16 else None
        except ValueError:
            return None

    def _find(self, name: str) -> dict[str, Any]:
        session = self._session(name)
        if session is None:
            return {}
        return {"identity": session.identity, "address": session.address, "state": STATES[session.state]}

    def _order(self, name: str, carry_out: Callable[[Session, float], None]) -> dict[str, Any]:
        session = self._session(name)
        if session is None:
            return {"done": False}
        self._worker.act(lambda now: carry_out(session, now))
        return {"done": True}


def _is_video(session: Session) -> bool:
    return session.state == CHATTING and session.seat is not None and session.seat.chat.video
