"""Who is here of the HTTP clients, and who was: by id, connection and session. Rule: bounded, and who goes to another process goes whole.

What they say and hear is the adapter's (`server.site.omegle.omegle_adapter`), which is one of these.
"""

import time
from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from engine.views import SeatView, SessionView
from ext.accept.address_limits import Addresses, key_of
from server.ops.config.settings import Settings
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.client_record import Over, emptied, packed, unpacked
from server.site.omegle.ended_clients import Gone, Past
from server.site.omegle.omegle_client import Client
from server.site.omegle.partner_digests import Digests
from server.site.omegle.remote_clients import Afar, digests_of

DAY = 86_400

Piece = tuple[dict[str, Any], list[bytes], list[int]]  # with its blobs and descriptors, for another process


class Table:
    """See the module. `shared`: see `Digests`."""

    afar: Afar  # of those whose sessions are at other hosts

    def __init__(self, worker: Worker, settings: Settings, shared: bytes | None) -> None:
        chosen = settings.omegle
        self._worker = worker
        self._idle = chosen.idle
        self._addresses = Addresses(open_max=chosen.clients_address, burst=chosen.start_burst, rate=chosen.start_rate,
                                    limits=settings.limits.enabled)  # fmt: skip
        self.digests = Digests(shared)  # its keys go to another process before anybody
        self.clients: dict[str, Client] = {}
        self.gone = Gone()
        self._by_conn: dict[int, Client] = {}
        self._by_session: dict[int, Client] = {}
        self._visits: deque[tuple[float, Client]] = deque()
        self._ended: list[Client] = []
        self._away: dict[str, Client] = {}  # whose poll was cut: their sessions wait for the grace time

    async def lately(self, randid: str, address: str) -> Past | None:
        """A randid's latest chat that is over, in this network; None where there is none."""
        return await self.gone.latest(self.digests.person(randid), key_of(address)) if randid else None

    def knows(self, id: str) -> bool:
        """Whether something can be said of an id: it is here, or was and is owed its end."""
        return id in self.clients or id in self.gone.owed

    def _here(self, client: Client) -> bool:
        """Whether it is one of ours still: its id may have come back from another process, as another client."""
        return self.clients.get(client.id) is client

    def remember(self, client: Client, seat: SeatView | None) -> None:
        """Its last chat, of which it may ask for the log."""
        if client.person and seat is not None and seat.chat.people:
            self.gone.lately.put(client.person, client.key, seat)

    def _digests_of(self, client: Client) -> str:
        """The digests of the two who talk, in the order of their sides."""
        session, day = client.session, int(time.time()) // DAY
        if client.wire is not None:
            return digests_of(client, self.digests, day)
        seat = session.seat or session.past
        sides = {} if seat is None else dict([*seat.others, (seat.side, session.id)])
        return ",".join(self._digest(sides[side], day) for side in (0, 1) if side in sides)

    def _digest(self, session: int, day: int) -> str:
        client = self._by_session.get(session)
        return self.digests.of(session, client.person if client is not None else 0, day)

    # between two processes, or two hosts

    def of(self, session: int) -> Client | None:
        """The client of a session; None: it has none."""
        return self._by_session.get(session)

    def ready(self, client: Client) -> bool:
        """Whether it may be packed now: no answer with events is on its way, and it is not about to end."""
        there = client.wire is None or (client.wire.is_open and client.session.id not in self._worker.engine.sessions)
        return there and not client.carrying and client not in self._ended

    def part(self, client: Client) -> None:
        """Its connection is no more."""
        self._by_conn.pop(client.conn, None)
        client.conn = 0

    def join(self, client: Client, session: SessionView, conn: int) -> None:
        """Its session is here, with this connection; 0: it was lost on the way."""
        client.session, client.conn = session, conn
        if conn:
            self._by_conn[conn] = client
        else:
            self._away[client.id] = client

    def alone(self, client: Client, now: float) -> Piece:
        """As `pack`, of one whose session is not here."""
        blobs: list[bytes] = []
        wire, descriptors = self.afar.pack(client, blobs)
        return {"client": self.pack(client, now, blobs), **wire}, blobs, descriptors

    def pack(self, client: Client, now: float, blobs: list[bytes]) -> dict[str, Any]:
        """A client that is ready leaves, with its session or, where that is over, by itself; its held poll is answered with nothing."""
        record = packed(client, now, blobs)
        self.clients.pop(client.id, None)
        self._away.pop(client.id, None)
        self._by_conn.pop(client.conn, None)
        self._by_session.pop(client.session.id, None)
        self._addresses.leave(client.key, now)
        emptied(client)
        return record

    def unpack(self, record: dict[str, Any], blobs: list[bytes], session: SessionView | None, now: float) -> Client:
        """A client comes, or comes back, whose `session` is here; None: it is over. Raises KeyError, TypeError, ValueError."""
        client = unpacked(record, blobs, session or Over(), now)
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
        """Who and what is here without a session, in pieces that leave as they are given: last events, ids and chats that are over."""
        for piece, blobs in self.gone.pack(now):
            yield piece, blobs, []
        for client in list(self.clients.values()):
            alone = client.wire is not None or client.session.id not in self._by_session
            if alone and self._here(client) and self.ready(client):
                yield self.alone(client, now)

    def take_rest(self, piece: dict[str, Any], blobs: list[bytes], now: float, descriptors: Sequence[int] = ()) -> None:
        """The other way, and back; what is not known here is passed over.

        Raises KeyError, TypeError, ValueError: the descriptors are the caller's.
        """
        self.gone.unpack(piece, blobs, now)
        if "client" not in piece:
            return
        client = self.unpack(piece["client"], blobs, None, now)
        if "wire" in piece:
            self._by_session[int(piece["wire"]["session"])] = client
            self.afar.unpack(piece["wire"], blobs, client, descriptors)
            if client.wire is not None and client.wire.cut:
                self._away[client.id] = client
