"""The table of HTTP clients, between requests and the engine. Rule: every client, poll and queue is bounded, and what is gone is forgotten.

Each client is a virtual connection of the worker. What it says is injected as a frame of the native protocol; what it
is sent comes back as frames and is queued as events.
"""

import asyncio
import datetime
import time
from collections import OrderedDict, deque
from typing import Any

import orjson

from engine.protocol import BROKEN, DROPPED, LEFT, PAST_FOR
from engine.views import CHATTING, WAITING, SeatView
from ext.net.admission import Addresses, key_of
from server.config.settings import Settings
from server.metrics.exposition import Reading
from server.omegle import events
from server.omegle.client import Client, new_id
from server.omegle.digests import Digests
from server.omegle.polls import Line, Polls
from server.omegle.start import anyone
from server.omegle.status import Status
from server.worker.worker import Worker

DAY = 86_400
LATELY = 5_000  # chats that can still be asked a log of, and ids that are owed an end: their rings are within the budget of all rings
TYPING = b'{"type":"typing","typing":true}'
STOPPED = b'{"type":"typing","typing":false}'


class Adapter:
    """All HTTP clients of one worker. Call it in the loop."""

    def __init__(self, worker: Worker, settings: Settings) -> None:
        chosen = settings.omegle
        self._worker = worker
        self._idle = chosen.idle
        self._most = chosen.clients
        self._addresses = Addresses(
            open_max=chosen.clients_address,
            burst=chosen.start_burst,
            rate=chosen.start_rate,
            limits=settings.limits.enabled,
        )
        self._digests = Digests()
        self.status = Status(worker.engine, chosen.servers, settings.server.hosts)
        self.clients: dict[str, Client] = {}
        self._lately: OrderedDict[tuple[int, str], SeatView] = (
            OrderedDict()
        )  # by person and network: who may ask for a log
        self._informed: OrderedDict[int, str] = OrderedDict()  # the version of the statement that a person was told of
        self._by_conn: dict[int, Client] = {}
        self._by_session: dict[int, Client] = {}
        self._polls = Polls(chosen.hold)
        self._visits: deque[tuple[float, Client]] = deque()
        self._ended: list[Client] = []
        self._owed: OrderedDict[str, None] = OrderedDict()  # ids whose end no poll was told of since
        self._away: dict[str, Client] = {}  # whose poll was cut: their sessions wait for the grace time
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.tally = {"starts": 0, "refused": 0, "polls": 0, "unknown": 0}
        worker.on_frames = self.frames

    def start_ticking(self) -> None:
        """Begin to end held polls and forget who is gone."""
        self._timer = self._loop.call_later(1.0, self._tick)

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_omegle_clients": len(self.clients),
            "serendip_omegle_requests": {(what,): count for what, count in self.tally.items()},
        }

    def stop(self) -> None:
        """Tick no more; held polls are answered."""
        if self._timer is not None:
            self._timer.cancel()
        for client in self.clients.values():
            client.release(False)

    # clients

    def start(self, find: dict[str, Any], randid: str, address: str, host: str = "localhost") -> Client | None:
        """A new client that looks for somebody; None where it may not."""
        now = time.monotonic()
        key = key_of(address)
        if len(self.clients) >= self._most or not self._addresses.enter(key, now):
            self.tally["refused"] += 1
            return None
        person = self._digests.person(randid)
        session = self._worker.enter(person, address)
        client = Client(new_id(), session, person, key, find, now, host)
        self.clients[client.id] = self._by_conn[client.conn] = self._by_session[session.id] = client
        self._visits.append((now + self._idle, client))
        refusal = self._worker.banned(0, address)
        if refusal is not None:  # told as an event, since this protocol has no other place for it
            self._worker.ban(session.id, refusal)
            return client
        if self._say(client, find) == "challenge":
            client.pending = True
        elif client.refused:
            self.tally["refused"] += 1
            self.end(client, LEFT)
            return None
        self.tally["starts"] += 1
        return client

    def lately(self, randid: str, address: str) -> SeatView | None:
        """The seat of a randid's latest chat that is over, in this network; None where there is none."""
        return self._lately.get((self._digests.person(randid), key_of(address))) if randid else None

    def find(self, id: str) -> Client | None:
        """The client of an id; None where there is none (any more)."""
        client = self.clients.get(id)
        if client is None:
            self.tally["unknown"] += 1
        else:
            client.heard = time.monotonic()
            if client.id in self._away and not self._return(client):
                self.end(client, LEFT)
        return client

    def cut(self, client: Client) -> None:
        """Its held poll, or an answer with events, met a connection that is gone: a drop like any other (rule 4)."""
        if client.id in self._away or client.gone or client.waits or client.id not in self.clients:
            return
        self._away[client.id] = client
        conn, client.conn = client.conn, 0
        self._by_conn.pop(conn, None)
        self._worker.drop(client.session.id, conn, DROPPED)

    def _return(self, client: Client) -> bool:
        """A request came from who was cut off; whether its session is there still."""
        client.paused = False
        self._away.pop(client.id, None)
        conn = self._worker.return_to(client.session.id)
        if not conn:
            return False
        client.conn = conn
        self._by_conn[conn] = client
        self._worker.resume(client.session.id, conn, client.last, client.chat)
        return True

    def end(self, client: Client, how: int) -> None:
        """The client is gone: forgotten at once, its partner told."""
        if self.clients.pop(client.id, None) is None:
            return
        self._addresses.leave(client.key, time.monotonic())
        self._retire(client, how)
        client.gone = True
        self._owed[client.id] = None
        if len(self._owed) > LATELY:
            self._owed.popitem(last=False)
        client.release(True)

    def owes_end(self, id: str) -> bool:
        """Whether this is the first poll of an id since its end: told at once, or a client takes it for its next chat's."""
        if id not in self._owed:
            return False
        del self._owed[id]
        return True

    def leave(self, client: Client) -> None:
        """The client says that it goes."""
        self.end(client, LEFT)

    def _retire(self, client: Client, how: int) -> None:
        """Its session ends; what is queued may still be fetched."""
        self._away.pop(client.id, None)
        self._by_conn.pop(client.conn, None)
        if self._by_session.pop(client.session.id, None) is not None:
            seat = client.session.seat or client.session.past
            if client.person and seat is not None and seat.chat.people:
                self._lately[client.person, client.key] = seat
                self._lately.move_to_end((client.person, client.key))
                if len(self._lately) > LATELY:
                    self._lately.popitem(last=False)
            self._worker.drop(client.session.id, client.conn, how)

    # what a client says

    def send(self, client: Client, text: str) -> bool:
        """A message; whether it was taken."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return not self._say(client, {"type": "message", "text": text}) and not client.gone

    def typing(self, client: Client, on: bool) -> None:
        """It types, or stopped."""
        if client.session.state == CHATTING:
            self._inject(client, TYPING if on else STOPPED)

    def signal(self, client: Client, body: dict[str, Any]) -> bool:
        """A WebRTC signal; whether it was taken."""
        return not self._say(client, {"type": "signal", **body}) and not client.gone

    def widen(self, client: Client) -> None:
        """From now on any partner will do."""
        if client.session.state == WAITING and "interests" in client.find:
            client.find = anyone(client.find)
            self._say(client, client.find)

    def solve(self, client: Client, response: str) -> bool:
        """The answer to a challenge; False while none is open, or where it is wrong."""
        kind, client.challenge = client.challenge, ""
        if not kind or self._say(client, {"type": "solution", "kind": kind, "response": response}):
            client.challenge = client.challenge or kind
            return False
        if client.pending:
            client.pending = False
            self._say(client, client.find)
        return True

    def _say(self, client: Client, frame: dict[str, Any]) -> str:
        """A frame of the client; the code of the error that it led to, "" where there was none."""
        return self._inject(client, orjson.dumps(frame))

    def _inject(self, client: Client, payload: bytes) -> str:
        client.refused = ""
        if not client.gone and not self._worker.inject(client.conn, payload):
            client.refused = "busy"
        return client.refused

    # what a client hears

    def frames(self, conn: int, payloads: list[bytes | int]) -> None:
        """The worker's: what a virtual connection was sent, in order; a number is the code it was closed with."""
        client = self._by_conn.get(conn)
        if client is None:
            return
        for payload in payloads:
            if isinstance(payload, int):
                self._over(client)
            else:
                self._hear(client, orjson.loads(payload))
        if client.full and not client.paused and not client.gone:
            client.paused = True
            self._worker.pause(conn, True)
        client.wake()

    def _hear(self, client: Client, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "message":
            client.last = frame["seq"]
            client.forget((events.TYPING, events.STOPPED))  # a message ends typing, and some read the first event alone
            client.put([events.message(frame)])
        elif kind == "typing":
            client.put([events.typing(frame)])
        elif kind == "matched":
            client.chat, client.last = frame["chat"], 0
            client.put(events.match(frame, client.find["language"], self._digests_of(client), self._announced(client)))
        elif kind == "waiting":
            if not client.told:
                client.told = True
                client.put([events.WAITING, self.status.event(client.host)])
        elif kind == "left":
            client.put([events.left(frame)])
            self._over(client)
        elif kind == "signal":
            found = events.signal(frame)
            if found is not None:
                client.put([found])
        elif kind == "challenge":
            again = "recaptchaRejected" if client.challenge else "recaptchaRequired"
            client.challenge = str(frame["kind"])
            client.put([events.event(again, str(frame["parameters"].get("sitekey", client.challenge)))])
        elif kind == "notice":
            client.unread = frame["id"]
            client.put([events.notice(frame, client.host)])
        elif kind == "error":
            self._failed(client, frame)

    def _announced(self, client: Client) -> str:
        """The sentence about a privacy statement that is to come, once a person; who says nothing about who they are hears it each time."""
        told = self._worker.statement()
        if told is None or told["from"] <= time.time() or self._informed.get(client.person) == told["version"]:
            return ""
        if client.person:
            self._informed[client.person] = told["version"]
            while len(self._informed) > LATELY:
                self._informed.popitem(last=False)
        day = datetime.datetime.fromtimestamp(told["from"], datetime.UTC).date().isoformat()
        return events.changes(client.host, told["version"], day)

    def _failed(self, client: Client, frame: dict[str, Any]) -> None:
        code = frame["code"]
        if code == "banned":
            client.put([events.event("antinudeBanned", client.host + frame["appeal"])])
        elif "of" in frame or code == "too_fast":
            client.refused = code
        else:
            client.put([events.event("error", frame["message"])])

    def _over(self, client: Client) -> None:
        """No further event will come. The session ends when this turn of the worker is over."""
        if not client.gone:
            client.gone = True
            if not self._ended:
                self._loop.call_soon(self._clear)
            self._ended.append(client)

    def _clear(self) -> None:
        ended, self._ended = self._ended, []
        for client in ended:
            self._retire(client, LEFT)

    def _digests_of(self, client: Client) -> str:
        """The digests of the two who talk, in the order of their sides."""
        session = client.session
        seat = session.seat or session.past
        sides = {} if seat is None else {side: address[2] for side, address in seat.others}
        if seat is not None:
            sides[seat.side] = session.id
        day = int(time.time()) // DAY
        return ",".join(self._digest(sides[side], day) for side in (0, 1) if side in sides)

    def _digest(self, session: int, day: int) -> str:
        client = self._by_session.get(session)
        return self._digests.of(session, client.person if client is not None else 0, day)

    # polls

    async def poll(self, client: Client, line: Line) -> list[bytes] | None:
        """What waits for the client, as soon as there is something, [] after a while; None: the client is no more.

        The events stay queued: `written` or `unwritten` says what became of the answer. A poll that was parked is answered by
        its connection, and this answer is for nobody.
        """
        now = time.monotonic()
        self.tally["polls"] += 1
        if client.hasty(now):
            await asyncio.sleep(1.0)
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

    def written(self, client: Client, number: int) -> None:
        """An answer with `number` events was written."""
        client.carrying = False
        client.heard = time.monotonic()
        client.written(number)
        if client.unread and not client.events:  # it has no word for "I have read this": to have taken it is that
            notice, client.unread = client.unread, ""
            self._say(client, {"type": "seen", "id": notice})
        if client.gone and not client.events:
            self.end(client, LEFT)
            return
        if client.paused and not client.full:
            client.paused = False
            self._worker.pause(client.conn, False)
        client.wake()

    def unwritten(self, client: Client) -> None:
        """An answer with events was not written: the next poll brings them."""
        client.carrying = False
        client.wake()
        self.cut(client)

    def _tick(self) -> None:
        now = time.monotonic()
        self._timer = self._loop.call_later(1.0, self._tick)
        for client in self._polls.tick(now):
            self.cut(client)
        for client in list(self._away.values()):
            if client.session.id not in self._worker.engine.sessions:
                self.end(client, LEFT)
        lately = self._lately
        while lately and next(iter(lately.values())).ended + PAST_FOR < now:
            lately.popitem(last=False)
        visits = self._visits
        while visits and visits[0][0] <= now:
            _, client = visits.popleft()
            if client.id not in self.clients:
                continue
            last = now if client.poll is not None else client.heard
            if last + self._idle <= now:
                self.end(client, BROKEN)
            else:
                visits.append((last + self._idle, client))
        self._addresses.forget(now)
