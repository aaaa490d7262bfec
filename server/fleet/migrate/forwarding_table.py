"""Answer other processes that ask for a session which is migrating, or has just migrated, out of this process, or may be on its way to it.

**Invariant:** an entry lives until the migration ends, and 1 s more if the target has the session, so that a client that reconnects meanwhile
finds its session. The name of its target is kept for 20 s, for a host that asks to forget a copy of it (`roaming.stale_copies`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ext.base.ageing_map import AgeingMap
from server.fleet.ipc.ipc_peers import HUB

KEEP: Final = 1.0  # seconds: longer than a process waits for an answer (`session_lookup.WITHIN`)
KNOWN_FOR: Final = 20.0  # seconds: longer than a host asks to forget a copy (`stale_copies.FOR`)
KNOWN_MAX: Final = 65_536
_KEYS: Final = ("id", "key", "used")  # fields of a session record that a resume token may hold


class Departure(NamedTuple):
    """Acknowledgement of a session by the process of this name. `number`: `ForwardingTable.acknowledged` before it; `at`: the loop's time."""

    to: str
    number: int
    at: float


def _keys_of(people: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple({one[name] for one in people for name in _KEYS if name in one})


class ForwardingTable:
    """Forwarding table of one process. `answer`: called with (asking process, key) when a request that waited can be answered.

    If a session that is under way moves again (it is back, and the end of its first move is not known here yet), the last move counts.
    `acknowledged`: how many messages with sessions were acknowledged until now: a moment, which is exact where the clock is not.
    """

    def __init__(self, answer: Callable[[str, int], None]) -> None:
        self._answer = answer
        self.acknowledged = 0
        self._flying: dict[int, tuple[int, ...]] = {}  # what `sent` returned, by the key of a session under way
        self._expected: Counter[int] = Counter()  # sessions that may be on their way here, by each key
        self._asked: dict[
            int, list[str]
        ] = {}  # processes that ask, by the key of a session that is under way, or moves next
        self._went: AgeingMap[int, Departure] = AgeingMap(KNOWN_MAX)  # acknowledged sessions, by each key

    def sent(self, people: list[Mapping[str, Any]]) -> tuple[int, ...]:
        """Note that these sessions are under way; returns their keys, for `ended`."""
        keys = _keys_of(people)
        self._flying.update(dict.fromkeys(keys, keys))
        return keys

    def ended(self, keys: tuple[int, ...], to: str | None) -> None:
        """Note that sessions are under way no more. `keys`: what `sent` returned; `to`: the process that has them; None: none is known."""
        ended = [key for key in keys if self._flying.get(key) is keys]
        if to is not None:
            now = asyncio.get_running_loop().time()
            departure = Departure(to, self.acknowledged, now)
            for key in ended:
                self._went.put(key, departure, now + KNOWN_FOR, now)
            self.acknowledged += 1
        for key in ended:
            del self._flying[key]
        for key in ended:
            self._answer_all(key)

    def expect(self, one: Mapping[str, Any]) -> tuple[int, ...]:
        """Note that a session may be on its way here; returns its keys, for `expect_no_more`. Other hosts, as which the hub asks, wait until then:
        the host that has it answers them anyway. Processes of this host, which then ask all hosts, do not wait.
        """
        keys = _keys_of([one])
        self._expected.update(keys)
        return keys

    def expect_no_more(self, keys: tuple[int, ...]) -> None:
        """Note that a session is here, or does not come. `keys`: what `expect` returned."""
        self._expected.subtract(keys)
        for key in keys:
            if self._expected[key] <= 0:
                del self._expected[key]
            if key not in self._flying:
                self._answer_all(key)

    def wanted(self, asker: str, key: int) -> None:
        """Answer this process when the session of a key, which moves next, has arrived."""
        self._asked.setdefault(key, []).append(asker)

    def give_up(self) -> None:
        """Answer the processes that ask for sessions which were to move next: these stay."""
        for key in [key for key in self._asked if key not in self._flying]:
            self._answer_all(key)

    def waits(self, asker: str, key: int) -> bool:
        """Whether the session of a key is under way, or may be; then this process is answered when it has arrived."""
        if key not in self._flying and not (asker == HUB and key in self._expected):
            return False
        self._asked.setdefault(key, []).append(asker)
        return True

    def where(self, key: int) -> str | None:
        """Return the name of the process that has just taken the session of a key."""
        now = asyncio.get_running_loop().time()
        departure = self._went.get(key, now)
        return None if departure is None or departure.at + KEEP <= now else departure.to

    def is_under_way(self, key: int) -> bool:
        """Whether the session of a key is under way."""
        return key in self._flying

    def went(self, key: int) -> str | None:
        """Return the name of the process that acknowledged the session of a key when it was here last; None: it was not here for long."""
        departure = self._went.get(key, asyncio.get_running_loop().time())
        return None if departure is None else departure.to

    def left_since(self, key: int, acknowledged: int) -> bool:
        """Whether a process acknowledged the session of a key since the table had this number as `acknowledged`."""
        departure = self._went.get(key, asyncio.get_running_loop().time())
        return departure is not None and departure.number >= acknowledged

    def _answer_all(self, key: int) -> None:
        for asker in self._asked.pop(key, ()):
            self._answer(asker, key)
