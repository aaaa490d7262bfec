"""Export sessions with their sockets from a worker, and import them into a worker of another process.

**Invariant:** a group (the sessions of one chat, or one waiting session) is exported whole or not at all, and a descriptor has one owner.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from engine.engine import Session, SessionRecord
from server.realtime.worker.worker_loop import Worker


class Released(NamedTuple):
    """Exported sessions, which no process has. `descriptors`: by the person's place in the record; -1: no socket, or the session is away."""

    session_record: SessionRecord
    descriptors: list[int]


def nothing() -> None:
    """Do nothing."""


def unheard(_: Session) -> None:
    """Do nothing with a session."""


def ask_again(worker: Worker, sessions: Iterable[Session]) -> None:
    """Send the pending saves of these sessions to the store again: the process that would have answered them has ended, or is at another host."""

    def ask(_: float) -> None:
        for session in waiting:
            worker.forget_saves(session.id)
            worker.engine.save_again(session)
            worker.output.news(session.conn)

    if waiting := [session for session in sessions if session.saves]:
        worker.act(ask)


class SessionMoves:
    """Export and import of sessions, of one worker.

    Both sides of a migration use it, and so does the source when it restores sessions that the target refused.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.dropped = 0  # sessions imported without their connection, as if it had dropped

    def release(self, ids: Sequence[int], near: bool = False) -> Released | None:
        """Export these sessions with their connections. Return None, with nothing changed, if one of them cannot leave now.

        `near`: for a process of this release.
        """
        worker = self._worker
        if worker.busy:
            return None
        sessions = worker.engine.sessions
        wires: dict[int, tuple[str, dict[str, Any], bytes]] = {}
        numbers: dict[int, int] = {}
        for id in ids:
            conn = sessions[id].conn
            if not conn:
                continue
            found = worker.reactor.release(conn)
            if found is None:
                self._undo(numbers, wires)
                return None
            numbers[id], address, state, data = found
            worker.output.visitors.pop(conn, None)
            wires[id] = address, state, data
        away = {id: worker.reactor.allowance(sessions[id]) for id in ids if id not in wires}
        allowances = {id: left for id, left in away.items() if left is not None}
        session_record = worker.engine.moves.release(ids, wires, time.monotonic(), allowances, near)
        return Released(session_record, [numbers.get(person["id"], -1) for person in session_record.record["people"]])

    def _undo(self, numbers: dict[int, int], wires: dict[int, tuple[str, dict[str, Any], bytes]]) -> None:
        """Restore the connections of a group of which one session could not leave."""
        worker = self._worker
        back: list[tuple[Session, int]] = []
        for id, (address, state, data) in wires.items():
            session = worker.engine.sessions[id]
            try:
                conn = worker.reactor.take(numbers[id], address, state, data, session)
                if "visitor" in state:
                    worker.output.visits(conn, session)
            except OSError:
                conn = 0
                self.dropped += 1
            back.append((session, conn))

        def rewire(now: float) -> None:
            for session, conn in back:
                worker.engine.moves.rewire(session, conn, now)

        if back:  # one turn for all: none may run while a session of them has no connection
            worker.act(rewire)

    def take(
        self,
        session_record: SessionRecord,
        descriptors: Sequence[int],
        mine: Callable[[], None] = nothing,
        greet: Callable[[Session], None] = unheard,
    ) -> list[Session]:
        """Import sessions and return them. Raises BadRecord with nothing changed.

        `mine` is called once, before a descriptor is used: from then on the descriptors belong to this worker. If this raises, they belong to the
        caller. `greet` is called with each session before any of its frames is read.
        """
        worker, left = self._worker, dict(enumerate(descriptors))
        told = False

        def tell() -> None:
            nonlocal told
            if not told:
                told = True
                mine()

        def connect(index: int, session: Session, address: str, state: dict[str, Any], data: bytes) -> int:
            tell()
            try:
                conn = worker.reactor.take(left.pop(index), address, state, data, session)
            except (OSError, ValueError):
                self.dropped += 1
                return 0
            if state.get("visitor"):
                worker.output.visits(conn, session)
            return conn

        now = time.monotonic()
        came = worker.engine.moves.take(session_record, connect, now, worker.reactor.allow)
        tell()
        for session in came:
            greet(session)
        worker.act(partial(self._uncheck, came))
        for descriptor in left.values():
            if descriptor >= 0:  # a session that is away has none
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        return came

    def _uncheck(self, came: Sequence[Session], now: float) -> None:
        """Drop the pending check of a challenge's answer: the verdict is sent to the source, which does not have the session any more."""
        for session in came:
            if session.trial is not None and session.trial.checked:
                self._worker.engine.unchecked(session, session.trial.level, 0.0, now)
