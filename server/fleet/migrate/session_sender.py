"""Send migrating sessions, with their sockets' descriptors, to one other process of this host over its ipc link.

**Invariant:** a sent message is in flight (`messages_in_flight`) until the target process acknowledges it, refuses it, or dies.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.transfer import GroupTransfer, Transfer

TOGETHER: Final = 16  # sessions that meet others in one message: a message costs as much as a session in it
AHEAD: Final = 2  # messages under way, so that the target need not wait: the sessions in them are out of service


def add_nothing(_: Sequence[dict[str, Any]]) -> None:
    """Add nothing to the records of sessions."""


class ProcessTarget:
    """Target (`transfer.Target`) for one process.

    `send`: writes one message and returns its number, raises LinkDown; `room`: waits until the link has room; `name`: of the process, for the
    forwarding table; `pack`: adds what this process alone knows to the records of sessions. `most`: sessions that meet others in one message.
    """

    def __init__(
        self,
        send: Callable[..., int],
        room: Callable[[], Any],
        flight: InFlight,
        name: str = "",
        pack: Callable[[Sequence[dict[str, Any]]], None] = add_nothing,
    ) -> None:
        self._send = send
        self._room = room
        self.flight = flight
        self._name = name
        self._pack = pack
        self.most = TOGETHER

    def send_singly(self) -> None:
        """Send no two sessions that meet others in one message any more."""
        self.most = 1

    def send(self, transfer: GroupTransfer) -> None:
        """Send a group of sessions with its descriptors. Raises LinkDown."""
        transfer.descriptors = [descriptor for descriptor in transfer.sessions.descriptors if descriptor >= 0]
        self._pack(transfer.sessions.session_record.record["people"])
        kind, records = message_of(transfer)
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


def message_of(transfer: GroupTransfer) -> tuple[Kind, list[Any]]:
    """Return the kind and the records of the message with a group.

    `where` is the place of each session's descriptor among those that are passed; -1: it has none.
    """
    (record, _), descriptors = transfer.sessions
    people, meetings, since = record["people"], transfer.meetings, transfer.since
    if len(meetings) == 1:
        return Kind.COME, [record, people[0]["id"], meetings[0], since]
    places = count()
    where = [next(places) if descriptor >= 0 else -1 for descriptor in descriptors]
    if not meetings:
        return Kind.PEOPLE, [record, where, since, transfer.left]
    pairs = [[person["id"], meeting] for person, meeting in zip(people, meetings, strict=True)]
    return Kind.MEET, [record, where, since, pairs]
