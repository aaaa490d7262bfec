"""Clients whose sessions are at other hosts, where they meet others that cannot move either. Rule: until the home has somebody they are here, and
whoever's session is not here is spoken for by a `Wire`, whose other end is the edge's end of a tunnel like any person's.

    here ──leaves──► nowhere ──goes──► there, by a wire ──home, still waiting──► here
                        └──stays──► here                └──home, their chat is over──► its past is kept here, and they end

The session is the home's with all that it has; what it comes home with is the chat that is over, by which its log is saved. An office
that ends takes its clients along, so that a home ends them at once (`server.realtime.worker.worker_loop`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from engine.engine import Session
from engine.views import CHATTING, WAITING, SeatView, SessionView
from engine.wire.protocol import CLOSE_NONE, LEFT
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.omegle_client import Client
from server.site.omegle.partner_digests import Digests
from server.site.omegle.remote_session import Parted, Wire

LEAVE: Final = b'{"type":"leave"}'
HOME_WITHIN: Final = 3.0  # seconds for the session of who ends there to come home with its last chat


class There:
    """The session of a client that is at another host, or on its way: what is known of it here."""

    conn = 0
    seat: SeatView | None = None
    past: SeatView | None = None

    def __init__(self, id: int, client: Client) -> None:
        self.id = id
        self._client = client

    @property
    def state(self) -> int:
        """As its client was told."""
        return CHATTING if self._client.chat else WAITING


class Ending(NamedTuple):
    """A client that ended, and whose session is to come home. `over`: done when it is, or does not come."""

    client: Client
    wire: Wire
    timer: asyncio.TimerHandle
    over: asyncio.Future[None]


class Face(Protocol):
    """What has the clients (`server.site.omegle.omegle_adapter`)."""

    def of(self, session: int) -> Client | None: ...
    def ready(self, client: Client) -> bool: ...
    def hear(self, client: Client, payloads: list[bytes | int]) -> None: ...
    def part(self, client: Client) -> None:
        """Its connection is no more."""

    def join(self, client: Client, session: SessionView, conn: int) -> None:
        """Its session is here, with this connection."""

    def go_on(self, client: Client, wire: Wire) -> None:
        """What became of it meanwhile is told to its session."""

    def remember(self, client: Client, seat: SeatView | None) -> None:
        """Its last chat."""


class Afar:
    """Those of one adapter. Call it in the loop. It is a `server.fleet.roaming.migration_source.Speaker`."""

    def __init__(self, worker: Worker, face: Face) -> None:
        self._worker = worker
        self._face = face
        self._ended: dict[int, Ending] = {}  # by the id of the session

    # on the way there

    def ready(self, session: int) -> bool:
        """Whether whoever speaks for a session, if anybody does, can let it go now."""
        client = self._face.of(session)
        return client is None or self._face.ready(client)

    def leaves(self, session: int) -> bool:
        """A session without a socket is nowhere from here on; False: nobody speaks for it."""
        client = self._face.of(session)
        if client is None:
            return False
        self._face.part(client)
        client.wire = Wire(partial(self._face.hear, client))
        client.session = There(session, client)
        return True

    def stays(self, session: Session) -> None:
        """It did not go: it is here again."""
        client = self._face.of(session.id)
        if client is None:  # who spoke for it ended meanwhile
            self._worker.drop(session.id, session.conn, LEFT)
            return
        wire, client.wire = client.wire, None
        self._face.join(client, session, session.conn)
        if wire is not None:
            self._face.go_on(client, wire)

    def goes(self, session: int) -> int:
        """Another host has it: the descriptor that is its client's connection. Raises OSError."""
        client = self._face.of(session)
        if client is not None and client.wire is not None:
            return client.wire.open()
        wire = Wire(unheard)  # who spoke for it ended meanwhile
        descriptor = wire.open()
        wire.leave()
        return descriptor

    def lost(self, session: int) -> None:
        """Nobody knows where it is: it is nobody's."""
        client = self._face.of(session)
        if client is not None:
            self._face.hear(client, [CLOSE_NONE])

    # there

    def retire(self, client: Client) -> None:
        """It ends. Its partner is told at once; its chat is kept here when the session is home."""
        wire, client.wire = client.wire, None
        if wire is None or not wire.is_open:
            return
        if not (client.chat and isinstance(client.session, There)):  # nothing was said, or its session is home
            wire.leave()
            return
        if not client.gone:
            wire.say(LEAVE)
        wire.hear = unheard
        wire.hold(False)
        loop, id = asyncio.get_running_loop(), client.session.id
        timer = loop.call_later(HOME_WITHIN, self._end, id)
        self._ended[id] = Ending(client, wire, timer, loop.create_future())

    def _end(self, id: int) -> Client:
        """Its session is home, or does not come."""
        client, wire, timer, over = self._ended.pop(id)
        timer.cancel()
        over.set_result(None)
        wire.leave()
        return client

    async def known(self, person: int) -> None:
        """Wait until the last chat of a person is known here, if it is on its way."""
        if endings := [ending.over for ending in self._ended.values() if ending.client.person == person]:
            await asyncio.wait(endings)

    def home(self, sessions: Sequence[Session]) -> None:
        """These came back from another host (`Tunnels.returned`)."""
        for session in sessions:
            if session.id in self._ended:
                seat = session.seat or session.past
                self._face.remember(self._end(session.id), seat)
            elif (found := self._face.of(session.id)) is not None and found.wire is not None:
                self._come_home(found, found.wire, session)

    def _come_home(self, client: Client, wire: Wire, session: Session) -> None:
        """Who waits still is here as before; who talked has the end of it on their wire yet."""
        client.session = session
        conn = self._worker.return_to(session.id) if session.state == WAITING else 0
        if conn:
            client.wire = None
            self._face.join(client, session, conn)
            self._worker.resume(session.id, conn, 0, "")
            wire.leave()
            self._face.go_on(client, wire)

    # between two processes

    def pack(self, client: Client, blobs: list[bytes]) -> tuple[dict[str, Any], list[int]]:
        """The wire of a client that goes, and its descriptor; nothing of who has none."""
        wire, client.wire = client.wire, None
        parted = None if wire is None else wire.release()
        if wire is None or parted is None:
            return {}, []
        record = {"session": client.session.id, "bytes": len(blobs), "cut": wire.cut and time.monotonic() - wire.cut}
        blobs += (parted.unread, parted.untaken)
        return {"wire": record}, [parted.descriptor]

    def unpack(self, record: Mapping[str, Any], blobs: list[bytes], client: Client, descriptors: Sequence[int]) -> None:
        """The other way. Raises KeyError, TypeError, ValueError: the descriptor is the caller's still."""
        id, at, cut = int(record["session"]), int(record["bytes"]), float(record["cut"])
        unread, untaken = blobs[at : at + 2]
        (descriptor,) = descriptors
        client.session = There(id, client)
        client.wire = wire = Wire(partial(self._face.hear, client))
        wire.cut = cut and time.monotonic() - cut
        wire.take(Parted(descriptor, unread, untaken))
        wire.hold(client.paused)
        session = self._worker.engine.sessions.get(id)
        if session is not None:  # it came home before its client was here
            self._come_home(client, wire, session)


def digests_of(client: Client, digests: Digests, day: int) -> str:
    """Of the two of its chat, itself first: the other one by the chat, which is all that is known of them here."""
    other = int.from_bytes(blake2b(client.chat.encode(), digest_size=8).digest())
    return f"{digests.of(client.session.id, client.person, day)},{digests.of(other, 0, day)}"


def unheard(_: list[bytes | int]) -> None:
    """Nobody is there to be told."""
