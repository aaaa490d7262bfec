"""Who has the session that somebody comes back to. Rule: a token says nothing of where; all are asked, the first yes wins.

The processes of this host first; where none of them has it the other hosts, by way of the hub (`server.fleet.roaming.session_search`), which say
yes or
nothing. The fresh connection goes there with its `resume`, which is answered there. Where nobody has it, or says so in time, it is answered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, NEXT, Peers
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.realtime.worker.worker_loop import Worker

WITHIN: Final = 0.3  # seconds for an answer of this host
FARTHER: Final = 0.6  # seconds in all, where other hosts are asked too
HERE: Final = ""  # of an answer: who says it has it
ASKED_MAX: Final = 10_000  # keys that are asked for at once

Knock = Callable[[int, str, Callable[[], None]], None]


def alone() -> bool:
    """There is no other host."""
    return False


def stays(_: int) -> bool:
    """This process goes on."""
    return False


class Whereabouts:
    """Of one worker. `knock`: somebody goes to a process by name; what to do where they cannot."""

    def __init__(
        self,
        worker: Worker,
        peers: Callable[[], Peers],
        knock: Knock,
        forwarding: ForwardingTable,
        others: Callable[[], bool] = alone,
    ) -> None:
        """`others`: whether there are other hosts to ask."""
        self._worker = worker
        self._peers = peers
        self._knock = knock
        self._forwarding = forwarding
        self._others = others
        self._goes: Callable[[int], bool] = stays  # in an evacuation: whether a session migrates to a host, next
        self._since: dict[int, float] = {}  # by the key: since when this host is asked, and no other yet
        self._asked: dict[int, set[str]] = {}  # who has not answered, by the key
        self._ends: dict[int, asyncio.TimerHandle] = {}  # when silence is an answer, by the key

    def begin_evacuation(self, goes: Callable[[int], bool]) -> None:
        """Answer other hosts once a session has arrived, if `goes` returns True for its id: it migrates to a host, next."""
        self._goes = goes

    def end_evacuation(self) -> None:
        """Answer other hosts at once again."""
        self._goes = stays

    def is_elsewhere(self, key: int) -> bool:
        """Ask the other processes for the session of a token's key; False: none of them can have it."""
        if key in self._asked:
            return True
        if len(self._asked) >= ASKED_MAX:
            return False
        peers, loop = self._peers(), asyncio.get_running_loop()
        asked = {name for name in peers.people if not peers.full(name) and peers.send(name, Kind.WHO, key) is not None}
        if not asked:
            return self._farther(key, loop.time())
        self._since[key] = loop.time()
        self._wait(key, asked, WITHIN)
        return True

    def _farther(self, key: int, since: float) -> bool:
        """Whether other hosts may have it: then they are asked."""
        peers, now = self._peers(), asyncio.get_running_loop().time()
        if not self._others() or peers.full(HUB) or peers.send(HUB, Kind.WHO, key) is None:
            return False
        self._wait(key, {HUB}, since + FARTHER - now)
        return True

    def _wait(self, key: int, asked: set[str], within: float) -> None:
        self._asked[key] = asked
        self._ends[key] = asyncio.get_running_loop().call_later(within, self._over, key)

    def who(self, name: str, message: Message) -> None:
        """Somebody asks, for one session; the hub for other hosts, for several."""
        for key in message.records:
            self.answer(name, key)

    def answer(self, name: str, key: int) -> None:
        """Say where the session of a key is, when it is somewhere."""
        id = self._worker.engine.moves.find(key)
        if id is not None and name == HUB and self._goes(id):
            self._forwarding.wanted(name, key)
            return
        here = id is not None
        if here or not self._forwarding.waits(name, key):
            where = HERE if here else self._forwarding.where(key)
            if where is not None and name.startswith(NEXT):
                where = where.removeprefix(NEXT)  # as it is called there
            if where is None and name == HUB:
                return  # hosts say yes or nothing
            self._peers().send(name, Kind.MINE, key, where)

    def mine(self, name: str, message: Message) -> None:
        """Somebody answers."""
        key, where = message.records
        asked = self._asked.get(key)
        if asked is None:
            return
        asked.discard(name)
        if where is not None:
            to = where or name
            self._forget(key)
            for id in self._worker.engine.moves.awaiting(key):
                self._knock(id, to, partial(self._stay, key, id))
        elif not asked:
            self._over(key)

    def dead(self, name: str) -> None:
        """It will not answer."""
        for key in [key for key, asked in self._asked.items() if name in asked]:
            self._asked[key].discard(name)
            if not self._asked[key]:
                self._over(key)

    def _over(self, key: int) -> None:
        if key in self._asked:
            since = self._forget(key)
            if since is None or not self._farther(key, since):
                self._nowhere(key)

    def _stay(self, key: int, id: int) -> None:
        """Somebody cannot go. Who dropped out is told nothing, nor is who came with the same key since: they were asked for anew."""
        waiting = self._worker.engine.moves.awaiting(key)
        if id in waiting or not waiting:
            self._nowhere(key)

    def _forget(self, key: int) -> float | None:
        """It is answered: whoever asks for it again has the whole time. Since when it was this host alone that was asked; None: others were."""
        del self._asked[key]
        self._ends.pop(key).cancel()
        return self._since.pop(key, None)

    def _nowhere(self, key: int) -> None:
        self._worker.act(lambda now: self._worker.engine.arrived(key, now))
