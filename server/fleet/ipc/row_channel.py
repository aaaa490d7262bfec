"""Pass the rows of the waiting room between the hub and another process of its host: through rings in shared memory, once both ends have them.

While the reader is awake a row costs no call of the kernel. The hub offers the memory over the link, the other process accepts, the hub confirms;
each end reads its ring from the other's word on, so that what was sent over the link before has been read.
**Invariant:** rows arrive in the order in which they were sent. What a process had written is read after its death.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from engine.rooms.hub_messages import Row
from engine.rooms.hub_outbox import ROWS_MAX
from engine.rooms.hub_records import pack, unpack
from ext.base.shared_ring import SharedRing, new_memory
from server.fleet.ipc.ipc_link import WAITING_MAX, Kind, Message

RING_SIZE: Final = 512 * 1024  # bytes of each direction; touched as it is used
HUBS: Final = (0, 1)  # rings that the hub reads and writes
OTHERS: Final = (1, 0)


def new_bell() -> int:
    """Return a descriptor that wakes the process that waits for it (`ring`). Raises OSError."""
    return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)


def silence(bell: int) -> None:
    """Note that a bell was heard."""
    try:  # noqa: SIM105 - `suppress` costs more than all else here
        os.eventfd_read(bell)
    except BlockingIOError:
        pass


class RowChannel:
    """One end. `send`: sends a message to the other process over the link, as `Peers.send` does."""

    def __init__(self, send: Callable[..., object]) -> None:
        self._send = send
        self._inbound: SharedRing | None = None
        self._outbound: SharedRing | None = None
        self._file = self._other_bell = -1
        self._reads = self._writes = False  # the other end writes its ring; this one does
        self._queue: deque[bytes] = deque()  # what the ring has no room for
        self._waiting = 0  # bytes of the queue

    # how the rings come to be

    def offer(self, bell: int) -> None:
        """Offer rings to the other process; `bell`: wakes this one. Without memory or descriptors rows stay on the link."""
        try:
            self._file = new_memory(RING_SIZE, len(HUBS))
            self._other_bell = new_bell()
            self._map(HUBS)
        except OSError:
            self.close()
            return
        self._send(Kind.RING, RING_SIZE, descriptors=(self._file, bell, self._other_bell))

    def accept(self, message: Message) -> int:
        """Take an offer; return the bell that wakes this process. Raises OSError, ValueError: rows stay on the link."""
        self._file, self._other_bell, bell = message.descriptors
        try:
            self._map(OTHERS)
        except BaseException:
            os.close(bell)
            self.close()
            raise
        self.confirm(reads=False)
        return bell

    def confirm(self, reads: bool = True) -> None:
        """Say that from here on all rows are in this end's ring. `reads`: the other end has said so."""
        self._reads = reads
        if not self._writes:
            self._send(Kind.RING)
            self._writes = True

    def _map(self, places: tuple[int, int]) -> None:
        self._inbound, self._outbound = [SharedRing(self._file, RING_SIZE, place) for place in places]

    def close(self) -> None:
        """Forget the rings."""
        for descriptor in (self._file, self._other_bell):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._other_bell = -1
        self._inbound = self._outbound = None
        self._reads = self._writes = False
        self._queue.clear()
        self._waiting = 0

    # rows

    @property
    def waiting(self) -> int:
        """Bytes that the ring has had no room for yet."""
        return self._waiting

    @property
    def is_full(self) -> bool:
        """Whether so much is queued that nothing is to be sent that can be left out."""
        return self._waiting > WAITING_MAX

    def send(self, rows: Sequence[Row]) -> None:
        """Send rows."""
        if self._outbound is None or not self._writes:
            self._send(Kind.ROWS, *rows)
        elif len(rows) <= ROWS_MAX:
            self.send_records([pack(rows)])
        else:
            self.send_records([pack(rows[at : at + ROWS_MAX]) for at in range(0, len(rows), ROWS_MAX)])

    def send_records(self, messages: list[bytes]) -> None:
        """Send messages of at most ROWS_MAX rows each, as `engine.rooms.hub_records` encodes them."""
        ring = self._outbound
        if ring is None or not self._writes:
            self._send(Kind.ROWS, *[row for data in messages for row in unpack(data)])
            return
        for data in messages:
            self._put(ring, data)
        if ring.must_wake():
            os.eventfd_write(self._other_bell, 1)

    def _put(self, ring: SharedRing, data: bytes) -> None:
        if self._queue or not ring.put(data):
            self._queue.append(data)
            self._waiting += len(data)
            self._flush(ring)

    def _flush(self, ring: SharedRing) -> None:
        """Write what waits for room; ask for a call if it still waits."""
        for asked in (False, True):
            while self._queue and ring.put(self._queue[0]):
                self._waiting -= len(self._queue.popleft())
            if self._queue and not asked:
                ring.call_me()

    def take(self) -> list[bytes]:
        """Return the messages that have arrived, each of some rows (`engine.rooms.hub_records`). Raises ValueError for damaged memory."""
        if self._inbound is None or not self._reads:
            return []
        found = self._inbound.take()
        must_call = len(found) > 0 and self._inbound.must_call()
        if self._queue and self._outbound is not None:
            self._flush(self._outbound)
            must_call = self._outbound.must_wake() or must_call
        if must_call:
            os.eventfd_write(self._other_bell, 1)
        return found

    def sleep(self) -> bool:
        """Note that this end waits for its bell; False: something has arrived."""
        return self._inbound is None or not self._reads or self._inbound.sleep()
