"""Hand over to the successor, in an upgrade, the state of the site that belongs to no session: college checks and mails, Omegle clients without a
session, their keys, HTTP rate limits, notices.

**Invariant:** what the successor does not acknowledge is put back here.
"""

import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from server.fleet.ipc.ipc_link import Kind, Link
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.transfer import Transfer
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.ops import log

COLLEGE, OMEGLE, DIGESTS, SPENT, NOTICES = "college", "omegle", "digests", "spent", "notices"
Pieces = Iterator[tuple[Any, list[bytes]]]

logger = log.get()


class SiteRecords:
    """Source side of the hand-over."""

    def __init__(self, has: UpgradeParts, link: Link, flight: InFlight) -> None:
        self._has = has
        self._link = link
        self._flight = flight

    async def first(self) -> None:
        """Send what the target needs before any session. Raises LinkDown."""
        if self._has.adapter is not None:
            self._link.send(Kind.FACES, DIGESTS, self._has.adapter.digests.pack())
        self._notices()
        await self._spent()
        await self._college()

    async def last(self) -> None:
        """Send what is left when all sessions have moved. Raises LinkDown."""
        if self._has.adapter is not None:
            for piece, blobs, descriptors in self._has.adapter.rest(time.monotonic()):
                self.send(OMEGLE, piece, blobs, descriptors)
                await self._link.room()
        self._notices()  # once more: users were reported, and read notices, until they moved
        await self._spent()
        await self._college()

    def _notices(self) -> None:
        if self._has.safety is not None:
            self._link.send(Kind.FACES, NOTICES, self._has.safety.pack())

    async def _spent(self) -> None:
        """Send how much of their limits networks have used; again at the end, for requests answered meanwhile."""
        if self._has.spent is not None:
            await self._all(SPENT, ((piece, []) for piece in self._has.spent.pack(time.monotonic())))

    async def _college(self) -> None:
        if self._has.desk is not None:
            await self._all(COLLEGE, self._has.desk.pack(time.monotonic()))

    async def _all(self, what: str, pieces: Pieces) -> None:
        for piece, blobs in pieces:
            self.send(what, piece, blobs)
            await self._link.room()

    def send(self, what: str, piece: Any, blobs: list[bytes], descriptors: Sequence[int] = ()) -> None:
        """Send one piece, which no longer exists here. Raises LinkDown: it was put back."""
        transfer = Transfer(partial(take, self._has, what, piece, blobs, descriptors), descriptors)
        try:
            number = self._link.send(Kind.FACES, what, piece, pieces=blobs, descriptors=descriptors)
        except BaseException:
            transfer.cut()
            raise
        self._flight.add(number, transfer)


def take(has: UpgradeParts, what: str, piece: Any, blobs: list[bytes], descriptors: Sequence[int] = ()) -> None:
    """Accept a piece; an unreadable one is logged and lost. The descriptors are this process's from here on."""
    now = time.monotonic()
    try:
        if what == COLLEGE and has.desk is not None:
            has.desk.unpack(piece, blobs, now)
        elif what == OMEGLE and has.adapter is not None:
            has.adapter.take_rest(piece, blobs, now, descriptors)
            return
        elif what == DIGESTS and has.adapter is not None:
            has.adapter.digests.unpack(piece)
        elif what == NOTICES and has.safety is not None:
            has.safety.unpack(piece)
        elif what == SPENT and has.spent is not None:
            has.spent.unpack(piece, now)
    except (KeyError, TypeError, ValueError) as bad:
        logger.error("migration.refused", people=0, **log.described(bad))
    for descriptor in descriptors:  # no part has accepted them
        os.close(descriptor)
