"""Keep a worker's messages to the frontend until the frontend acknowledges them, and send unacknowledged ones again to the next frontend.

**Invariant:** delivery is at most once: the frontend acknowledges a message first and stores it then. An unacknowledged message was not stored, so
sending it again stores nothing twice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Peers


class Letter(NamedTuple):
    """One message. `weight`: its share of the bound of its kind."""

    kind: Kind
    records: tuple[Any, ...]
    weight: int


class StoreOutbox:
    """The outbox of one worker."""

    def __init__(self, peers: Callable[[], Peers]) -> None:
        self._peers = peers
        self._under_way: dict[int, Letter] = {}  # by message number
        self._waiting: deque[Letter] = deque()
        self.weight: Counter[Kind] = Counter()  # of the messages that are not acknowledged

    @property
    def open(self) -> bool:
        """Whether there is a frontend that accepts messages."""
        peers = self._peers()
        return FRONTEND in peers and not peers.full(FRONTEND)

    @property
    def empty(self) -> bool:
        """Whether the frontend has acknowledged everything."""
        return not (self._under_way or self._waiting)

    def send(self, kind: Kind, *records: Any, weight: int = 1) -> None:
        """Send a message, now or when there is a frontend. The caller enforces the bound of its kind."""
        self.weight[kind] += weight
        self._send(Letter(kind, records, weight))

    def _send(self, letter: Letter) -> None:
        number = self._peers().send(FRONTEND, letter.kind, *letter.records)
        if number is None:
            self._waiting.append(letter)
        else:
            self._under_way[number] = letter

    def took(self, message: Message) -> None:
        """Handle an acknowledgement, if it is of one of these messages."""
        letter = self._under_way.pop(message.records[0], None)
        if letter is not None:
            self.weight[letter.kind] -= letter.weight

    def joined(self) -> None:
        """Send everything to a new frontend."""
        waiting, self._waiting = self._waiting, deque()
        for letter in waiting:
            self._send(letter)

    def dead(self) -> None:
        """Queue what a dead frontend had not acknowledged, in front."""
        self._waiting.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()
