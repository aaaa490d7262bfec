"""Connect the HTTP clients of one worker with the engine: requests become frames of virtual connections, and frames to these are queued as events.

**Invariant:** clients, polls and queues are bounded, and ended clients are forgotten.
"""

import asyncio
import time
from functools import partial
from typing import Any

import orjson

from engine.views import CHATTING, WAITING, SessionView
from engine.wire.protocol import BROKEN, COME_BACK, DROPPED, LEFT, PROGRAM
from ext.accept.address_limits import key_of
from server.ops.config.settings import Settings
from server.ops.metrics.metric_type import Reading
from server.ops.security.routable_ids import HostHints
from server.realtime.worker.worker_loop import Worker
from server.site.omegle.client_table import ClientTable
from server.site.omegle.frame_events import StatementNotices, queue_events
from server.site.omegle.held_polls import HeldPolls, PollConnection
from server.site.omegle.omegle_client import ID_BEFORE, OmegleClient
from server.site.omegle.omegle_event_encoding import GONE
from server.site.omegle.refused_searches import PendingSearches
from server.site.omegle.remote_session import SessionWire
from server.site.omegle.remote_sessions import RemoteClients
from server.site.omegle.requests_during_upgrade import AwaitedClients
from server.site.omegle.start_parameters import without_topics
from server.site.omegle.status_info import StatusFigures

TYPING = b'{"type":"typing","typing":true}'
STOPPED = b'{"type":"typing","typing":false}'


