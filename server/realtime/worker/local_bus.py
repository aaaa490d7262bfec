"""Deliver the engine's bus messages between sessions of one process.

**Invariant:** messages are queued, and all are delivered before the next event; sessions reach each other only by the bus.
"""

from collections import deque

from engine.core.ports import Address, BusMessage


class LocalBus:
    """Ordered queue of bus messages. It is emptied before each event, so one event bounds its length."""

    def __init__(self) -> None:
        self.inbox: deque[tuple[Address, BusMessage]] = deque()

    def send(self, address: Address, message: BusMessage) -> None:
        """Queue a message. Every address is in this process."""
        self.inbox.append((address, message))
