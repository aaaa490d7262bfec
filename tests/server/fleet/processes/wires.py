"""Links of processes without the processes: what is sent is kept, and comes to the other side as a link would bring it."""

from collections.abc import Sequence
from typing import Any

import orjson

from server.fleet.ipc.ipc_link import Kind, Message


class Wires:
    """In place of `Peers`, of one process: `names` are those who are there.

    `busy`: those whose socket takes nothing now; `crowded`: those for whom too much waits.
    """

    def __init__(self, *names: str) -> None:
        self.there = list(names)
        self.busy: set[str] = set()
        self.crowded: set[str] = set()
        self.sent: list[tuple[str, Message]] = []
        self._number = 0

    def __contains__(self, name: str) -> bool:
        return name in self.there

    def idle(self, name: str) -> bool:
        """Whether all that was sent has left."""
        return name not in self.busy

    def full(self, name: str) -> bool:
        """Whether too much waits."""
        return name in self.crowded

    async def room(self, name: str) -> None:
        """There is some."""

    def send(
        self, to: str, kind: Kind, *records: Any, pieces: Sequence[bytes] = (), descriptors: Sequence[int] = ()
    ) -> int | None:
        """As a link does: what arrives is what JSON leaves of it."""
        if to not in self.there:
            return None
        self._number += 1
        message = Message(kind, self._number, orjson.loads(orjson.dumps(records)), list(pieces), list(descriptors))
        self.sent.append((to, message))
        return self._number

    def take(self, *kinds: Kind) -> list[Message]:
        """What was sent since the last time, of these kinds."""
        found, self.sent = self.sent, []
        return [message for _, message in found if not kinds or message.kind in kinds]


def took(number: int) -> Message:
    """The frontend says that it took a message."""
    return Message(Kind.TOOK, 1, [number], [], [])
