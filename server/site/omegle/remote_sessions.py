"""Track the HTTP clients of this host whose sessions are at another host, for a match or a chat there.

**Invariant:** the session with all its state is at one host. An HTTP client without a session here has a `SessionWire`, a socket pair that is
forwarded to the other host like a browser's connection.
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
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.partner_digests import PartnerDigests
from server.site.omegle.remote_session import SessionWire, WireState, ignore

LEAVE: Final = b'{"type":"leave"}'
HOME_WITHIN: Final = 3.0  # seconds for the session of an ended client to return with its last chat


class RemoteState:
    """Session of a client that is at another host, or migrating: what is known of it here."""

    conn = 0
    seat: SeatView | None = None
    past: SeatView | None = None

    def __init__(self, id: int, client: OmegleClient) -> None:
        self.id = id
        self._client = client

    @property
    def state(self) -> int:
        """The state that the client was sent."""
        return CHATTING if self._client.chat else WAITING


class EndingClient(NamedTuple):
    """A client that ended and whose session is to return. `over`: done when it has returned, or will not."""

    client: OmegleClient
    wire: SessionWire
    timer: asyncio.TimerHandle
    over: asyncio.Future[None]


class ClientOwner(Protocol):
    """Owner of the clients (`server.site.omegle.omegle_adapter`)."""

    def of(self, session: int) -> OmegleClient | None: ...
    def ready(self, client: OmegleClient) -> bool: ...
    def receive_frames(self, client: OmegleClient, payloads: list[bytes | int]) -> None: ...
    def part(self, client: OmegleClient) -> None:
        """Detach the client from its connection."""

    def join(self, client: OmegleClient, session: SessionView, conn: int) -> None:
        """Attach the client to its session here, with this connection."""

    def go_on(self, client: OmegleClient, wire: SessionWire) -> None:
        """Apply to the session what happened meanwhile."""

    def remember(self, client: OmegleClient, seat: SeatView | None) -> None:
        """Remember the client's last chat."""


