"""Pass acknowledgements of sessions that move between this worker and the others, in memory that two workers share.

**Invariant:** the memory is read before a session is imported, and after the death of its process. Damaged memory is used no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from server.fleet.ipc.acknowledgement_ring import AcknowledgementRing
from server.fleet.ipc.ipc_link import Message
from server.fleet.ipc.ipc_peers import Peers
from server.ops import log

LOOK: Final = 0.002  # seconds until the memory is read
logger = log.get()


class MoveAcknowledgements:
    """Acknowledgements between one worker and the others of its host.

    `acknowledged`: called with a process and the numbers of messages that it accepted; returns whether others wait for its acknowledgement.
    """

    def __init__(self, peers: Callable[[], Peers], acknowledged: Callable[[str, Sequence[int]], bool]) -> None:
        self._peers = peers
        self._acknowledged = acknowledged
        self._rings: dict[str, AcknowledgementRing] = {}
        self._expected: set[str] = set()  # processes that have something to acknowledge
        self._look: asyncio.TimerHandle | None = None

    def _ring(self, name: str) -> AcknowledgementRing:
        if name not in self._rings:
            self._rings[name] = AcknowledgementRing(partial(self._peers().send, name))
        return self._rings[name]

    def offer(self, name: str) -> None:
        """Let a process acknowledge in memory from here on."""
        self._ring(name).offer()

    def accept(self, name: str, message: Message) -> None:
        """Acknowledge in the memory that a process offers, from here on."""
        try:
            self._ring(name).accept(message)
        except (OSError, ValueError) as error:
            logger.error("peer.fell", name=name, why=f"no shared memory: {error}")

    def write(self, name: str, number: int) -> bool:
        """Acknowledge a message of a process; False: this must be a message."""
        try:
            return name in self._rings and self._rings[name].write(number)
        except ValueError as damage:
            self._distrust(name, damage)
            return False

    def expect(self, name: str) -> None:
        """Read what a process acknowledged from time to time, until it has acknowledged all."""
        self._expected.add(name)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK, self._look_now)

    def _look_now(self) -> None:
        self._look = None
        self.read_all()
        for name in [*self._expected]:
            self.expect(name)

    def read_all(self) -> None:
        """Read what all processes acknowledged."""
        for name in [*self._expected]:
            self._read(name)

    def _read(self, name: str) -> None:
        try:
            numbers = self._rings[name].read()
        except ValueError as damage:
            self._distrust(name, damage)
            return
        if not self._acknowledged(name, numbers):
            self._expected.discard(name)

    def _distrust(self, name: str, damage: ValueError) -> None:
        """Use damaged memory no more, and report it: the process that writes it is ended."""
        self._rings[name].close()
        self._expected.discard(name)
        self._peers().distrust(name, str(damage))

    def dead(self, name: str) -> None:
        """Read what a dead process had acknowledged, and forget its memory."""
        if name in self._expected:
            self._read(name)
            self._expected.discard(name)
        ring = self._rings.pop(name, None)
        if ring is not None:
            ring.close()

    def close(self) -> None:
        """Read nothing any more, and forget all memory."""
        if self._look is not None:
            self._look.cancel()
        self._expected.clear()
        for ring in self._rings.values():
            ring.close()
