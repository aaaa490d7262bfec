"""Keep a worker's HTTP clients by id, connection and session, and encode a client as a record for migration.

**Invariant:** the number of clients is bounded, and a client migrates to another process as a whole.
"""

import time
from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final

from engine.views import SeatView, SessionView
from ext.accept.address_limits import Addresses, key_of
from server.ops.config.settings import Settings
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.ended_clients import EndedChat, EndedClients
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.partner_digests import PartnerDigests
from server.site.omegle.remote_sessions import RemoteClients, digests_of

DAY = 86_400

Piece = tuple[dict[str, Any], list[bytes], list[int]]  # a piece for another process, with its blobs and descriptors


class ClientTable:
    """The table of clients. `shared`: see `PartnerDigests`."""

    remote_clients: RemoteClients  # clients whose sessions are at other hosts

    def __init__(self, worker: Worker, settings: Settings, shared: bytes | None) -> None:
        chosen = settings.omegle
        self._worker = worker
        self._idle = chosen.idle
        self._addresses = Addresses(open_max=chosen.clients_address, burst=chosen.start_burst, rate=chosen.start_rate,
                                    limits=settings.limits.enabled)  # fmt: skip
        self.digests = PartnerDigests(shared)  # its keys are sent to another process before any client
        self.clients: dict[str, OmegleClient] = {}
        self.gone = EndedClients()
        self._by_conn: dict[int, OmegleClient] = {}
        self._by_session: dict[int, OmegleClient] = {}
        self._visits: deque[tuple[float, OmegleClient]] = deque()
        self._ended: list[OmegleClient] = []
        self._away: dict[str, OmegleClient] = {}  # clients whose poll was cut: their sessions wait for the grace time

    async def lately(self, randid: str, address: str) -> EndedChat | None:
        """Return a randid's latest ended chat, in this network, or None."""
        return await self.gone.latest(self.digests.person(randid), key_of(address)) if randid else None

    def knows(self, id: str) -> bool:
        """Whether an id is known: its client is here, or has ended and its next poll has to learn that."""
        return id in self.clients or id in self.gone.owed

    def _here(self, client: OmegleClient) -> bool:
        """Whether this object is the client of its id: a client of the same id may have come back from another process."""
        return self.clients.get(client.id) is client

    def remember(self, client: OmegleClient, seat: SeatView | None) -> None:
        """Remember a client's last chat, so that it can request the log."""
        if client.person and seat is not None and seat.chat.people:
            self.gone.lately.put(client.person, client.key, seat)

    def _digests_of(self, client: OmegleClient) -> str:
        """Return the digests of a chat's two clients, in the order of their sides."""
        session, day = client.session, int(time.time()) // DAY
        if client.wire is not None:
            return digests_of(client, self.digests, day)
        seat = session.seat or session.past
        sides = {} if seat is None else dict([*seat.others, (seat.side, session.id)])
        return ",".join(self._digest(sides[side], day) for side in (0, 1) if side in sides)

    def _digest(self, session: int, day: int) -> str:
        client = self._by_session.get(session)
        return self.digests.of(session, client.person if client is not None else 0, day)

    # migration to another process or host

    def of(self, session: int) -> OmegleClient | None:
        """Return the client of a session; None if it has none."""
        return self._by_session.get(session)

    def ready(self, client: OmegleClient) -> bool:
        """Whether a client can be packed now: no response with events is being written, and it is not about to end."""
        there = client.wire is None or (client.wire.is_open and client.session.id not in self._worker.engine.sessions)
        return there and not client.carrying and client not in self._ended

    def part(self, client: OmegleClient) -> None:
        """Detach a client from its connection."""
        self._by_conn.pop(client.conn, None)
        client.conn = 0

    def join(self, client: OmegleClient, session: SessionView, conn: int) -> None:
        """Attach a client to its session here and this connection; 0: the connection was lost during the migration."""
        client.session, client.conn = session, conn
        if conn:
            self._by_conn[conn] = client
        else:
            self._away[client.id] = client

    def alone(self, client: OmegleClient, now: float) -> Piece:
        """Pack a client whose session is not here."""
        blobs: list[bytes] = []
        wire, descriptors = self.remote_clients.pack(client, blobs)
        return {"client": self.pack(client, now, blobs), **wire}, blobs, descriptors

    def pack(self, client: OmegleClient, now: float, blobs: list[bytes]) -> dict[str, Any]:
        """Remove a client that is ready and return its record, with its session or, if that is over, alone; its held poll is answered with an
        empty list.
        """
        record = pack_client(client, now, blobs)
        self.clients.pop(client.id, None)
        self._away.pop(client.id, None)
        self._by_conn.pop(client.conn, None)
        self._by_session.pop(client.session.id, None)
        self._addresses.leave(client.key, now)
        empty_client(client)
        return record

    def unpack(
        self, record: dict[str, Any], blobs: list[bytes], session: SessionView | None, now: float
    ) -> OmegleClient:
        """Add a client from another process, whose `session` is here; None: its session is over. Raises KeyError, TypeError, ValueError."""
        client = unpack_client(record, blobs, session or EndedSession(), now)
        self.clients[client.id] = client
        self._addresses.moved(client.key, now)
        insort(self._visits, (client.heard + self._idle, client), key=itemgetter(0))
        if session is not None:
            self._by_session[session.id] = client
            if client.conn:
                self._by_conn[client.conn] = client
            else:
                self._away[client.id] = client
        return client

    def rest(self, now: float) -> Iterator[Piece]:
        """Yield everything here without a session, in pieces that are removed as they are yielded: last events, ids and ended chats."""
        for piece, blobs in self.gone.pack(now):
            yield piece, blobs, []
        for client in list(self.clients.values()):
            alone = client.wire is not None or client.session.id not in self._by_session
            if alone and self._here(client) and self.ready(client):
                yield self.alone(client, now)

    def take_rest(self, piece: dict[str, Any], blobs: list[bytes], now: float, descriptors: Sequence[int] = ()) -> None:
        """Add a piece of `rest`, of another process or a returned one; unknown fields are ignored.

        Raises KeyError, TypeError, ValueError: the caller then still owns the descriptors.
        """
        self.gone.unpack(piece, blobs, now)
        if "client" not in piece:
            return
        client = self.unpack(piece["client"], blobs, None, now)
        if "wire" in piece:
            self._by_session[int(piece["wire"]["session"])] = client
            self.remote_clients.unpack(piece["wire"], blobs, client, descriptors)
            if client.wire is not None and client.wire.cut:
                self._away[client.id] = client


