"""Keep the migration messages to one process that it has not acknowledged, with the sessions and descriptors that they carry.

**Invariant:** a descriptor stays open here until the target acknowledges its message. If the target dies, what it did not acknowledge is put back
here, so that exactly one process ever has it.
"""

import asyncio

from server.fleet.migrate.transfer import Transfer


class InFlight:
    """Transfers under way to one process, by the number of their message, in their order."""

    def __init__(self) -> None:
        self._under_way: dict[int, Transfer] = {}
        self._news = asyncio.Event()
        self.people = 0  # sessions under way
        self._groups = 0  # messages with sessions

    def __len__(self) -> int:
        return len(self._under_way)

    def add(self, number: int, transfer: Transfer) -> None:
        """Note that the message of this number was sent."""
        transfer.sent()
        self._under_way[number] = transfer
        self.people += transfer.people
        self._groups += transfer.people > 0

    def took(self, number: int) -> int:
        """End the transfer of a message as taken; returns the number of its sessions."""
        transfer = self._pop(number)
        if transfer is None:
            return 0
        transfer.take()
        return transfer.people

    def refused(self, number: int) -> int:
        """End the transfer of a message as refused: it is put back; returns the number of its sessions."""
        transfer = self._pop(number)
        if transfer is None:
            return 0
        transfer.refuse()
        return transfer.people

    def dead(self) -> int:
        """Put back all that is under way, in its order: the process is dead. Returns the number of sessions."""
        people = 0
        for number in list(self._under_way):
            transfer = self._pop(number)
            if transfer is not None:
                transfer.cut()
                people += transfer.people
        return people

    def _pop(self, number: int) -> Transfer | None:
        transfer = self._under_way.pop(number, None)
        if transfer is not None:
            self.people -= transfer.people
            self._groups -= transfer.people > 0
            self._news.set()
        return transfer

    async def fewer(self, than: int) -> None:
        """Wait until less than so many messages with sessions are under way."""
        while self._groups >= than:
            self._news.clear()
            await self._news.wait()

    async def landed(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            self._news.clear()
            await self._news.wait()
