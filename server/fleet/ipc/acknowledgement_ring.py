"""Pass acknowledgements of messages to another process of the host in shared memory, without a call of the kernel at either end.

The sender of the messages offers the memory over the link and reads it when it has time; the other end writes the numbers of accepted messages.
**Invariant:** a dead process's last numbers are read. Without memory, or without room in it, the acknowledgement is a message over the link.
"""

import os
from collections.abc import Callable
from struct import Struct, error
from typing import Final

from ext.base.shared_ring import SharedRing, new_memory
from server.fleet.ipc.ipc_link import Kind, Message

SIZE: Final = 4096  # bytes: some 340 numbers that were not read yet
NUMBER: Final = Struct("<I")  # of a message


class AcknowledgementRing:
    """One end. `send`: sends a message to the other process, as `Peers.send` does."""

    def __init__(self, send: Callable[..., object]) -> None:
        self._send = send
        self._is_offered = False
        self._file = -1
        self._inbound: SharedRing | None = None
        self._outbound: SharedRing | None = None

    def offer(self) -> None:
        """Let the other process acknowledge in memory from here on, once. Without memory or descriptors it still sends messages."""
        if self._is_offered:
            return
        self._is_offered = True
        try:
            self._file = new_memory(SIZE, 1)
            self._inbound = SharedRing(self._file, SIZE)
        except OSError:
            self._forget_own()
            return
        self._send(Kind.TAKEN, descriptors=(self._file,))

    def accept(self, message: Message) -> None:
        """Accept an offer. Raises OSError, ValueError: acknowledgements remain messages."""
        (file,) = message.descriptors
        try:
            self._outbound = SharedRing(file, SIZE)
        finally:
            os.close(file)

    def write(self, number: int) -> bool:
        """Acknowledge a message; False: this must be a message. Raises ValueError for damaged memory."""
        return self._outbound is not None and self._outbound.put(NUMBER.pack(number))

    def read(self) -> list[int]:
        """Return the numbers that were written since the last call. Raises ValueError for damaged memory."""
        if self._inbound is None:
            return []
        try:
            return [NUMBER.unpack(data)[0] for data in self._inbound.take()]
        except error as damage:
            raise ValueError("the ring is damaged") from damage

    def close(self) -> None:
        """Forget the memory."""
        self._forget_own()
        self._outbound = None

    def _forget_own(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        self._inbound = None