class OmegleAdapter(ClientTable):
    """All HTTP clients of one worker. Call it in the loop. `shared`: see `Digests`."""

    def __init__(
        self, worker: Worker, settings: Settings, places: HostHints | None = None, shared: bytes | None = None
    ) -> None:
        chosen = settings.omegle
        super().__init__(worker, settings, shared)
        self._places = places or HostHints()
        self._most = chosen.clients
        self.status = StatusFigures(worker.engine, chosen.servers, settings.server.hosts)
        self._announced = StatementNotices(worker.find_statement)
        self._polls = HeldPolls(chosen.hold)
        self._grace = settings.session.grace
        self.remote_clients = RemoteClients(worker, self)
        self.wanted = AwaitedClients()
        self._pending = PendingSearches(
            lambda client: self._say(client, client.find), self.leave, self._away.__contains__
        )
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        # the client whose frame is being processed: frames that it is sent meanwhile are the answer
        self._saying: OmegleClient | None = None
        self.tally = {"starts": 0, "refused": 0, "polls": 0, "unknown": 0}

    def start_ticking(self) -> None:
        """Start the timer that ends held polls and forgets absent clients."""
        self._timer = self._loop.call_later(1.0, self._tick)

    def reading(self) -> Reading:
        """Return the numbers of clients and requests, as a source of metrics."""
        return {
            "serendip_omegle_clients": len(self.clients),
            "serendip_omegle_requests": {(what,): count for what, count in self.tally.items()},
        }

    def stop(self) -> None:
        """Stop the timer, and answer held polls."""
        if self._timer is not None:
            self._timer.cancel()
        for client in self.clients.values():
            client.release(False)

    # clients

    def start(
        self,
        find: dict[str, Any],
        randid: str,
        address: str,
        host: str = "localhost",
        way: int = PROGRAM,
        port: int = 0,
    ) -> OmegleClient | None:
        """Begin a client that searches for a partner; None if it is refused. `way`: bits of `engine.wire.protocol`."""
        now = time.monotonic()
        key = key_of(address)
        if not self._worker.admits() or len(self.clients) >= self._most or not self._addresses.enter(key, now):
            self.tally["refused"] += 1
            return None
        person = self.digests.person(randid)
        session = self._worker.enter(person, address, way, port)
        client = OmegleClient(ID_BEFORE + self._places.letters(), session, person, key, find, now, host)
        self.clients[client.id] = self._by_conn[client.conn] = self._by_session[session.id] = client
        self._visits.append((now + self._idle, client))
        banned = self._worker.find_ban(0, address)
        refusal = banned[0] if banned is not None else self._worker.find_country_refusal(address)
        if refusal is not None:
            self._worker.ban(session.id, refusal)  # sent as an event: this protocol has no other place for it
            return client
        if self._say(client, find) == "challenge":
            client.pending = True
        elif client.refused in ("adult", "maintenance") and client.events:  # it has received the reason
            self._over(client)
        elif client.refused and not self._pending.hold(client, self.status.event(host)):
            self.tally["refused"] += 1
            self.end(client, LEFT)
            return None
        self.tally["starts"] += 1
        if (said := self._worker.find_service()) is not None:
            self.receive_frames(client, [said])
        return client

    def find(self, id: str) -> OmegleClient | None:
        """Return the client of an id; None if it does not exist (any more)."""
        client = self.clients.get(id)
        if client is None:
            self.tally["unknown"] += 1
        else:
            client.heard = time.monotonic()
            if client.id in self._away and not self._return(client):
                self.end(client, LEFT)
        return client

    def cut(self, client: OmegleClient) -> None:
        """Handle a lost connection of a held poll or of a response with events: a drop like any other (rule 4)."""
        if client.id in self._away or client.gone or client.waits or not self._here(client):
            return
        self._away[client.id] = client
        if client.wire is not None:
            client.wire.cut = time.monotonic()
            return
        conn = client.conn
        self.part(client)
        self._worker.drop(client.session.id, conn, DROPPED)

    def _return(self, client: OmegleClient) -> bool:
        """Reconnect a client that was disconnected; return whether its session still exists."""
        self._away.pop(client.id, None)
        if client.wire is not None:
            client.wire.cut = 0.0
            return True
        client.paused = False
        conn = self._worker.return_to(client.session.id)
        if not conn:
            return False
        self.join(client, client.session, conn)
        self._worker.resume(client.session.id, conn, client.last, client.chat)
        return True

    def end(self, client: OmegleClient, how: int) -> None:
        """End a client: forget it at once, and notify its partner."""
        if not self._here(client):
            return
        del self.clients[client.id]
        self._addresses.leave(client.key, time.monotonic())
        self._retire(client, how)
        client.gone = True
        self.gone.owed.put(client.id)
        client.release(True)

    def owes_end(self, id: str) -> bool:
        """Whether this is the first poll of an id since its end: it is answered at once, or a client would take the answer for its next chat's."""
        return self.gone.owed.settle(id)

    def leave(self, client: OmegleClient) -> None:
        """End a client that disconnects."""
        self.end(client, LEFT)

    def _retire(self, client: OmegleClient, how: int) -> None:
        """End the client's session; queued events may still be fetched."""
        self._away.pop(client.id, None)
        self._by_conn.pop(client.conn, None)
        if self._by_session.pop(client.session.id, None) is not None:
            self.remember(client, client.session.seat or client.session.past)
            if client.wire is not None:
                self.remote_clients.retire(client)
            else:
                self._worker.drop(client.session.id, client.conn, how)

    # requests of a client

    def send(self, client: OmegleClient, text: str) -> bool:
        """Send a message; return whether it was accepted."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return not self._say(client, {"type": "message", "text": text}) and not client.gone

    def typing(self, client: OmegleClient, on: bool) -> None:
        """Send that the client is typing, or stopped."""
        if client.session.state == CHATTING:
            self._inject(client, TYPING if on else STOPPED)

    def signal(self, client: OmegleClient, body: dict[str, Any]) -> bool:
        """Send a WebRTC signal; return whether it was accepted."""
        return not self._say(client, {"type": "signal", **body}) and not client.gone

    def widen(self, client: OmegleClient) -> None:
        """Search for any partner from now on."""
        if (client.session.state == WAITING or client.pending) and "interests" in client.find:
            client.find = without_topics(client.find)
            if client.wire is not None:
                client.wire.widened = True  # it may be matched already; if not, the search is repeated
            elif not client.pending:
                self._say(client, client.find)

    def solve(self, client: OmegleClient, response: str) -> bool:
        """Submit the solution of a challenge; False if none is open, or it is not accepted."""
        kind = client.challenge
        return bool(kind) and not self._say(client, {"type": "solution", "kind": kind, "response": response})

    def _say(self, client: OmegleClient, frame: dict[str, Any]) -> str:
        """Process a frame of the client; return the code of the resulting error, "" for none."""
        return self._inject(client, orjson.dumps(frame))

    def _inject(self, client: OmegleClient, payload: bytes) -> str:
        client.refused = ""
        if client.wire is not None:  # its home host sends refusals as frames
            if not (client.chat and client.wire.say(payload)):
                client.refused = "busy"
            return client.refused
        self._saying = client
        if not client.gone and not self._worker.inject(client.conn, payload):
            client.refused = "busy"
        self._saying = None
        return client.refused

    # frames to a client

    def frames(self, conn: int, payloads: list[bytes | int]) -> None:
        """Receive the frames that a virtual connection was sent, in order; a number is the code that it was closed with."""
        client = self._by_conn.get(conn)
        if client is not None:
            self.receive_frames(client, payloads)

    def receive_frames(self, client: OmegleClient, payloads: list[bytes | int]) -> None:
        """Queue the events of frames to a client; `payloads` as in `frames`."""
        answering = client is self._saying
        if not answering:
            client.patience = 0.0
        digests = partial(self._digests_of, client)
        for payload in payloads:
            if isinstance(payload, int):
                if client.wire is not None and client.chat and payload in COME_BACK and not client.gone:
                    client.put([GONE])  # its partner's host is gone
                self._over(client)
            elif queue_events(client, orjson.loads(payload), self.status, digests, self._announced):
                self._over(client)
        if client.pending and not answering:
            self._pending.on_answer(client, self.status.event(client.host))
        if client.full and not client.paused and not client.gone:
            client.paused = True
            self._pause(client, True)
        client.wake()

    def _pause(self, client: OmegleClient, on: bool) -> None:
        """Pause or resume frames to a client."""
        if client.wire is not None:
            client.wire.hold(on)
        else:
            self._worker.pause(client.conn, on)

    def go_on(self, client: OmegleClient, wire: SessionWire) -> None:
        """Continue a client whose session is here again: apply what happened during the migration."""
        if wire.widened:
            self._say(client, client.find)
        if wire.cut:
            self._away.pop(client.id, None)
            self.cut(client)

    def unpack(
        self, record: dict[str, Any], blobs: list[bytes], session: SessionView | None, now: float
    ) -> OmegleClient:
        """Add a client as `ClientTable.unpack` does, and continue its pending search."""
        client = super().unpack(record, blobs, session, now)
        if client.pending and not client.challenge:
            self._pending.later(client)
        return client

    def _over(self, client: OmegleClient) -> None:
        """Mark a client as over: no further event will come. The session ends after this turn of the worker."""
        if not client.gone:
            client.gone = True
            if not self._ended:
                self._loop.call_soon(self._clear)
            self._ended.append(client)

    def _clear(self) -> None:
        ended, self._ended = self._ended, []
        for client in ended:
            self._retire(client, LEFT)

    # polls

    async def first_events(self, client: OmegleClient) -> list[bytes]:
        """Return the first events for the response of `/start`: `waiting` or the whole match, once the hub has decided; [] if it does not answer.

        As with `poll`, the events stay queued until `written` or `unwritten`.
        """
        if not (client.events or client.gone):
            await self._polls.first(client)
        client.carrying = bool(client.events)
        return client.events[:]

    async def poll(self, client: OmegleClient, line: PollConnection) -> list[bytes] | None:
        """Return the client's events as soon as there are any, [] after a while; None: the client is gone.

        The events stay queued until `written` or `unwritten` reports what became of the response. A poll that was parked is answered by its
        connection, and this return value is not sent.
        """
        now = time.monotonic()
        self.tally["polls"] += 1
        if client.hasty(now):
            await asyncio.sleep(1.0)
        if client.moved:  # moved meanwhile: its next poll is another process's
            return []
        client.release(False)
        if client.carrying or not (client.events or client.gone):
            news = await self._polls.hold(client, line, now)
            if not news or client.waits or client.carrying:
                return []
        if client.events:
            client.carrying = True
            return client.events[:]
        if client.gone:
            self.end(client, LEFT)
            return None
        return []

    def written(self, client: OmegleClient, number: int) -> None:
        """Remove `number` events that were written."""
        client.carrying = False
        if client.moved:
            return
        client.heard = time.monotonic()
        client.written(number)
        # this protocol cannot confirm a notice: having received it counts as that
        if client.unread and not client.events:
            notice, client.unread = client.unread, ""
            self._say(client, {"type": "seen", "id": notice})
        if client.gone and not client.events:
            self.end(client, LEFT)
            return
        if client.paused and not client.full:
            client.paused = False
            self._pause(client, False)
        client.wake()

    def unwritten(self, client: OmegleClient) -> None:
        """Keep events that could not be written: the next poll returns them."""
        client.carrying = False
        client.wake()
        self.cut(client)

    def _tick(self) -> None:
        now = time.monotonic()
        self._timer = self._loop.call_later(1.0, self._tick)
        for client in self._polls.tick(now):
            self.cut(client)
        for client in list(self._away.values()):
            wire = client.wire
            if client.session.id not in self._worker.engine.sessions if wire is None else wire.cut + self._grace <= now:
                self.end(client, LEFT)
        self.gone.lately.expire(now)
        visits = self._visits
        while visits and visits[0][0] <= now:
            _, client = visits.popleft()
            if not self._here(client):
                continue
            last = now if client.poll is not None else client.heard
            if last + self._idle <= now:
                self.end(client, BROKEN)
            else:
                visits.append((last + self._idle, client))
        self._addresses.forget(now)
