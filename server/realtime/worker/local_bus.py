"""The bus of one process: messages wait in a queue and are delivered before the next event. Rule: the only way between sessions."""

from collections import deque

from engine.core.ports import Address, BusMessage


class LocalBus:
    """Ordered; bounded by what one event can cause, since it is emptied before the next."""

    def __init__(self) -> None:
        self.inbox: deque[tuple[Address, BusMessage]] = deque()

    def send(self, address: Address, message: BusMessage) -> None:
        """Every address is here."""
        self.inbox.append((address, message))
