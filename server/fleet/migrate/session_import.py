"""Accept what another process of this host sends in a migration: groups of sessions, new connections, and tunnels (connections whose session is at
another host).

**Invariant:** the acknowledgement is sent before a descriptor is touched; from then on this process owns what arrived. A group is accepted whole
or refused whole.
"""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from engine.engine import BadRecord, Session, SessionRecord
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.migrate import omegle_records
from server.fleet.migrate.migration_counts import MigrationCounts
from server.ops import log
from server.ops.process import fault_points
from server.realtime.worker.session_moves import SessionMoves
from server.realtime.worker.tunnel_interface import ReleasedTunnel
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.omegle_adapter import OmegleAdapter

# (kind, number, more): answers the message of this number, with an acknowledgement or a refusal
Answer = Callable[..., object]

logger = log.get()


def read_nothing(_: Sequence[Mapping[str, Any]]) -> None:
    """Read nothing in the records of sessions."""


class Imports:
    """Way into one process."""

    def __init__(
        self,
        worker: Worker,
        moving: SessionMoves,
        tally: MigrationCounts,
        adapter: OmegleAdapter | None = None,
        going: Collection[int] = (),
        unpack: Callable[[Sequence[Mapping[str, Any]]], None] = read_nothing,
    ) -> None:
        """`going`: sessions that are refused, by id: they are under way from here to another host, which may have them (`MigrationSource.going`);
        `unpack`: takes what the source alone knew out of the records of sessions, before any of them is resumed.
        """
        self._worker = worker
        self._moving = moving
        self._tally = tally
        self._adapter = adapter
        self._going = going
        self._unpack = unpack

    def take_all(self, message: Message, cause: str, answer: Answer, *more: int) -> list[Session] | None:
        """Take a group (PEOPLE, MEET). `more`: added to the acknowledgement; None: the group was refused."""
        _, where, since = message.records[:3]
        descriptors = [message.descriptors[place] if place >= 0 else -1 for place in where]
        acknowledge = partial(answer, Kind.TOOK, message.number, *more)
        return self._take(message, descriptors, since, cause, acknowledge, answer)

    def take_one(self, message: Message, cause: str, answer: Answer) -> list[Session] | None:
        """Take one session that comes to meet another or to resume (COME); None: it was refused."""
        since = message.records[3]
        acknowledge = partial(answer, Kind.TOOK, message.number)
        return self._take(message, message.descriptors, since, cause, acknowledge, answer)

    def _take(
        self,
        message: Message,
        descriptors: Sequence[int],
        since: float,
        cause: str,
        acknowledge: Callable[[], object],
        answer: Answer,
    ) -> list[Session] | None:
        session_record = SessionRecord(message.records[0], message.pieces)

        def take_over() -> None:
            acknowledge()
            fault_points.at("took")
            self._unpack(session_record.record["people"])

        try:
            if self._going and any(person["id"] in self._going for person in session_record.record["people"]):
                raise BadRecord("a session that is under way from here")
            came = self._moving.take(session_record, descriptors, take_over)
        except BadRecord as bad:
            logger.error("migration.refused", people=len(descriptors), **log.described(bad))
            for descriptor in message.descriptors:
                os.close(descriptor)
            answer(Kind.NO, message.number)
            return None
        omegle_records.unpack(self._adapter, session_record, came)
        self._tally.came(cause, len(came), time.monotonic() - since)
        return came

    def take_newcomer(self, message: Message, answer: Answer) -> None:
        """Take a connection of which no request was read yet."""
        answer(Kind.TOOK, message.number)
        with contextlib.suppress(OSError):  # no memory, or no descriptor is left: it is closed, as any newcomer is then
            self._worker.reactor.adopt_socket(message.descriptors[0], message.records[0], message.pieces[0], True)
        self._worker.act(lambda _: None)

    def take_tunnels(self, message: Message, answer: Answer) -> None:
        """Take clients whose sessions are at other hosts."""
        answer(Kind.TOOK, message.number)
        pairs = zip(message.descriptors[::2], message.descriptors[1::2], strict=True)
        for record, data, (client, home) in zip(message.records, message.pieces, pairs, strict=True):
            self._worker.tunnels.take(ReleasedTunnel(record, data, client, home))
        self._worker.act(lambda _: None)
