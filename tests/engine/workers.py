"""Several engines whose people wait in one hub, in memory: what passes between them waits in queues that a test may hold, or lose."""

from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, cast

import orjson

from engine.core.session import Session
from engine.engine import Engine, SessionRecord
from engine.matching.lobby import Lobby
from engine.matching.recent_partners import RecentPartners
from engine.rooms.hub import Hub
from engine.rooms.hub_messages import Row
from engine.rooms.local_waiting_room import WaitingRoom
from engine.rooms.remote_waiting_room import RemoteRoom
from engine.wire.rule_constants import Settings
from ext.net.chat_ring import Rings
from tests.engine.moving import travelled
from tests.engine.world import CountingLobby, Hands, Wire, World

SETTLED = 2.0  # seconds


class Worker(World):
    """One of them."""

    def __init__(self, host: "Host", number: int, settings: Settings) -> None:
        self.host = host
        self.number = number
        super().__init__(settings, open_proof=lambda proof, _: proof or None, **host.outside)
        self._conns, self._keys, self._chats = host.conns, host.keys, host.chats

    def start(self, lobby: CountingLobby) -> None:
        self.rings = Rings(self.budget)
        make_room = partial(RemoteRoom, self.number, go=lambda *said: self.go(*said))
        self.engine = Engine.of_hub(make_room, self.rings, self.outside, Hands(self), self.bus, self.settings)
        self.room = cast(RemoteRoom, self.engine.room)

    def open(self, identity: int = 0, address: str = "192.0.2.1") -> Wire:
        wire = super().open(identity, address)
        self.host.wires.append(wire)
        return wire

    def go(self, client: int, to: int, meeting: Row | None, _: int = 0) -> None:
        """Somebody leaves for another worker; `meeting`: to meet somebody there."""
        conn = self.engine.sessions[client].conn
        wires = {}
        if conn:
            self.unlink(self.wires.pop(conn))
            wires[client] = ("192.0.2.1", {"was": conn}, b"")
        session_record = travelled(self.engine.moves.release([client], wires, self.now))
        self.host.delays[client] -= self.now
        self.host.session_records.append((self.number, to, client, session_record, meeting))

    def take(self, client: int, session_record: SessionRecord, meeting: Row | None) -> None:
        """Somebody comes; `meeting`: to meet somebody."""
        self.host.delays[client] += self.now
        if meeting is not None:
            self.room.expect([client])
        for session in self.engine.moves.take(session_record, self._connect, self.now):
            self.host.wire_of(session).session = session
        if meeting is not None:
            self.room.arrived(meeting, self.now)
        self.settle()

    def _connect(self, place: int, session: Session, address: str, state: dict[str, Any], data: bytes) -> int:
        wire = self.host.wire_of(session)
        if wire.closed is not None:
            return 0  # it dropped on the way
        wire.conn = next(self._conns)
        self.wires[wire.conn] = wire
        return wire.conn


