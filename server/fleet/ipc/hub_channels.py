"""Hold the hub's ends of the row channels of its host, and read them in rounds.

Times are seconds of `time.monotonic`.
**Invariant:** damaged memory or a fault in the rows of one process keeps no other process from being read.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from engine.rooms.hub_messages import Row
from ext.base.shared_ring import pause
from server.fleet.ipc.row_channel import RowChannel, new_bell, silence

NAP: Final = 0.0001  # seconds for which rows gather while the hub is busy
BUSY: Final = 0.001  # seconds since it was woken, below which it is
# of reading the rings, until timers and links have their turn. Full rings of some processes take a second a round, and a hub that is silent for two
# is killed (`server.fleet.supervisor.watchdog`)
ROUNDS: Final = 16
LONGEST: Final = 0.1  # seconds


class HubChannels:
    """Channels by the name of their process. `bell`: wakes this process when there is something to read."""

    def __init__(
        self,
        read: Callable[[int, bytes, float], None],
        flush: Callable[[], None],
        on_fault: Callable[[str, Exception], None],
        on_damage: Callable[[str, ValueError], None],
    ) -> None:
        """`read`: handles the records of a process, by its number; `flush`: sends what they led to; `on_damage`: the rings of one are closed."""
        self.bell = new_bell()
        self.by_name: OrderedDict[str, RowChannel] = OrderedDict()  # the ring that is read next is the first
        self._numbers: dict[str, int] = {}
        self._read = read
        self._flush = flush
        self._on_fault = on_fault
        self._on_damage = on_damage
        self._heard_at = 0.0

    def add(self, name: str, number: int, send: Callable[..., object]) -> None:
        """Offer a process its rings. `send`: sends it a message over the link."""
        channel = self.by_name[name] = RowChannel(send)
        self._numbers[name] = number
        channel.offer(self.bell)

    def remove(self, name: str, now: float) -> None:
        """Handle what a dead process had written, and forget its rings."""
        channel = self.by_name.pop(name)
        self._hear(name, channel, now)
        channel.close()
        del self._numbers[name]

    def send(self, name: str, rows: Sequence[Row]) -> None:
        """Send rows to a process."""
        channel = self.by_name[name]
        try:
            channel.send(rows)
        except ValueError as damage:
            self._distrust(name, channel, damage)

    def send_records(self, name: str, messages: list[bytes]) -> None:
        """Send rows to a process as they are in an `Outbox`."""
        channel = self.by_name[name]
        try:
            channel.send_records(messages)
        except ValueError as damage:
            self._distrust(name, channel, damage)

    def rounds(self) -> bool:
        """Handle the rows in all rings. Return whether the bell will ring for the next ones; else call it again soon.

        While the hub is busy each round waits for more rows for a moment, which costs less than to be woken for each.
        """
        silence(self.bell)
        begun = time.monotonic()
        busy = begun - self._heard_at < BUSY
        self._heard_at = begun
        for _ in range(ROUNDS):
            heard = self._round(time.monotonic(), begun + LONGEST)
            if heard:
                self._flush()
                if time.monotonic() - begun >= LONGEST:
                    return False
                if busy:
                    pause(NAP)
                    continue
            if self._sleep():
                return True
        return False

    def _round(self, now: float, end: float) -> bool:
        """Read each ring once, none after `end`: the next round begins with the others. Return whether there were any rows."""
        heard = False
        for _ in range(len(self.by_name)):
            name, channel = next(iter(self.by_name.items()))
            self.by_name.move_to_end(name)
            if self._hear(name, channel, now):
                heard = True
                if time.monotonic() >= end:
                    break
        return heard

    def _sleep(self) -> bool:
        """Note that this end waits for its bell; False: something has arrived."""
        for channel in self.by_name.values():  # noqa: SIM110 - a generator costs more than the calls
            if not channel.sleep():
                return False
        return True

    def _hear(self, name: str, channel: RowChannel, now: float) -> bool:
        """Handle the rows in the ring of one process. Return whether there were any."""
        try:
            messages = channel.take()
        except ValueError as damage:
            self._distrust(name, channel, damage)
            return False
        for data in messages:
            try:
                self._read(self._numbers[name], data, now)
            except Exception as fault:  # noqa: BLE001 - reported as a message's of the link is; the others are read
                self._on_fault(name, fault)
        return bool(messages)

    def _distrust(self, name: str, channel: RowChannel, damage: ValueError) -> None:
        """Use a damaged ring no more, and report it."""
        channel.close()
        self._on_damage(name, damage)
