"""Find the process that has the session which a reconnecting client resumes: ask all processes of this host, then the other hosts through the hub,
once that knows them. If these are silent, all processes of this host are asked once more: the session may have returned here meanwhile.

**Invariant:** the first process that answers yes gets the new connection, with its `resume` request. If none answers yes in time, this worker
answers the client. While a session is known to be under way, the client waits for the end of that move, which is an answer. A connection whose
move was cut or refused, and which is back, rests and is looked up anew: the client receives `no_session` only once such moves fail for MOVES_FOR.
(A process that is being emptied refuses; the session leaves it soon.)
A session that came here since it was asked for, and left again, is followed: who answered no had not had it yet, or names this process. Another
host that names this process does not end the look-up: another process of that host may have the session.
A session that is here is not resumed as long as another process may have resumed a copy of it (`roaming.stale_copies`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from ext.base.ageing_map import AgeingMap
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, NEXT, Peers
from server.fleet.ipc.process_names import elsewhere, place
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.realtime.worker.worker_loop import Worker

WITHIN: Final = 0.3  # seconds for an answer of this host
FARTHER: Final = 0.6  # seconds in all, if other hosts are asked too
KNOWN_WITHIN: Final = 4.0  # seconds for the hub to know the other hosts: it, its connection to NATS or a host is new
MOVING_FOR: Final = 5.0  # seconds for a session under way: longer than a move (`roaming.migration_source`)
HERE: Final = ""  # of an answer: the sender has the session; as the name of a process: this one
ASKED_MAX: Final = 10_000  # keys looked up at once
LATER: Final = "later"  # as the name of a process: a rest has to end first
REST: Final = 0.25  # seconds from a move that failed until the connection is looked up anew
MOVES_FOR: Final = 5.0  # seconds for which moves of a connection to the session that it resumes may fail
MOVES_WITHIN: Final = 15.0  # seconds in which the first one is remembered: a session waits for its client no longer

RequestMove = Callable[[int, str, Callable[[], None]], None]


def stays(_: int) -> bool:
    """Report that no session migrates from this process."""
    return False


def is_certain(_: int) -> bool:
    """Report that no session is doubted."""
    return False


class Begin(NamedTuple):
    """Begin of a look-up. `at`: by the loop's clock; `acknowledged`: see `ForwardingTable`."""

    at: float
    acknowledged: int


@dataclass(slots=True)
class LookUp:
    """Look-up of one session. `asked`: processes that have not answered; `hosts_asked`: whether other hosts are asked, or were; `end`: ends it as a
    no.
    """

    asked: set[str]
    since: Begin
    hosts_asked: bool
    end: asyncio.TimerHandle