class Host:
    """Workers 0 … n - 1 and a hub. Nothing passes but in `pump`."""

    def __init__(
        self,
        workers: int = 2,
        settings: Settings | None = None,
        fixed: tuple[int, ...] = (),
        tickets: int = 1_000_000,
        **outside: Any,
    ) -> None:
        self.outside = outside
        self.conns, self.keys, self.chats, self.hubs = count(1), count(500_001), count(0xC001), count(1)
        self.wires: list[Wire] = []
        self.now = 1000.0
        self.fixed, self.tickets = fixed, tickets
        self.delays: Counter[int] = (
            Counter()
        )  # seconds between two workers, by client; less what is now if they are there still
        self.session_records: deque[tuple[int, int, int, SessionRecord, Row | None]] = deque()
        self.held: Callable[[str], bool] = lambda what: False  # what does not pass now: hub, workers or moves
        self._settings, self._count = settings or Settings(limits=False), workers
        self.workers = {number: Worker(self, number, self._settings) for number in range(workers)}
        self.start_hub()

    def start_hub(self) -> None:
        """A hub that knows nobody: what the one before had said and was not heard is lost."""
        self.lobby = Lobby(most_tickets=self.tickets)
        numbers = count(1)
        self.hub = Hub(
            WaitingRoom(self.lobby), self.lobby, RecentPartners(lambda: next(numbers)), next(self.hubs) << 32
        )
        for number, worker in self.workers.items():
            self.hub.joined(number, worker.engine.online, fixed=number in self.fixed)
            worker.room.found(self.now)

    @staticmethod
    def number(where: int) -> int:
        """The number of the worker at a place."""
        return where

    @property
    def dead(self) -> list[int]:
        """Workers that died."""
        return [number for number in range(self._count) if number not in self.workers]

    def settle(self) -> None:
        """Time goes by after which nothing is under way."""
        self.wait(SETTLED)

    def start_worker(self, number: int) -> None:
        """One with nobody in it, in the place of one that died."""
        worker = self.workers[number] = Worker(self, number, self._settings)
        worker.now = self.now
        self.hub.joined(number, fixed=number in self.fixed)

    def kill(self, number: int) -> list[Wire]:
        """A worker dies with all its people, whose wires are given; who was sent to it and not taken goes back."""
        dead = self.workers.pop(number)
        self.hub.gone(number, self.now)
        gone = list(dead.wires.values())
        for wire in gone:
            wire.closed = 1006
        for session_record in [one for one in self.session_records if one[1] == number]:
            self.session_records.remove(session_record)
            self._back(session_record)
        return gone

    def _back(self, sent: tuple[int, int, int, SessionRecord, Row | None]) -> None:
        home, _, client, session_record, meeting = sent
        if home in self.workers:
            self.workers[home].take(client, session_record, None)
            if meeting is not None:
                self.workers[home].room.came_back(meeting, self.now)
        else:
            self.wire(client).closed = 1006

    def wire_of(self, session: Session) -> Wire:
        """The connection that carries a session."""
        return self.wire(session.id)

    def wire(self, client: int) -> Wire:
        """The newest connection of a client."""
        return next(wire for wire in reversed(self.wires) if wire.session.id == client)

    def world(self, wire: Wire) -> Worker:
        """Where a connection is now."""
        return next(worker for worker in self.workers.values() if worker.wires.get(wire.conn) is wire)

    def is_on_the_way(self, wire: Wire) -> bool:
        """Whether its person is between two workers."""
        return any(session_record[2] == wire.session.id for session_record in self.session_records)

    def owner(self, key: int) -> Worker | None:
        """Where the session of a token's key is; None: nowhere, or on the way."""
        found = [worker for worker in self.workers.values() if worker.engine.moves.find(key) is not None]
        assert len(found) < 2, "one session in two engines"
        return found[0] if found else None

    def send(self, wire: Wire, **frame: Any) -> list[dict[str, Any]]:
        """A frame of a client; what it is answered once all has passed."""
        found = self.world(wire).raw(wire, orjson.dumps(frame))
        self.pump()
        return found + wire.take()

    def pump(self) -> None:
        """Pass on what may pass until nothing is left of it."""
        while self._up() | self._down() | self._across():
            pass

    def _up(self) -> bool:
        return not self.held("hub") and True in [self.up(number) for number in self.workers]

    def _down(self) -> bool:
        return not self.held("workers") and True in [self.down(number) for number in self.workers]

    def _across(self) -> bool:
        return not self.held("moves") and bool(self.session_records) and self.across()

    def up(self, number: int) -> bool:
        """The hub hears a worker; whether there was something to hear."""
        worker = self.workers[number]
        self.hub.load(number, worker.engine.online)
        said, worker.room.rows = worker.room.rows, []
        self.hub.told(number, orjson.loads(orjson.dumps(said)), self.now)
        return bool(said)

    def down(self, number: int) -> bool:
        """A worker hears the hub."""
        worker = self.workers[number]
        said = self.hub.out[number].take_rows()
        worker.room.told(orjson.loads(orjson.dumps(said)), self.now)
        worker.settle()
        return bool(said)

    def across(self, place: int = 0) -> bool:
        """Of those on the way between two workers the one at `place` arrives, or who left the same worker for the same before."""
        home, to = self.session_records[place][:2]
        sent = next(one for one in self.session_records if one[:2] == (home, to))
        self.session_records.remove(sent)
        if to in self.workers:
            self.workers[to].take(*sent[2:])
        else:
            self._back(sent)
        return True

    def wait(self, seconds: float) -> None:
        """Time goes by, for all."""
        end = self.now + seconds
        while True:
            self.pump()
            due = [at for at in [self.hub.due(), *[w.engine.due() for w in self.workers.values()]] if at is not None]
            if not due or min(due) > end:
                break
            self._at(max(self.now, min(due)))
        self._at(end)
        self.pump()

    def _at(self, now: float) -> None:
        self.now = now
        self.hub.advance(now)
        for worker in self.workers.values():
            worker.now = now
            worker.engine.tick(now)
            worker.engine.sweep(now)
            worker.settle()
