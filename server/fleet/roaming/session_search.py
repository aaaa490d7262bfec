"""Search all hosts for the session that a reconnecting client resumes: the hub sends its processes' questions to the other hubs and answers theirs.
A session is named by the random key in the client's sealed resume token.

**Invariant:** only the host that has the session answers; silence means no. While it is under way, the host that it left answers so, and where it
is once it has arrived. (Release 0.2 neither sends nor reads the former: there the answer after FOR is no.) An answer that names a process of the
host that asks does not end the search: a session that was sent there may have come back since, to another process of the host that answers.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from ext.base.ageing_map import AgeingMap
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.process_names import elsewhere, place
from server.ops.metrics.cluster_metrics import SOUGHT
from server.ops.metrics.metric_type import Reading

WHO: Final = "who"  # subject that all hubs subscribe
MINE: Final = "mine-"  # before a node: subject of the answers to it
MOVING: Final = "moving-"  # before a node: subject of the answers to it for sessions under way
KEYS: Final = 64  # in one message
EVERY: Final = 0.001  # seconds between two messages
FOR: Final = 0.6  # seconds for which a key is under search: the client is answered otherwise meanwhile (`session_lookup.FARTHER`)
HERE_FOR: Final = 0.3  # seconds for the processes of this host to answer
MOVING_FOR: Final = 5.0  # seconds, the same, while its session is under way (`session_lookup.MOVING_FOR`)
ASKED_MAX: Final = 10_000  # keys under search at once, of this host; and of all others here
KEY_MAX: Final = 1 << 63
PLACE: Final = re.compile("@[0-9a-f]{10} ([0-9]{1,3})")
MOST: Final = 255  # workers of a host


class Asked:
    """Keys under search, each with those that wait for an answer, for a number of seconds, ASKED_MAX at most; and as many of sessions under way,
    for MOVING_FOR.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by: AgeingMap[int, list[str]] = AgeingMap(ASKED_MAX)
        self._moving: AgeingMap[int, list[str]] = AgeingMap(ASKED_MAX)

    def __len__(self) -> int:
        return len(self._by) + len(self._moving)

    def add(self, key: int, who: str, now: float) -> bool:
        """Add a request for a key; False: too many keys are under search."""
        known = self._by
        known.expire(now)
        askers = known.pop(key) or []
        if known.is_full:
            return False
        if who not in askers:
            askers.append(who)
        known.put(key, askers, now + self._seconds, now)
        return True

    def moves(self, key: int, now: float) -> list[str]:
        """Keep a key whose session is under way for longer; returns those that do not know it yet. Beyond the bound none is kept."""
        askers, moving = self._by.get(key, now) or [], self._moving
        moving.expire(now)
        known = moving.get(key, now) or []
        if not askers or (moving.is_full and not known):
            return []
        self._by.pop(key)
        moving.put(key, [*dict.fromkeys((*known, *askers))], now + MOVING_FOR, now)
        return askers

    def moved(self, key: int, now: float) -> list[str]:
        """Remove a key whose session was under way, and is not any more; returns those that know that it was."""
        askers = self._moving.get(key, now) or []
        self._moving.pop(key)
        return askers

    def askers(self, key: int, now: float) -> list[str]:
        """Return those that wait for a key."""
        return [*dict.fromkeys(one for by in (self._moving, self._by) for one in by.get(key, now) or ())]

    def take(self, key: int, now: float) -> list[str]:
        """Remove a key; returns those that wait for it."""
        askers = self.askers(key, now)
        self._moving.pop(key)
        self._by.pop(key)
        return askers


class Names(Protocol):
    """Names and numbers of the processes of all hosts (`server.fleet.ipc.process_names`)."""

    def number(self, name: str) -> int:
        """Return the number of a process that has sessions; -1: it has none, or is of another generation."""

    def name(self, number: int) -> str:
        """Return the name of a process, as processes of this host call it."""

    def cluster_name(self, name: str) -> str:
        """Return the name of a process, as other hosts call it."""


