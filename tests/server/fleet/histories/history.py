"""One world of hosts and users: what users do, what the network does, who dies; and what holds at each moment, and whenever the network is well.

- at each moment a session has at most one process that delivers to its client;
- at each moment a session is in two processes only if one of them is in doubt about it: it asks the other one to forget its copy;
- in a chat each line arrives once, in order, and only at the partner; nothing that a client sent is answered twice;
- a session is nowhere only if a process that had it died, if its client was away for long, or if it moved between hosts while a hub was dead,
  hosts were cut off or did not know each other, their messages were lost or late, or their connections failed, but not if these were cut before an
  answer, twice at most;
- once the network is well, each session is in exactly one process, both of a chat are in it and have heard each other's every line,
  and hear each other still; nobody is in a chat without a partner.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from typing import Any, Final
from unittest.mock import patch

from server.fleet.cluster import cluster_heartbeat
from server.fleet.cluster.known_nodes import Place, named
from server.fleet.ipc import hub_channels, ipc_peers
from server.fleet.ipc.ipc_link import Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, name_of
from server.fleet.processes import process_links
from server.fleet.processes.worker_to_worker_transfer import WorkerTransfer
from server.fleet.roaming import evacuation
from server.main.processes import hub_process
from server.ops.health.background_tasks import Tasks
from server.ops.process import fault_points
from server.ops.process.cpu_time import Meter
from server.ops.security.secret_keys import Keys
from server.realtime.worker import worker_loop
from tests.server.fleet.histories.clock import Clock, Loop
from tests.server.fleet.histories.hosts import GRACE, WORKERS, Crash, Crashes, Site, Where, is_connected
from tests.server.fleet.histories.network import Fate, Network
from tests.server.fleet.histories.people import Broken, Person
from tests.server.fleet.processes.rig import Working

HOSTS: Final = 2
YOUNG: Final = 4  # of so many hosts one has not accepted requests for long
ANYBODY: Final = ("sailing",)  # the word for which all search, unless they search in pairs
PEOPLE: Final = 4
# seconds after which each copy that a cut left is forgotten: until GO 1, until the acknowledgement 2, for the word to forget 2
CERTAIN: Final = 6.0
SETTLED: Final = 16.0  # seconds until all has ended that will: a silent connection after 3, a resume that finds no connection after 8
CUTS: Final = 3  # early cuts that may cost who resumes an answer: silent ones take three seconds each
# what may cost a session that moves between hosts
COSTLY: Final = ("lost", "late", "cut late", "too slow", "hubs that died")
BACK_WITHIN: Final = 18.0  # seconds for a user to come back, at any process that accepts them
TRIED_EVERY: Final = 0.25  # seconds between two connections of a user, and between two looks at what is not over yet
COLLECT_EVERY: Final = 10  # settled histories until the memory of dead processes is freed
ANSWER: Final = 3.0  # seconds for a line of a chat when all is well, also of two who have just met over hosts

# Seconds between what is done again and again, which would be most of a history's events. Nothing that a session is asked or told depends on them.
LOAD_EVERY: Final = 4.0  # counts of users, and signs of life
BEAT_EVERY: Final = 0.9  # of a host; one is dead after 2 s of silence
KNOWN: Final = 3 * BEAT_EVERY  # until hosts that begin know each other
MOVE_AGAIN: Final = 0.1  # looks at a session that could not leave its host

Found = dict[int, list[tuple[Where, Working]]]  # the processes that have each session


class History:
    """See the module. Use it as a context manager; whatever is done raises Broken for what did not hold."""

    def __init__(self, secret: Keys) -> None:
        self._secret = secret
        self._clock = Clock()
        self._faults: list[str] = []
        self._lives = self._settled = 0
        self._trails: defaultdict[int, set[Working]] = defaultdict(set)  # processes to which a session came, by its id
        self._excused: set[int] = set()  # sessions of which a copy is left that no process can have forgotten
        self._parted = False  # whether a host was cut off since all was well
        self._before = Counter[str]()  # what had happened when all was well
        self._apart = set[Site]()  # hosts that may not know another one yet
        self._refusals = 0  # messages with several sessions that are still to be refused
        self.tally: Counter[str] = Counter()

    def __enter__(self) -> History:
        self._clock.__enter__()
        self._real_at = fault_points.at
        self.network = Network()
        self.crashes = Crashes(self._die)
        self._loop = Loop(self._clock)
        self._loop.set_exception_handler(self._on_exception)
        fault_points.at = self.crashes.at
        self._changed = ExitStack()
        for part in (
            patch.object(hub_channels, "pause", lambda _: None),  # a nap is of the machine's time
            patch.object(worker_loop, "READ", 1e6),  # and so is that in which sockets are read: all are, in each turn
            patch.object(Meter, "of_self", lambda *_: None),  # and so is that of a core
            patch.object(Tasks, "start", lambda *_: None),  # a hub's: they free memory and measure the machine
            patch.object(hub_process, "THERE_EVERY", LOAD_EVERY),
            patch.object(process_links, "LOAD_EVERY", LOAD_EVERY),
            patch.object(ipc_peers, "SIGN_EVERY", LOAD_EVERY),
            patch.object(cluster_heartbeat, "EVERY", BEAT_EVERY),
            patch.object(evacuation, "AGAIN", MOVE_AGAIN),
            patch.object(WorkerTransfer, "came_to_meet", _counting_groups(self.tally)),
        ):
            self._changed.enter_context(part)
        self.sites: dict[int, Site] = {}
        self._dead: list[Site] = []
        self.people = [
            Person(chr(ord("a") + place), self._faults.append, self._may_be_lost, self._may_be_copy)
            for place in range(PEOPLE)
        ]
        self._loop.do(self._restart)
        self._loop.wait(KNOWN)
        return self

    def __exit__(self, *_: object) -> None:
        self.crashes.armed.clear()
        try:
            self._loop.do(self._end)
            self._loop.run_until_complete(self._closed())
            self._loop.turn(3)
        finally:
            fault_points.at = self._real_at
            self._changed.close()
            self._loop.close()
            self._clock.__exit__()
            self.people.clear()
            self.sites.clear()
            self._dead.clear()
            self._trails.clear()
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
                "groups that meet others": self.tally["groups"],
                "evacuations": self.tally["evacuated"],
                "groups refused": self.tally["refused"],
                "connections cut": self.network.tally["cut early"] + self.network.tally["cut late"],
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
        self.all_come({who: (host, worker)})

    def all_come(self, places: Mapping[int, tuple[int, int]]) -> None:
        """Connect users, each to a worker of a host, in one turn."""
        for who, (host, worker) in places.items():
            person = self.people[who]
            if not person.here:
                self._loop.do(partial(self._connect, person, host, worker))
        self._look()

    def _connect(self, person: Person, host: int, worker: int) -> None:
        site = self.sites.get(host % HOSTS)
        name = name_of(1 + worker % WORKERS)
        if site is not None and site.serves(name):
            person.connect((site.place, name), site.workers[name])

    def finds(self, who: Iterable[int], words: Sequence[str] = ANYBODY) -> None:
        """Search, each for one of these words in turn."""
        for one, word in zip(who, cycle(words)):
            self._loop.do(partial(self.people[one].find, word))
        self._look()

    def says(self, who: int, count: int = 1) -> None:
        """Say lines."""
        for _ in range(count):
            self._loop.do(self.people[who].say)
        self._look()

    def pings(self, who: int, first: int = 0) -> None:
        """Ask for an answer, at first with so many bytes of the frame, 0: all."""
        self._loop.do(partial(self.people[who].ping, first))
        self._look()

    def crosses(self, who: int, count: int) -> None:
        """Leave a chat while the partner sends lines and asks for answers."""
        person = self.people[who]
        chat = person.chat
        self._loop.do(person.leave)
        for other in self.people:
            if chat and other.chat == chat:
                for _ in range(count):
                    self._loop.do(other.say)
                    self._loop.do(other.ping)
                    self._loop.turn()
        self._look()

    def leaves(self, who: int) -> None:
        """Leave the chat or the search."""
        self._loop.do(self.people[who].leave)
        self._look()

    def drops(self, who: int) -> None:
        """Lose the connection."""
        self._loop.do(self.people[who].drop)
        self._look()

    def is_new(self, who: int, closes: bool = True) -> None:
        """Forget the session, as in another browser. `closes`: the connection is closed as a page that is left does it, else it is lost."""
        self.all_are_new([who], closes)

    def all_are_new(self, who: Iterable[int], closes: bool = True) -> None:
        """See `is_new`, of several users in one turn."""
        people = [self.people[one] for one in who]
        for person in people:
            self._loop.do(person.leave)
            if closes:
                self._loop.do(person.close)
        self._loop.turn(3)
        for person in people:
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
            if name not in (to, FRONTEND) and to not in self.sites[place].evacuated:
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

    def refuses(self, count: int) -> None:
        """Let so many of the next messages with several sessions be refused, as one that the target cannot read."""
        self._refusals = count

    def _is_refused(self, sessions: int) -> bool:
        if sessions < 2 or not self._refusals:
            return False
        self._refusals -= 1
        self.tally["refused"] += 1
        return True

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
        self._parted |= on
        if bus and not on:  # the others may hold it for dead until they hear it
            self._apart.update(self.sites.values())
        if not bus:
            self._loop.do(lambda: site.road.cut_off(on))
        for one in self.network.buses:
            if bus and site.node in one.handlers:
                if on:
                    one.cut = True
                else:
                    self._loop.do(one.reach)

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
        self.tally["hubs that died"] += name == HUB
        site.evacuated.discard(name)
        if name == FRONTEND:
            del self.sites[place]
            self._dead.append(site)
            site.die()
        else:
            site.kill(name)

    def restarts(self) -> None:
        """Start what is dead."""
        self._loop.do(self._restart)
        self._look()

    def _restart(self) -> None:
        for place in range(HOSTS):
            if place not in self.sites:
                self._lives += 1
                self._apart.update(self.sites.values())
                is_old = self._lives % YOUNG > 0
                self.sites[place] = Site(
                    self._secret, place, self._lives, self.network, is_old, self._on_came, self._is_refused
                )
            site = self.sites[place]
            for name in (HUB, *map(name_of, range(1, WORKERS + 1))):
                if name not in site.living:
                    site.start(name)
                    if name == HUB:  # the others may hold its host for dead until they hear it
                        self._apart.update(self.sites.values())

    # time

    def turns(self, count: int) -> None:
        """Let the loop turn, in no time."""
        self._loop.turn(count)
        self._look()

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self._loop.wait(seconds)
        self._look()

    # where sessions are

    def _on_came(self, worker: Working, ids: Sequence[int]) -> None:
        for id in ids:
            self._trails[id].add(worker)

    def _workers(self) -> Iterator[tuple[Where, Working]]:
        for place, site in self.sites.items():
            for name, worker in site.workers.items():
                yield (place, name), worker

    def _found(self) -> Found:
        """Return the processes that have each session, and note them."""
        found: defaultdict[int, list[tuple[Where, Working]]] = defaultdict(list)
        for at, worker in self._workers():
            for id in worker.worker.engine.sessions:
                found[id].append((at, worker))
                self._trails[id].add(worker)
        return found

    def _holders(self, *ids: int) -> list[tuple[Where, Working]]:
        """The processes that have a session."""
        return [(at, one) for at, one in self._workers() for id in set(ids) if id in one.worker.engine.sessions]

    # what may be

    def _all_live(self, id: int) -> bool:
        """Whether no process died to which a session ever came."""
        return self._trails[id] <= {worker for _, worker in self._workers()}

    def _is_doubted(self, id: int) -> bool:
        """Whether a process knows that another one may have a copy of a session."""
        return any(id in one.links.host_migration._crossing.forgetting for _, one in self._workers())  # type: ignore[union-attr]

    def _may_be_lost(self, person: Person) -> bool:
        """Whether a session may be nowhere, or nobody answers for it: a process that had it died, it ended, or it moved between hosts whose network
        failed.
        """
        if not person.through <= {worker for _, worker in self._workers()} or not all(map(self._all_live, person.ids)):
            return True
        if self._clock.now - person.gone_at >= GRACE:
            return True
        where = {at[0] for at, worker in self._workers() if any(worker in self._trails[id] for id in person.ids)}
        return (person.at is None or where != {person.at[0]}) and self._has_failed()

    def _has_failed(self) -> bool:
        """Whether what may cost a session that moves between hosts, or an answer about it, has happened since all was well."""
        since = self.network.tally + self.tally - self._before
        sites = set(self.sites.values())
        self._apart = {one for one in self._apart & sites if not one.knows(sites - {one})}
        is_apart = self._parted or bool(self._apart)
        return is_apart or any(since[what] for what in COSTLY) or since["cut early"] >= CUTS

    def _may_be_copy(self, person: Person) -> bool:
        """Whether a client may find a copy that a cut left: it is in doubt, or the process that doubted it died, or cannot reach it."""
        return self._parted or any(self._is_doubted(id) or not self._all_live(id) for id in person.ids)

    # what holds

    def _look(self) -> None:
        self._loop.turn()
        found = self._found()
        if any(self._served_twice(found)):  # one over a connection that its client has dropped, which is read soon
            self._loop.turn(4)
            found = self._found()
        self._faults += self._served_twice(found)
        for id, at in self._copies(found):
            if not self._is_doubted(id):
                self._faults.append(f"session {id:x} is in {at}, and no process doubts it")
        self._raise()

    def _served_twice(self, found: Found) -> Iterator[str]:
        for person in self.people:
            at = [where for where, one in found.get(person.session, ()) if is_connected(one, person.session)]
            if len(at) > 1:
                yield f"{person.name} is served by {at}"

    def _copies(self, found: Found | None = None) -> list[tuple[int, list[Where]]]:
        """Return the sessions that are in two processes, but for those of which one cannot learn that."""
        twice = {id: at for id, at in (found or self._found()).items() if len(at) > 1}
        self._excused &= twice.keys()
        self._excused |= {id for id in twice if self._parted or not self._all_live(id)}
        return [(id, [where for where, _ in at]) for id, at in twice.items() if id not in self._excused]

    def _raise(self) -> None:
        if self._faults:
            raise Broken("; ".join(self._faults[:5]))

    # when all is well

    def settles(self, wholly: bool = True) -> None:
        """Let all be well, and check what holds then. `wholly`: also after all time that anything waits for."""
        self.crashes.armed.clear()
        self._refusals = 0
        self._loop.do(self.network.heal)
        for person in self.people:
            self._loop.do(person.end_frame)
        for site in self.sites.values():
            self._loop.do(lambda site=site: site.road.cut_off(False))
        for site in list(self.sites.values()):
            for name in site.evacuated & set(site.living):
                self.dies(site.place, name)
        self.restarts()
        healed = self._clock.now
        self._come_back()
        self._until(lambda: not self._copies(), healed + CERTAIN)
        self._faults += [f"session {id:x} is in {at} for long" for id, at in self._copies()]
        self._raise()
        self._loop.wait(SETTLED if wholly else TRIED_EVERY)  # also until it is read that connections of the dead ended
        self._come_back()
        self._until(self._is_right, self._clock.now + SETTLED)
        self._faults += self._wrong()
        self._raise()
        self._parted = False
        self._apart.update(self.sites.values())  # their messages may have been lost for long
        self._before = self.network.tally + self.tally
        self._dead = [site for site in self._dead if not site.is_closed]
        known = {id for person in self.people for id in person.ids} | self._found().keys()
        for id in self._trails.keys() - known:
            del self._trails[id]
        asked = [person.pongs for person in self.people]
        for person in self.people:
            person.trust()
            self._loop.do(person.say)
            self._loop.do(person.ping)
        self._until(
            lambda: not self._unheard(self._asked_anew(asked)) and self._is_right(), self._clock.now + ANSWER, 0.01
        )
        self._faults += [*self._unheard(asked), *self._wrong()]
        self._look()
        self._settled += 1
        if self._settled % COLLECT_EVERY == 0:
            gc.collect()

    def _until(self, is_over: Callable[[], bool], until: float, every: float = TRIED_EVERY) -> None:
        """Let time pass until something is over, or it is `until`; users whose connection ends come back."""
        turn = 0
        while not is_over() and not self._faults and self._clock.now < until:
            self._loop.wait(every)
            self._reconnect(turn := turn + 1)

    def _come_back(self) -> None:
        """Connect the users without a connection, again if one is refused."""
        until, turn = self._clock.now + BACK_WITHIN, 0
        while True:
            self._reconnect(turn)
            if not all(person.ready for person in self.people):
                self._loop.turn(8)
            if all(person.ready for person in self.people) or self._clock.now >= until:
                return
            self._loop.wait(TRIED_EVERY)
            turn += 1

    def _reconnect(self, turn: int) -> None:
        for place, person in enumerate(self.people):
            if not person.here:
                self._loop.do(partial(self._connect, person, place + turn, turn))

    def _is_quiet(self) -> bool:
        """Whether no session moves, no connection is about to end, and no process waits for another's answer about a session."""
        if self.network.ending or any(site.evacuating for site in self.sites.values()):
            return False
        for _, one in self._workers():
            links, migration = one.links, one.links.host_migration
            if links.visitor_return._returns or links.across._going or links.across.forwarding._flying:
                return False
            if migration is not None and (
                migration.under_way or len(migration._crossing.forgetting) or migration._landing._held
            ):
                return False
        return all(person.ready for person in self.people)

    def _is_right(self) -> bool:
        """Whether all holds, with nothing under way that could end it."""
        return self._is_quiet() and not self._wrong()

    def _wrong(self) -> list[str]:
        """Return what does not hold."""
        return [*self._wrong_sessions(), *self._wrong_chats()]

    def _wrong_sessions(self) -> Iterator[str]:
        for person in self.people:
            if not person.ready:
                yield f"{person.name} cannot come back"
            elif len(at := [where for where, _ in self._holders(*person.ids)]) != 1:
                yield f"the session of {person.name} is in {at}"
        ours = {id for person in self.people for id in person.ids}
        for where, worker in self._workers():
            for id, session in worker.worker.engine.sessions.items():
                if id not in ours and (session.conn or not 0 < session.deadline <= self._clock.now + GRACE):
                    yield f"{where} has session {id:x}, of nobody, for ever"

    def _wrong_chats(self) -> Iterator[str]:
        by_chat: defaultdict[str, list[Person]] = defaultdict(list)
        for person in self.people:
            if person.chat:
                by_chat[person.chat].append(person)
        for chat, people in by_chat.items():
            if len(people) != 2:
                yield f"{[one.name for one in people]} alone in chat {chat}"
                continue
            for one, other in (people, reversed(people)):
                if one.next != other.lines:
                    yield f"{one.name} heard {one.next} of {other.lines} lines of {other.name} in {chat}"

    def _asked_anew(self, pongs: list[int]) -> list[int]:
        """Ask for an answer over each connection that replaced the one that was asked: a tunnel may break late, and its client comes back."""
        for place, person in enumerate(self.people):
            if person.ready and not person.pings:
                self._loop.do(person.ping)
                pongs[place] = 0
        return pongs

    def _unheard(self, pongs: Sequence[int]) -> list[str]:
        """Return who did not get an answer, or a line. `pongs`: answers that each had got."""
        missing = [
            f"{person.name} gets no answer"
            for person, before in zip(self.people, pongs, strict=True)
            if person.pongs <= before
        ]
        return [*missing, *self._wrong_chats()]


def _counting_groups(tally: Counter[str]) -> Callable[[WorkerTransfer, str, Message], None]:
    came_to_meet = WorkerTransfer.came_to_meet

    def counted(self: WorkerTransfer, name: str, message: Message) -> None:
        tally["groups"] += 1
        came_to_meet(self, name, message)

    return counted
