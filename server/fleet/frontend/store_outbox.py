"""What a worker has for the office and nobody may lose. Rule: a message is here until the office took it; while there is no office it waits.

The office says that it took one in the step of its loop in which it did, before a database can have it (`server.fleet.frontend.store_server`): so
what a dead office had not said so of was not kept, and goes to the next one. It cannot be kept twice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import OFFICE, Peers


class Letter(NamedTuple):
    """One message. `weight`: what it counts in the bound of its kind."""

    kind: Kind
    records: tuple[Any, ...]
    weight: int


class Outbox:
    """Of one worker."""

    def __init__(self, peers: Callable[[], Peers]) -> None:
        self._peers = peers
        self._under_way: dict[int, Letter] = {}  # by the message's number
        self._waiting: deque[Letter] = deque()
        self.weight: Counter[Kind] = Counter()  # of what is here

    @property
    def open(self) -> bool:
        """Whether there is an office, and it takes what it is sent."""
        peers = self._peers()
        return OFFICE in peers and not peers.full(OFFICE)

    @property
    def empty(self) -> bool:
        """Whether the office has taken all of it."""
        return not (self._under_way or self._waiting)

    def send(self, kind: Kind, *records: Any, weight: int = 1) -> None:
        """Send it, now or when there is an office. Who calls keeps the bound of its kind."""
        self.weight[kind] += weight
        self._send(Letter(kind, records, weight))

    def _send(self, letter: Letter) -> None:
        number = self._peers().send(OFFICE, letter.kind, *letter.records)
        if number is None:
            self._waiting.append(letter)
        else:
            self._under_way[number] = letter

    def took(self, message: Message) -> None:
        """The office has it, if it was one of these."""
        letter = self._under_way.pop(message.records[0], None)
        if letter is not None:
            self.weight[letter.kind] -= letter.weight

    def joined(self) -> None:
        """There is an office."""
        waiting, self._waiting = self._waiting, deque()
        for letter in waiting:
            self._send(letter)

    def dead(self) -> None:
        """It is dead: what it had not taken is for the next, first."""
        self._waiting.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()
