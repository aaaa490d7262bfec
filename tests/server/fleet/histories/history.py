"""One history: what users do, what the network does, who dies; and what holds at each moment and at the end.

- at each moment a session has at most one process that delivers to its client;
- in a chat each line arrives once, in order, and only at the partner;
- at the end, once the network is well, each session is in exactly one process, both of a chat are in it and have heard each other's every line,
  and hear each other still; nobody is in a chat without a partner.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import orjson

from server.fleet.cluster.known_nodes import Place, named
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, name_of
from server.ops.process import fault_points
from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.clock import Clock, Loop
from tests.server.fleet.histories.hosts import WORKERS, Crash, Crashes, Site, Where
from tests.server.fleet.histories.network import Fate, Network
from tests.server.fleet.histories.people import Broken, Person
from tests.server.fleet.processes.rig import Working

HOSTS: Final = 2
PEOPLE: Final = 4
# seconds after which each copy that a cut left is forgotten: until GO 1, until the acknowledgement 2, for the word to forget 2
CERTAIN: Final = 6.0
SETTLED: Final = 16.0  # seconds until all has ended that will: a silent connection after 4, its session after GRACE
ANSWER: Final = 1.0  # seconds for a line of a chat when all is well


class History:
    """See the module. Use it as a context manager; whatever is done raises Broken for what did not hold."""

    def __init__(self, secret: Keys) -> None:
        self._secret = secret
        self._clock = Clock()
        self._faults: list[str] = []
        self._lives = 0
        self.tally: Counter[str] = Counter()

    def __enter__(self) -> History:
        self._clock.__enter__()
        self._real_at = fault_points.at
        self.network = Network()
        self.crashes = Crashes(self._die)
        self._loop = Loop(self._clock)
        self._loop.set_exception_handler(self._on_exception)
        fault_points.at = self.crashes.at
        self.sites: dict[int, Site] = {}
        self._dead: list[Site] = []
        self.people = [Person(chr(ord("a") + place), self._faults.append) for place in range(PEOPLE)]
        self._loop.do(self._restart)
        self._loop.wait(1.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.crashes.armed.clear()
        try:
            self._loop.do(self._end)
            self._loop.run_until_complete(self._closed())
            self._loop.turn(3)
        finally:
            fault_points.at = self._real_at
            self._loop.close()
            self._clock.__exit__()
            self.people.clear()
            self.sites.clear()
            self._dead.clear()
            gc.collect()

    def _end(self) -> None:
        for person in self.people:
            person.drop()
        for site in self.sites.values():
            site.die()
            self._dead.append(site)

    async def _closed(self) -> None:
        for site in self._dead:
            await site.closed()

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if isinstance(fault, asyncio.InvalidStateError):  # asyncio's own, if an accept is cancelled as it ends
            return
        if not isinstance(fault, Crash) and "was destroyed" not in context["message"]:  # as the tasks of the dead are
            self._faults.append(f"{context['message']}: {fault!r}")

    def counted(self) -> Counter[str]:
        """Return what happened."""
        return Counter(
            {
                "lines heard": sum(one.heard for one in self.people),
                "sessions resumed": sum(one.resumed for one in self.people),
                "chats ended by others": sum(one.ends for one in self.people),
                "crashes": self.tally["crashes"],
                "crashes at a chosen point": self.crashes.count,
                "evacuations": self.tally["evacuated"],
                "connections cut": self.network.tally["cut"],
                "connections slowed": self.network.tally["slow"],
                "requests said twice": self.network.tally["twice"],
                "messages lost": self.network.tally["lost"],
                "messages doubled": self.network.tally["doubled"],
                "messages late": self.network.tally["late"],
            }
        )

    # users

    def comes(self, who: int, host: int, worker: int) -> None:
        """Connect, to resume if there is a session."""
        person = self.people[who]
        if not person.here:
            self._loop.do(lambda: self._connect(person, host, worker))
        self._look()

    def _connect(self, person: Person, host: int, worker: int) -> None:
        site = self.sites.get(host % HOSTS)
        name = name_of(1 + worker % WORKERS)
        if site is not None and name in site.workers:
            person.connect((site.place, name), site.workers[name])

    def finds(self, who: Iterable[int]) -> None:
        """Search."""
        for one in who:
            self._loop.do(self.people[one].find)
        self._look()

    def says(self, who: int, count: int = 1) -> None:
        """Say lines."""
        for _ in range(count):
            self._loop.do(self.people[who].say)
        self._look()

    def leaves(self, who: int) -> None:
        """Leave the chat or the search."""
        self._loop.do(self.people[who].leave)
        self._look()

    def drops(self, who: int) -> None:
        """Lose the connection."""
        self._loop.do(self.people[who].drop)
        self._look()

    def is_new(self, who: int) -> None:
        """Forget the session, as in another browser."""
        person = self.people[who]
        self._loop.do(person.leave)
        self._loop.turn(3)
        self._loop.do(person.drop)
        person.new()
        self._look()

    # the operator

    def place_of(self, who: int) -> int | None:
        """Return the place of the host that has a session."""
        return next((place for (place, _), _ in self._holders(self.people[who].session)), None)

    def moves(self, who: int, worker: int, turns: int) -> None:
        """Drain a session with its chat to another worker of its host, and let the loop turn."""
        to, id = name_of(1 + worker % WORKERS), self.people[who].session
        for (place, name), _ in self._holders(id):
            if name not in (to, FRONTEND):
                self._loop.do(partial(self.sites[place].move, name, id, to))
        self._loop.turn(turns)

    def evacuates(self, host: int, worker: int) -> None:
        """Move all sessions of a worker to the other host."""
        site, name = self.sites.get(host % HOSTS), name_of(1 + worker % WORKERS)
        places = [Place(named(one.node, 1), 0) for one in self.sites.values() if one is not site]
        if site is not None and name in site.workers and places:
            self._loop.do(lambda: site.evacuate(name, places))
            self.tally["evacuated"] += 1
        self._look()

    # the network and the processes

    def cuts(self, fates: Iterable[Fate]) -> None:
        """Say what becomes of the next connections between hosts."""
        self.network.fates.extend(fates)

    def fails(self, mishaps: Iterable[str]) -> None:
        """Say what becomes of the next messages of the bus."""
        self.network.mishaps.extend(mishaps)

    def cuts_off(self, host: int, on: bool, bus: bool) -> None:
        """Cut a host off from the others, or from NATS (`bus`), or connect it again."""
        site = self.sites.get(host % HOSTS)
        if site is None:
            return
        if not bus:
            self._loop.do(lambda: site.road.cut_off(on))
        for one in self.network.buses:
            if bus and site.node in one.handlers:
                one.cut = on

    def dies_at(self, point: str, times: int) -> None:
        """Let the process die that comes to a point of the code, after so many passed it."""
        self.crashes.armed[point] = times

    def dies(self, host: int, name: str) -> None:
        """Kill a process now; the frontend dies with its host."""
        site = self.sites.get(host % HOSTS)
        if site is not None and name in site.living:
            self._loop.do(lambda: self._die((site.place, name)))
        self._look()

    def _die(self, where: Where) -> None:
        place, name = where
        site = self.sites.get(place)
        if site is None or name not in site.living:
            return
        self.tally["crashes"] += 1
        for person in self.people:
            if person.here and person.at is not None and person.at[0] == place and self._may_be_at(person, where):
                person.drop()
        site.evacuated.discard(name)
        if name == FRONTEND:
            del self.sites[place]
            self._dead.append(site)
            site.die()
        else:
            site.kill(name)
        asyncio.get_running_loop().call_soon(gc.collect)

    def _may_be_at(self, person: Person, where: Where) -> bool:
        """Whether a process may have a client's connection: no other one is known to have it."""
        if where[1] == FRONTEND:
            return True
        ids = person.session, person.fresh
        return {at for id in ids for at in (*self._connected(id), *self._tunnelled(id))} <= {where}

    def restarts(self) -> None:
        """Start what is dead."""
        self._loop.do(self._restart)
        self._look()

    def _restart(self) -> None:
        for place in range(HOSTS):
            if place not in self.sites:
                self._lives += 1
                self.sites[place] = Site(self._secret, place, self._lives, self.network)
            site = self.sites[place]
            for name in (HUB, *map(name_of, range(1, WORKERS + 1))):
                if name not in site.living:
                    site.start(name)

    # time

    def turns(self, count: int) -> None:
        """Let the loop turn, in no time."""
        self._loop.turn(count)
        self._look()

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self._loop.wait(seconds)
        self._look()

    # what holds

    def _workers(self) -> Iterable[tuple[Where, Working]]:
        for place, site in self.sites.items():
            for name, worker in site.workers.items():
                yield (place, name), worker

    def _holders(self, *ids: int) -> list[tuple[Where, Working]]:
        """The processes that have a session."""
        return [(at, one) for at, one in self._workers() for id in set(ids) if id in one.worker.engine.sessions]

    def _connected(self, id: int) -> list[Where]:
        """The processes that have a session with its client's own connection."""
        found = []
        for at, one in self._workers():
            session = one.worker.engine.sessions.get(id)
            if session is not None and session.conn and session.conn not in one.worker.output.visitors:
                found.append(at)
        return found

    def _tunnelled(self, id: int) -> list[Where]:
        """The processes that have the tunnel of a session."""
        return [
            at
            for at, one in self._workers()
            for tunnel in one.links.tunnels._open.values()
            if orjson.loads(tunnel.kept)["id"] == id
        ]

    def _look(self) -> None:
        self._loop.turn()
        for person in self.people:
            if len(at := self._connected(person.session)) > 1:
                self._faults.append(f"{person.name} is served by {at}")
        self._raise()

    def _raise(self) -> None:
        if self._faults:
            raise Broken("; ".join(self._faults[:5]))

    def settles(self) -> None:
        """Let all be well, and check what holds then."""
        self.crashes.armed.clear()
        self.network.heal()
        for site in self.sites.values():
            self._loop.do(lambda site=site: site.road.cut_off(False))
        for site in list(self.sites.values()):
            for name in site.evacuated & set(site.living):
                self.dies(site.place, name)
        self.restarts()
        healed = self._clock.now
        self._come_back()
        self._loop.wait(max(0.0, healed + CERTAIN - self._clock.now))
        self._no_session_has_a_copy()
        self._loop.wait(SETTLED - CERTAIN)
        self._come_back()
        self._look()
        self._sessions_have_one_owner()
        self._chats_have_two_ends()
        for person in self.people:
            self._loop.do(person.say)
        self._loop.wait(ANSWER)
        self._raise()
        self._chats_have_two_ends()
        self._raise()

    def _come_back(self) -> None:
        """Connect the users without a connection, again if one is refused."""
        for turn in range(12):
            for place, person in enumerate(self.people):
                if not person.here:
                    self._loop.do(
                        lambda person=person, place=place, turn=turn: self._connect(person, place + turn, turn)
                    )
            self._loop.wait(1.5)
            if all(person.ready for person in self.people):
                return

    def _no_session_has_a_copy(self) -> None:
        """A copy is forgotten where it came; one that moved on before the word came is silent, and ends with GRACE."""
        if self.tally["evacuated"]:
            return
        counted = Counter(id for _, one in self._workers() for id in one.worker.engine.sessions)
        for id, at in ((id, self._holders(id)) for id, count in counted.items() if count > 1):
            landings = [one.links.host_migration for _, one in at]
            if any(one is not None and id in one._landing._came for one in landings):
                self._faults.append(f"session {id:x} is in {[where for where, _ in at]}")
        self._raise()

    def _sessions_have_one_owner(self) -> None:
        for person in self.people:
            if not person.ready:
                self._faults.append(f"{person.name} cannot come back")
            elif len(at := [where for where, _ in self._holders(*person.ids)]) != 1:
                self._faults.append(f"the session of {person.name} is in {at}")
        ours = {id for person in self.people for id in person.ids}
        for where, worker in self._workers():
            if left := set(worker.worker.engine.sessions) - ours:
                self._faults.append(f"{where} has {len(left)} sessions of nobody")
        self._raise()

    def _chats_have_two_ends(self) -> None:
        by_chat: dict[str, list[Person]] = {}
        for person in self.people:
            if person.chat:
                by_chat.setdefault(person.chat, []).append(person)
        for chat, people in by_chat.items():
            if len(people) != 2:
                self._faults.append(f"{[one.name for one in people]} alone in chat {chat}")
                continue
            for one, other in (people, reversed(people)):
                if one.next != other.lines:
                    self._faults.append(f"{one.name} heard {one.next} of {other.lines} lines of {other.name} in {chat}")
        self._raise()
