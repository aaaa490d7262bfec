"""People who leave this worker or come to it, with their connections. Rule: a group goes whole or stays; a descriptor has one owner.

Both sides of a hand-over use it, and who takes back what nobody took.
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
    """People who are nowhere. `descriptors`: by the place of the person in the record; -1: no socket, or away."""

    parcel: SessionRecord
    descriptors: list[int]


def nothing() -> None:
    """Nobody is to be told."""


def unheard(_: Session) -> None:
    """Nobody is told anything."""


def ask_again(worker: Worker, sessions: Iterable[Session]) -> None:
    """Who answers the saves of these is not known, or is at another host: the store is asked anew, from here."""

    def ask(_: float) -> None:
        for session in waiting:
            worker.forget_saves(session.id)
            worker.engine.save_again(session)
            worker.output.news(session.conn)

    if waiting := [session for session in sessions if session.saves]:
        worker.act(ask)


class Moving:
    """The way out of a worker, and into it."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.dropped = 0  # people whose connection could not be taken up: they are here, as if it had dropped

    def release(self, ids: Sequence[int]) -> Released | None:
        """Take these sessions out, with their connections; None where one of them cannot go now: nothing has changed."""
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
        parcel = worker.engine.moves.release(ids, wires, time.monotonic(), allowances)
        return Released(parcel, [numbers.get(person["id"], -1) for person in parcel.record["people"]])

    def _undo(self, numbers: dict[int, int], wires: dict[int, tuple[str, dict[str, Any], bytes]]) -> None:
        """One of a group could not go: the others' connections are here again."""
        worker = self._worker
        for id, (address, state, data) in wires.items():
            session = worker.engine.sessions[id]
            try:
                conn = worker.reactor.take(numbers[id], address, state, data, session)
                if "visitor" in state:
                    worker.output.visits(conn, session)
            except OSError:
                conn = 0
                self.dropped += 1
            worker.act(lambda now, session=session, conn=conn: worker.engine.moves.rewire(session, conn, now))  # type: ignore[misc]

    def take(
        self,
        parcel: SessionRecord,
        descriptors: Sequence[int],
        mine: Callable[[], None] = nothing,
        greet: Callable[[Session], None] = unheard,
    ) -> list[Session]:
        """Put people in. Raises BadRecord: nothing has changed. `mine` is called once, before a descriptor is touched; `greet` with each who came,
        before anything that they said is heard.

        The descriptors are this worker's from there on; where this raises they are the caller's.
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
        came = worker.engine.moves.take(parcel, connect, now, worker.reactor.allow)
        tell()
        for session in came:
            greet(session)
        worker.act(partial(self._uncheck, came))
        for descriptor in left.values():
            if descriptor >= 0:  # of somebody who has no wire: there is none
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        return came

    def _uncheck(self, came: Sequence[Session], now: float) -> None:
        """An answer to a challenge that was being checked: what comes of it is told to the process that asked, which has nobody for it."""
        for session in came:
            if session.trial is not None and session.trial.checked:
                self._worker.engine.unchecked(session, session.trial.level, 0.0, now)
