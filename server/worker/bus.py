"""The bus of one process: letters wait in a queue and are delivered before the next event. Rule: the only way between sessions.

Workers and hosts will bring their own (design.md, "From one process to many hosts").
"""

from collections import deque

from engine.bus_messages import Letter
from engine.ports import Address


class LocalBus:
    """Ordered; bounded by what one event can cause, since it is emptied before the next."""

    def __init__(self) -> None:
        self.inbox: deque[tuple[Address, Letter]] = deque()

    def send(self, address: Address, message: Letter) -> None:
        """Takes a letter."""
        self.inbox.append((address, message))


class LocalMembers:
    """One process: this worker is alive, no other is known."""

    def __init__(self, node: int = 0, worker: int = 0) -> None:
        self._self = (node, worker)

    def alive(self, node: int, worker: int) -> bool:
        """Whether that worker is this one."""
        return (node, worker) == self._self