STORED: Final = ("person", "key", "find", "chat", "last", "unread", "challenge")
FLAGS: Final = ("gone", "told", "pending", "paused", "solved")
LEFT_OUT: Final = ("", 0)


class EndedSession:
    """Session of a client whose own session is over and that only has its last events."""

    id = 0
    conn = 0
    state = -1
    seat: SeatView | None = None
    past: SeatView | None = None


def pack_client(client: OmegleClient, now: float, blobs: list[bytes]) -> dict[str, Any]:
    """Return a client as a record; its events are in `blobs`."""
    record: dict[str, Any] = {"id": client.id, "host": client.host.encode(errors="replace").decode()}
    record |= {"heard": now - client.heard, "paid": now - client.paid}
    record |= {name: value for name in STORED if (value := getattr(client, name)) not in LEFT_OUT}
    record |= {name: 1 for name in FLAGS if getattr(client, name)}
    if client.events:
        record |= {"events": len(blobs), "lengths": [len(event) for event in client.events]}
        blobs.append(b"".join(client.events))
    return record


def unpack_client(record: dict[str, Any], blobs: list[bytes], session: SessionView, now: float) -> OmegleClient:
    """Return the client of a record; unknown fields are ignored. Raises KeyError, TypeError, ValueError for an invalid one."""
    person, key, find = int(record.get("person", 0)), str(record.get("key", "")), dict(record["find"])
    client = OmegleClient(
        str(record["id"]), session, person, key, find, now - float(record["heard"]), str(record["host"])
    )
    client.paid = now - float(record["paid"])
    client.chat, client.last = str(record.get("chat", "")), int(record.get("last", 0))
    client.unread, client.challenge = str(record.get("unread", "")), str(record.get("challenge", ""))
    for name in FLAGS:
        setattr(client, name, bool(record.get(name)))
    if "events" in record:
        client.put(_parted(blobs[int(record["events"])], record["lengths"]))
    return client


def _parted(joined: bytes, lengths: list[int]) -> list[bytes]:
    """Split joined events by their lengths. Raises ValueError."""
    ends = list(accumulate(lengths))
    if min(lengths) < 1 or ends[-1] != len(joined):
        raise ValueError("events do not fit their lengths")
    return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def empty_client(client: OmegleClient) -> None:
    """Empty a client that another process has, so that holders of references send it nothing."""
    client.moved = True
    client.events, client.size = [], 0
    client.gone = client.pending = client.paused = False
    client.unread = ""
    client.release(False)
