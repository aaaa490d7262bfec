"""Hosts of one room in memory: engines, their hubs, and a bus between these that loses, doubles and delays what a test says."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

import orjson

from engine.engine import SessionRecord
from engine.matching.lobby import Lobby
from engine.matching.thresholds import Thresholds
from engine.rooms.hub import Hub
from engine.rooms.hub_messages import Row
from engine.rooms.hub_records import unpack
from engine.rooms.meeting_placement import HOST_BITS
from server.fleet.cluster.membership import DEAD, Beat, Membership, read
from server.fleet.cluster.shared_room import BARS, SIGN_EVERY, SharedRoom
from tests.engine.workers import Host, Worker
from tests.engine.world import Wire

BEATS_FOR: Final = 4.0  # seconds of a long time in which hosts beat as they do; after that nothing can change by itself
SETTLED: Final = DEAD + 4.0  # seconds
ALL: Final = ""  # to whom a beat goes
LATE: Final = 3  # messages that come before one that is late


class Site:
    """One host: its hub and what that says."""

    def __init__(self, cell: Cell, node: str) -> None:
        self.cell, self.node = cell, node
        self.down: dict[int, deque[list[Row]]] = defaultdict(deque)  # rows for its workers
        self.cut = False  # NATS is away
        self.forced: str | None = None  # the host that it takes for the owner while it hears it
        self.start_hub()

    def start_hub(self) -> None:
        """One that knows nobody."""
        life = next(self.cell.lives)
        numbers = count(life << 32)
        self.down.clear()
        self.room = SharedRoom(
            self.node, Hub.build(Thresholds(), lambda: next(numbers)), Thresholds(), life, self._tell, self._tell_records,
            lambda to, body: self.cell.post(self, to, body), lambda: not self.cut, lambda network: f"hidden {network}",
        )  # fmt: skip
        self.members = Membership(self.node)
        for number in self.workers:
            self.joined(number)

    def joined(self, number: int) -> None:
        """A worker of it is there."""
        self.room.joined(number, fixed=number in self.cell.fixed, leaving=False)
        self.cell.workers[number].room.found(self.cell.now)

    @property
    def workers(self) -> list[int]:
        """Those that live."""
        return [number for number in self.cell.workers if number >> HOST_BITS == int(self.node, 16)]

    def _tell(self, number: int, rows: list[Row]) -> None:
        self.down[number].append(rows)

    def _tell_records(self, number: int, messages: list[bytes]) -> None:
        self._tell(number, [row for data in messages for row in unpack(data)])

    def beat(self) -> None:
        """Say that it is there."""
        share = self.room.share(self.cell.now)
        self.members.serves = share.serves
        people = sum(self.cell.workers[number].engine.online for number in self.workers)
        said = Beat(self.node, "10.0.0.1:1", "1", people, self.cell.now, False, share).said()
        self.cell.post(self, ALL, orjson.dumps(said))

    def heard(self, body: bytes) -> None:
        """A beat came."""
        beat = read(orjson.loads(body))
        assert beat is not None
        self.members.heard(beat, self.cell.now, self.cell.now)
        self.room.heard(beat, self.cell.now)
        self.look()

    def look(self) -> None:
        """See who is there, and who has the room."""
        now = self.cell.now
        for node in self.members.advance(now):
            self.room.lost(node, now)
        # Hosts disagree about the owner, but none follows a host that it does not hear (`ClusterNode._own`).
        owner = self.forced if self.forced in {self.node, *self.members.nodes} else self.members.owner()
        if owner != self.room.owner:
            self.room.own(owner, now)
            self.beat()


class Cell(Host):
    """Hosts of so many workers each. Nothing passes but in `pump`."""

    def __init__(
        self, hosts: int = 3, workers: int = 1, fixed: tuple[int, ...] = (), people: Callable[[], object] | None = None
    ) -> None:
        """`fixed`: places of workers whose people do not move."""
        self.lives = count(1)
        self.sites: dict[str, Site] = {}
        self.mishaps: deque[str] = deque()  # what becomes of the next messages
        self.bus: deque[tuple[str, str, bytes]] = deque()  # node, to, body
        self._late: list[tuple[int, tuple[str, str, bytes]]] = []
        self._beat_at = 0.0
        self._nodes = [f"{11 * (place + 1):010x}" for place in range(hosts)]
        self._a_host = workers
        super().__init__(0)
        self.fixed = tuple(self.number(place) for place in fixed)
        for node in self._nodes:
            self.start_site(node)
        self.settle()

    def number(self, where: int) -> int:
        host, worker = divmod(where, self._a_host)
        return int(self._nodes[host], 16) << HOST_BITS | (worker + 1)

    @property
    def places(self) -> range:
        """Of all workers."""
        return range(len(self._nodes) * self._a_host)

    @property
    def dead(self) -> list[int]:
        return [number for number in map(self.number, self.places) if number not in self.workers]

    def settle(self) -> None:
        """All is well, and time goes by."""
        for site in self.sites.values():
            site.cut, site.forced = False, None
        self.mishaps.clear()
        self.bus.extend(late for _, late in self._late)
        self._late.clear()
        self.wait(SETTLED)

    @property
    def owner_site(self) -> Site:
        """The one that all take for the owner."""
        (owner,) = {site.room.owner for site in self.sites.values()}
        return self.sites[owner]

    # what the one hub is to the histories

    def start_hub(self) -> None:
        """Of the owner, or of some other."""
        for site in list(self.sites.values())[:1]:
            site.start_hub()

    @property
    def hub(self) -> Hub:  # type: ignore[override]
        return self.owner_site.room.hub

    @property
    def lobby(self) -> Lobby:  # type: ignore[override]
        found = self.hub.room.lobby
        assert isinstance(found, Lobby)
        return found

    # hosts

    def start_site(self, node: str) -> None:
        """A host begins, with all its workers."""
        site = self.sites[node] = Site(self, node)
        for worker in range(self._a_host):
            number = int(node, 16) << HOST_BITS | (worker + 1)
            if number not in self.workers:
                self.start_worker(number)
        site.beat()

    def end_site(self, node: str) -> list[Wire]:
        """A host is unplugged."""
        gone = [wire for number in self.sites[node].workers for wire in self.kill(number)]
        del self.sites[node]
        self.bus = deque(one for one in self.bus if one[0] != node)
        return gone

    def start_worker(self, number: int) -> None:
        worker = self.workers[number] = Worker(self, number, self._settings)
        worker.now = self.now
        node = f"{number >> HOST_BITS:010x}"
        if node in self.sites:
            self.sites[node].joined(number)
        else:
            self.start_site(node)

    def kill(self, number: int) -> list[Wire]:
        site = self.sites[f"{number >> HOST_BITS:010x}"]
        dead = self.workers.pop(number)
        site.down.pop(number, None)
        site.room.gone(number, self.now)
        gone = list(dead.wires.values())
        for wire in gone:
            wire.closed = 1006
        for session_record in [one for one in self.session_records if one[1] == number]:
            self.session_records.remove(session_record)
            self._back(session_record)
        return gone

    def _back(self, sent: tuple[int, int, int, SessionRecord, Row | None]) -> None:
        if sent[0] in self.workers or sent[0] >> HOST_BITS:
            super()._back(sent)

    # what passes

    def post(self, site: Site, to: str, body: bytes) -> None:
        """A message on its way."""
        if site.cut:
            return
        mishap = self.mishaps.popleft() if self.mishaps else ""
        message = site.node, to, body
        if mishap == "late":
            self._late.append((LATE, message))
        elif mishap != "lost":
            self.bus.extend([message] * (2 if mishap == "doubled" else 1))

    def pump(self) -> None:
        while self._flushed() | self._up() | self._down() | self._across() | self._bus():
            pass

    def _flushed(self) -> bool:
        before = len(self.bus) + sum(map(len, self._queues()))
        for site in self.sites.values():
            due = site.room.flush(self.now)
            if due is not None and not site.cut:
                site.room.flush(due)  # a millisecond later
        return len(self.bus) + sum(map(len, self._queues())) > before

    def _queues(self) -> Iterable[deque[list[Row]]]:
        return [queue for site in self.sites.values() for queue in site.down.values()]

    def _bus(self) -> bool:
        return not self.held("bus") and bool(self.bus) and self.delivered()

    def delivered(self) -> bool:
        """The first message of the bus arrives."""
        node, to, body = self.bus.popleft()
        late, self._late = self._late, []
        for left, message in late:
            if left:
                self._late.append((left - 1, message))
            else:
                self.bus.append(message)
        for other in list(self.sites.values()):
            if other.cut or other.node == node or to not in (ALL, BARS, other.node):
                continue
            if to == ALL:
                other.heard(body)
            elif to == BARS:
                other.room.bars(body, self.now)
            else:
                other.room.came(body, self.now)
        return True

    def up(self, number: int) -> bool:
        worker = self.workers[number]
        site = self.sites[f"{number >> HOST_BITS:010x}"]
        site.room.load(number, worker.engine.online)
        said, worker.room.rows = worker.room.rows, []
        if said:
            site.room.rows(number, orjson.loads(orjson.dumps(said)), self.now)
        return bool(said)

    def down(self, number: int) -> bool:
        worker = self.workers[number]
        queue = self.sites[f"{number >> HOST_BITS:010x}"].down[number]
        if not queue:
            return False
        worker.room.told(orjson.loads(orjson.dumps(queue.popleft())), self.now)
        worker.settle()
        return True

    # time

    def wait(self, seconds: float) -> None:
        end, beats_until = self.now + seconds, self.now + BEATS_FOR
        while True:
            self.pump()
            hubs = [site.room.hub.due() for site in self.sites.values()]
            due = [at for at in [*hubs, *[worker.engine.due() for worker in self.workers.values()]] if at is not None]
            if self.now < beats_until:
                due.append(self.now + SIGN_EVERY)
            if not due or min(due) > end:
                break
            self._at(max(self.now, min(due)))
        self._at(end)
        self.pump()

    def _at(self, now: float) -> None:
        stale = now > self.now + DEAD / 2  # a long time in which nothing was to do: all beat in it
        self.now = now
        for site in self.sites.values():
            if stale and not site.cut:
                self._heard_in_between(site)
            if now >= self._beat_at:
                site.beat()
                site.room.sign(now)
        if now >= self._beat_at:
            self._beat_at = now + SIGN_EVERY
        for site in self.sites.values():
            site.look()
            site.room.hub.advance(now)
        for worker in self.workers.values():
            worker.now = now
            worker.engine.tick(now)
            worker.engine.sweep(now)
            worker.settle()

    def _heard_in_between(self, site: Site) -> None:
        if not self.held("bus"):
            for one in site.members._heard.values():
                if one.beat.node in self.sites and not self.sites[one.beat.node].cut:
                    one.at = self.now