class RemoteClients:
    """The remote clients of one adapter. Call it in the loop. It is a `server.fleet.roaming.socketless_clients.SocketlessClients`.

    local ──session exported──► leaving ──acknowledged──► remote (by a SessionWire) ──returns while waiting──► local
                                  └──refused──► local            └──returns after the chat──► ended, its chat kept here for the log

    The returning session brings the ended chat. If the frontend of an HTTP client ends, the other host ends the client's session at once
    (`server.realtime.worker.worker_loop`).
    """

    def __init__(self, worker: Worker, owner: ClientOwner) -> None:
        self._worker = worker
        self._owner = owner
        self._ended: dict[int, EndingClient] = {}  # by the id of the session

    # migration to the other host

    def ready(self, session: int) -> bool:
        """Whether a session has no client here, or its client can be migrated now."""
        client = self._owner.of(session)
        return client is None or self._owner.ready(client)

    def leaves(self, session: int) -> bool:
        """Detach a session without a socket that is about to migrate; False: it has no client here."""
        client = self._owner.of(session)
        if client is None:
            return False
        self._owner.part(client)
        client.wire = SessionWire(partial(self._owner.receive_frames, client))
        client.session = RemoteState(session, client)
        return True

    def stays(self, session: Session) -> None:
        """Attach a session that did not migrate."""
        client = self._owner.of(session.id)
        if client is None:  # its client ended meanwhile
            self._worker.drop(session.id, session.conn, LEFT)
            return
        wire, client.wire = client.wire, None
        self._owner.join(client, session, session.conn)
        if wire is not None:
            self._owner.go_on(client, wire)

    def goes(self, session: int) -> int:
        """Return the descriptor of a migrated session's client connection. Raises OSError."""
        client = self._owner.of(session)
        if client is not None and client.wire is not None:
            return client.wire.open()
        wire = SessionWire(ignore)  # its client ended meanwhile
        descriptor = wire.open()
        wire.leave()
        return descriptor

    def lost(self, session: int) -> None:
        """End the client of a session that was lost in the migration."""
        client = self._owner.of(session)
        if client is not None:
            self._owner.receive_frames(client, [CLOSE_NONE])

    # at the other host

    def retire(self, client: OmegleClient) -> None:
        """End a client. Its partner is notified at once; its chat is remembered here when the session has returned."""
        wire, client.wire = client.wire, None
        if wire is None or not wire.is_open:
            return
        if not (
            client.chat and isinstance(client.session, RemoteState)
        ):  # nothing was written, or its session has returned
            wire.leave()
            return
        if not client.gone:
            wire.say(LEAVE)
        wire.mute()
        wire.hold(False)
        loop, id = asyncio.get_running_loop(), client.session.id
        timer = loop.call_later(HOME_WITHIN, self._end, id)
        self._ended[id] = EndingClient(client, wire, timer, loop.create_future())

    def _end(self, id: int) -> OmegleClient:
        """Finish an ended client whose session has returned, or will not."""
        client, wire, timer, over = self._ended.pop(id)
        timer.cancel()
        over.set_result(None)
        wire.leave()
        return client

    async def known(self, person: int) -> None:
        """Wait until a user's last chat has returned, if it is on its way."""
        if endings := [ending.over for ending in self._ended.values() if ending.client.person == person]:
            await asyncio.wait(endings)

    def home(self, sessions: Sequence[Session]) -> None:
        """Attach sessions that returned from another host (`Tunnels.returned`)."""
        for session in sessions:
            if session.id in self._ended:
                seat = session.seat or session.past
                self._owner.remember(self._end(session.id), seat)
            elif (found := self._owner.of(session.id)) is not None and found.wire is not None:
                self._come_home(found, found.wire, session)

    def _come_home(self, client: OmegleClient, wire: SessionWire, session: Session) -> None:
        """Attach a returned session: a waiting one continues here; of one that was in a chat the end of the chat is still to be read from its
        wire.
        """
        client.session = session
        conn = self._worker.return_to(session.id) if session.state == WAITING else 0
        if conn:
            client.wire = None
            self._owner.join(client, session, conn)
            self._worker.resume(session.id, conn, 0, "")
            wire.leave()
            self._owner.go_on(client, wire)

    # migration to another process

    def pack(self, client: OmegleClient, blobs: list[bytes]) -> tuple[dict[str, Any], list[int]]:
        """Return the record of a migrating client's wire, and its descriptor; nothing if it has no wire."""
        wire, client.wire = client.wire, None
        parted = None if wire is None else wire.release()
        if wire is None or parted is None:
            return {}, []
        record = {"session": client.session.id, "bytes": len(blobs), "cut": wire.cut and time.monotonic() - wire.cut}
        blobs += (parted.unread, parted.untaken)
        return {"wire": record}, [parted.descriptor]

    def unpack(
        self, record: Mapping[str, Any], blobs: list[bytes], client: OmegleClient, descriptors: Sequence[int]
    ) -> None:
        """Restore a client's wire. Raises KeyError, TypeError, ValueError: the caller then still owns the descriptor."""
        id, at, cut = int(record["session"]), int(record["bytes"]), float(record["cut"])
        unread, untaken = blobs[at : at + 2]
        (descriptor,) = descriptors
        client.session = RemoteState(id, client)
        client.wire = wire = SessionWire(partial(self._owner.receive_frames, client))
        wire.cut = cut and time.monotonic() - cut
        wire.take(WireState(descriptor, unread, untaken))
        wire.hold(client.paused)
        session = self._worker.engine.sessions.get(id)
        if session is not None:  # it returned before its client was here
            self._come_home(client, wire, session)


def digests_of(client: OmegleClient, digests: PartnerDigests, day: int) -> str:
    """Return the digests of a chat's two participants, this client first: the other one is derived from the chat, since nothing else of it is
    known here.
    """
    other = int.from_bytes(blake2b(client.chat.encode(), digest_size=8).digest())
    return f"{digests.of(client.session.id, client.person, day)},{digests.of(other, 0, day)}"
