"""Send migrating sessions, with their sockets' descriptors, to one other process of this host over its ipc link.

**Invariant:** a sent message is in flight (`messages_in_flight`) until the target process acknowledges it, refuses it, or dies.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.transfer import GroupTransfer, Transfer, records_of

AHEAD: Final = 2  # messages under way, so that the target need not wait: the sessions in them are out of service


class ProcessTarget:
    """Target (`transfer.Target`) for one process.

    `send`: writes one message and returns its number, raises LinkDown; `room`: waits until the link has room; `name`: of the process, for the
    forwarding table.
    """

    def __init__(self, send: Callable[..., int], room: Callable[[], Any], flight: InFlight, name: str = "") -> None:
        self._send = send
        self._room = room
        self.flight = flight
        self._name = name

    def send(self, transfer: GroupTransfer) -> None:
        """Send a group of sessions with its descriptors. Raises LinkDown."""
        transfer.descriptors, records = records_of(transfer)
        kind = Kind.COME if transfer.client else Kind.PEOPLE
        number = self._send(
            kind, *records, pieces=transfer.sessions.session_record.blobs, descriptors=transfer.descriptors
        )
        transfer.begin(self._name)
        self.flight.add(number, transfer)

    def post(self, transfer: Transfer, kind: Kind, *records: Any, pieces: Sequence[bytes]) -> None:
        """Send something else than sessions, with the descriptors of its transfer. Raises LinkDown: it was put back."""
        try:
            number = self._send(kind, *records, pieces=pieces, descriptors=transfer.descriptors)
        except BaseException:
            transfer.cut()
            raise
        self.flight.add(number, transfer)

    async def room(self) -> None:
        """Wait until the link has room and few groups are under way. Raises LinkDown."""
        await self._room()
        await self.flight.fewer(AHEAD)