class SessionLookup:
    """The look-ups of one worker. `request_move`: moves a connection to a process by name, or calls the given function if it cannot."""

    def __init__(
        self,
        worker: Worker,
        peers: Callable[[], Peers],
        request_move: RequestMove,
        forwarding: ForwardingTable,
        hosts: Hosts | None = None,
        is_doubted: Callable[[int], bool] = is_certain,
    ) -> None:
        """`hosts`: the other hosts; None: this one is alone; `is_doubted`: whether another process may have resumed a session, by id; `settled` is
        called once none has.
        """
        self._worker = worker
        self._peers = peers
        self._request_move = request_move
        self._forwarding = forwarding
        self._hosts = hosts
        self._is_doubted = is_doubted
        self._doubted: dict[int, set[int]] = {}  # keys whose resumes wait for the end of a doubt, by session
        self._goes: Callable[[int], bool] = stays  # in an evacuation: whether a session migrates to a host, next
        self._lookups: dict[int, LookUp] = {}  # by key
        self._failed: AgeingMap[int, float] = AgeingMap(ASKED_MAX)  # since when moves fail, by session

    def begin_evacuation(self, goes: Callable[[int], bool]) -> None:
        """Answer other hosts once a session has arrived, if `goes` returns True for its id: it migrates to a host, next."""
        self._goes = goes

    def end_evacuation(self) -> None:
        """Answer other hosts at once again, also those that wait for a session that stays."""
        self._goes = stays
        self._forwarding.give_up()

    def is_elsewhere(self, key: int) -> bool:
        """Ask the other processes for the session of a token's key, or wait for the end of a doubt. Return False if none of them can have it."""
        if key in self._lookups or self._doubts(key):
            return True
        if len(self._lookups) >= ASKED_MAX:
            return False
        return self._leaves(key) or self._begin(key)

    def _begin(self, key: int) -> bool:
        """Ask the other processes of this host, and then the other hosts. Return False if none of them can have it."""
        now = self._now()
        return self._near(key, now) or self._farther(key, now)

    def _now(self) -> Begin:
        return Begin(asyncio.get_running_loop().time(), self._forwarding.acknowledged)

    def _near(self, key: int, since: Begin, hosts_asked: bool = False) -> bool:
        """Ask the other processes of this host. Return False if this is the only one. `hosts_asked`: whether other hosts were."""
        peers = self._peers()
        asked = {name for name in peers.people if not peers.full(name) and peers.send(name, Kind.WHO, key) is not None}
        if asked:
            self._wait(key, asked, WITHIN, since, hosts_asked)
        return bool(asked)

    def _leaves(self, key: int) -> bool:
        """Wait for the end of a move of the session from this process, and ask the other processes then. Return False if none is under way."""
        if not self._forwarding.waits(HERE, key):
            return False
        self._wait(key, {HERE}, MOVING_FOR, self._now())
        return True

    def _farther(self, key: int, since: Begin) -> bool:
        """Ask the other hosts, once they are known; they have their time also after a longer move. Return False if none of them can have it."""
        peers, now, hosts = self._peers(), asyncio.get_running_loop().time(), self._hosts
        if hosts is None or not hosts.there():
            return False
        if not hosts.are_known:
            within = KNOWN_WITHIN
        elif peers.full(HUB) or peers.send(HUB, Kind.WHO, key) is None:
            return False
        else:
            within = max(since.at + FARTHER - now, FARTHER - WITHIN)
        self._wait(key, {HUB}, within, since, hosts_asked=True)
        return True

    def _wait(self, key: int, asked: set[str], within: float, since: Begin, hosts_asked: bool = False) -> None:
        end = asyncio.get_running_loop().call_later(within, self._over, key)
        self._lookups[key] = LookUp(asked, since, hosts_asked, end)

    def _wait_longer(self, key: int, within: float) -> None:
        """Give a look-up so many seconds from now."""
        self._lookups[key].end.cancel()
        self._lookups[key].end = asyncio.get_running_loop().call_later(within, self._over, key)

    def who(self, name: str, message: Message) -> None:
        """Handle a look-up: of a process for one session, or of the hub for several, from other hosts."""
        for key in message.records:
            self.answer(name, key)

    def answer(self, name: str, key: int, again: bool = False) -> None:
        """Send where the session of a key is; while it is under way, that, and the rest once it has arrived. `again`: the process waited for the
        end of a move; if the session is not here then, nor known to be elsewhere, the hub asks all hosts again.
        """
        id = self._worker.engine.moves.find(key)
        if id is not None and name == HUB and self._goes(id):
            self._forwarding.wanted(name, key)
            self._peers().send(name, Kind.MOVING, key)
            return
        if id is None and self._forwarding.waits(name, key):
            if name != HERE:
                self._peers().send(name, Kind.MOVING, key)
            return
        where = HERE if id is not None else self._forwarding.where(key)
        if name == HERE:
            self._told(name, key, where)
            return
        if where is not None and name.startswith(NEXT):
            where = where.removeprefix(NEXT)  # by its name in that generation
        if where is None and name == HUB and not again:
            return  # a host answers yes or nothing
        self._peers().send(name, Kind.MINE, key, where)

    def mine(self, name: str, message: Message) -> None:
        """Handle an answer."""
        self._told(name, *message.records)

    def moving(self, name: str, message: Message) -> None:
        """Give a process more time: the session is under way, and it will answer."""
        for key in message.records:
            if key in self._lookups and name in self._lookups[key].asked:
                self._wait_longer(key, MOVING_FOR)

    def _told(self, name: str, key: int, where: str | None) -> None:
        lookup = self._lookups.get(key)
        if lookup is None or LATER in lookup.asked:
            return
        lookup.asked.discard(name)
        to = None if where is None else where or name
        if to == HERE or self._worker.engine.moves.find(key) is not None:  # it is here again
            self._forget(key)
            self._repeat(key)
        elif to is not None and self._is_reached(to):
            self._forget(key)
            self._move(key, to)
        elif lookup.asked:
            return
        elif to is not None and elsewhere(to):  # a host that is not known yet
            lookup.asked.add(HUB)
            self._wait_longer(key, KNOWN_WITHIN)
        elif to is not None and name == HUB:
            self._await_another(key)
        else:
            self._over(key)

    def _await_another(self, key: int) -> None:
        """Go on with a look-up if another host named this worker, which does not have it: the one that has it answers in the same time."""
        left = self._lookups[key].end.when() - asyncio.get_running_loop().time()
        since = self._forget(key).since
        if not self._follow(key, since):
            self._wait(key, {HUB}, left, since, hosts_asked=True)

    def ask_again(self) -> None:
        """Ask anew for the sessions that the hub looks for: other hosts are known from now on, or they are not known any more. Of this host too: a
        session may have come since its processes were asked.
        """
        for key, lookup in [*self._lookups.items()]:
            if HUB in lookup.asked and self._lookups.get(key) is lookup:  # the end of one may begin or end others
                self._forget(key)
                if not self._begin(key):
                    self._repeat(key)

    def _is_reached(self, name: str) -> bool:
        """Whether it is another process that a connection can move to. (One that sent the session here names this one, though it moved on since.)"""
        if elsewhere(name):
            return self._hosts is not None and self._hosts.at(place(name)[0]) is not None
        return name in self._peers()

    def dead(self, name: str) -> None:
        """Count a dead process as an answer of no; the next hub gets the questions of this one."""
        if name == HUB and self._hosts is not None:
            self._hosts.lose()
            self.ask_again()
            return
        for key, lookup in [*self._lookups.items()]:
            if name in lookup.asked and self._lookups.get(key) is lookup:
                lookup.asked.discard(name)
                if not lookup.asked:
                    self._over(key)

    def _over(self, key: int) -> None:
        """Go on with a look-up that got no yes: follow the session, ask the other hosts, then this one again; or repeat its resumes."""
        if key not in self._lookups:
            return
        lookup = self._forget(key)
        if HERE not in lookup.asked and self._follow(key, lookup.since):
            return
        if not lookup.hosts_asked and self._farther(key, lookup.since):
            return
        # it may have left another host for this one before that was asked
        if HUB in lookup.asked and self._near(key, lookup.since, hosts_asked=True):
            return
        self._repeat(key)

    def _follow(self, key: int, since: Begin) -> bool:
        """Go on with a session that came here since it was asked for, and leaves again, or left. Return False if it did not, or is here."""
        if self._worker.engine.moves.find(key) is not None:
            return False
        if self._leaves(key):
            return True
        to = self._forwarding.went(key) if self._forwarding.left_since(key, since.acknowledged) else None
        if to is None or not self._is_reached(to):
            return False
        self._move(key, to)
        return True

    def _move(self, key: int, to: str) -> None:
        """Move the connections that wait for a session to the process that has it."""
        for id in self._worker.engine.moves.awaiting(key):
            self._request_move(id, to, partial(self._stay, key, id))

    def _stay(self, key: int, id: int) -> None:
        """Handle a connection that did not move. If it was put back its resume is looked up again, after a rest: the session is elsewhere by then. A
        client that dropped meanwhile gets no answer; for a newer one with the same key a look-up runs.
        """
        waiting = self._worker.engine.moves.awaiting(key)
        if id in waiting and key in self._lookups and self._may_move_again(id):
            self._rest(key)
            return
        if id in waiting or not waiting:
            self._repeat(key)

    def _may_move_again(self, id: int) -> bool:
        """Note a move that failed; return whether another one is tried."""
        now = asyncio.get_running_loop().time()
        since = self._failed.get(id, now)
        if since is None:
            self._failed.put(id, now, now + MOVES_WITHIN, now)
            return True
        return now - since < MOVES_FOR

    def _rest(self, key: int) -> None:
        """Look a key up anew in a moment, instead of now: the answers of now name the process that refused."""
        self._forget(key)
        end = asyncio.get_running_loop().call_later(REST, self._rested, key)
        self._lookups[key] = LookUp({LATER}, self._now(), False, end)

    def _rested(self, key: int) -> None:
        self._forget(key)
        self._look_up(key)

    def _look_up(self, key: int) -> None:
        """Ask the other processes for the session of a key, unless it is here."""
        if self._worker.engine.moves.find(key) is not None or not self.is_elsewhere(key):
            self._repeat(key)

    def _forget(self, key: int) -> LookUp:
        """End a look-up, and return it; a later one has the whole time again."""
        lookup = self._lookups.pop(key)
        lookup.end.cancel()
        return lookup

    def _repeat(self, key: int) -> None:
        """Repeat the resumes that wait, unless they are to wait for the end of a doubt: the session is here, or nowhere."""
        if not self._doubts(key):
            self._worker.act(lambda now: self._worker.engine.arrived(key, now))

    # sessions that are here, and of which a client may have resumed a copy

    def _doubts(self, key: int) -> bool:
        """Whether the session of a key is here and doubted; then its resumes go on once it is settled."""
        id = self._worker.engine.moves.find(key)
        if id is None or not self._is_doubted(id):
            return False
        self._doubted.setdefault(id, set()).add(key)
        return True

    def settled(self, id: int) -> None:
        """Go on with the resumes of a session that is not doubted any more: it is here, or another process has it."""
        for key in self._doubted.pop(id, ()):
            if key not in self._lookups:
                self._look_up(key)