class SessionSearch:
    """Search of one hub. `say`: sends to all hosts, on a subject; `send`: to a process of this host; `people`: the names of those; `unreadable`:
    called for a message that is no question and no answer. Call it in the loop.

        process ── WHO ──► its hub ── `who`: one message a millisecond, KEYS at most ──► all other hubs ── WHO ──► their processes
           ▲                 ▲                                                                                        │ MINE
           └───── MINE ──────┴──────────────── `mine-<node of the asking hub>` ◄───────────────────────────────────── hub

    MOVING, before MINE, is sent back likewise, by `moving-<node of the asking hub>`.
    """

    def __init__(
        self,
        node: str,
        names: Names,
        say: Callable[[str, bytes], None],
        send: Callable[..., object],
        people: Callable[[], Sequence[str]],
        unreadable: Callable[[], None],
    ) -> None:
        self._node = node
        self._names = names
        self._say = say
        self._send = send
        self._people = people
        self._unreadable = unreadable
        self._ours = Asked(FOR)
        self._theirs = Asked(HERE_FOR)
        self._unsaid: deque[int] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._said = float("-inf")
        self.tally: Counter[str] = Counter()
        self.handlers: Mapping[str, Callable[[bytes], None]] = {
            WHO: self._question,
            MINE + node: self._answer,
            MOVING + node: self._moves,
        }

    def reading(self) -> Reading:
        """Return the metrics."""
        return {"serendip_session_lookups": {(result,): self.tally[result] for result in SOUGHT}}

    # questions of this host's processes

    def who(self, name: str, message: Message) -> None:
        """Search for keys that a process of this host asks for; beyond ASKED_MAX it gets a no at once."""
        now = time.monotonic()
        for key in message.records:
            if len(self._unsaid) < ASKED_MAX and self._ours.add(key, name, now):
                self.tally["asked"] += 1
                self._unsaid.append(key)
            else:
                self.tally["full"] += 1
                self._send(name, Kind.MINE, key, None)
        if self._unsaid and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._said + EVERY - now), self._tell)

    def _tell(self) -> None:
        """Send the next message."""
        self._said, self._timer = time.monotonic(), None
        keys = [self._unsaid.popleft() for _ in range(min(KEYS, len(self._unsaid)))]
        self._ask(self._node, keys)
        if self._unsaid:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._tell)

    def _ask(self, node: str, keys: Sequence[int], again: bool = False) -> None:
        """Ask all hosts for keys, in the name of `node`; that one too if it asks `again`: the session may have come there since it asked its own."""
        self._say(WHO, orjson.dumps({"node": node, "keys": keys} | ({"again": 1} if again else {})))

    def mine(self, name: str, message: Message) -> None:
        """Pass on the answer of a process that has the session, or sent it on to `where`; None: it was under way there, and is not there: all hosts
        are asked again.
        """
        key, where = message.records
        now = time.monotonic()
        if where is None:
            for node in self._theirs.moved(key, now):
                self._ask(node, [key], again=True)
            return
        if self._names.number(where or name) < 0:  # the next generation, a host of its own, has it by now
            for node in self._theirs.take(key, now):
                self._ask(node, [key])
            return
        there = self._names.cluster_name(where or name)
        askers = self._theirs.askers(key, now)
        if not where or place(there)[0] not in askers:
            self._theirs.take(key, now)
        for node in askers:
            self.tally["answered"] += 1
            self._say(MINE + node, orjson.dumps({"key": key, "where": there}))

    def moving(self, _: str, message: Message) -> None:
        """Tell the hosts that ask that the session of a key is under way from a process of this host, which will answer."""
        for key in message.records:
            for node in self._theirs.moves(key, time.monotonic()):
                self._say(MOVING + node, orjson.dumps({"key": key}))

    # questions and answers of other hosts

    def _question(self, body: bytes) -> None:
        match said := _read(body):
            case {"node": str(node), "keys": list(keys)} if _is_node(node) and _are_keys(keys):
                if node == self._node and "again" not in said:
                    return
            case _:
                self._unreadable()
                return
        now = time.monotonic()
        wanted = [key for key in keys if self._theirs.add(key, node, now)]
        self.tally["full"] += len(keys) - len(wanted)
        if wanted:
            for name in self._people():
                if self._names.number(name) >= 0:  # the next generation answers as a host of its own
                    self._send(name, Kind.WHO, *wanted)

    def _answer(self, body: bytes) -> None:
        match _read(body):
            case {"key": int(key), "where": str(where)} if _is_key(key) and _is_place(where):
                now = time.monotonic()
                askers = self._ours.askers(key, now)
                self.tally["found"] += bool(askers)
                there = self._names.name(self._names.number(where))  # a process of this host has its own name here
                if elsewhere(there):
                    self._ours.take(key, now)
                for name in askers:
                    self._send(name, Kind.MINE, key, there)
            case _:
                self._unreadable()

    def _moves(self, body: bytes) -> None:
        match _read(body):
            case {"key": int(key)} if _is_key(key):
                for name in self._ours.moves(key, time.monotonic()):
                    self._send(name, Kind.MOVING, key)
            case _:
                self._unreadable()


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _are_keys(keys: list[Any]) -> bool:
    return len(keys) <= KEYS and all(map(_is_key, keys))


def _is_key(key: object) -> bool:
    return type(key) is int and 0 <= key < KEY_MAX


def _is_node(node: str) -> bool:
    return len(node) == 10 and set(node) <= set("0123456789abcdef")


def _is_place(where: str) -> bool:
    """Whether a text is the name of a process that has sessions, of some host."""
    found = PLACE.fullmatch(where)
    return found is not None and int(found[1]) <= MOST
