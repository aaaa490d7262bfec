"""What was sent and not taken yet. Rule: a descriptor stays open here until the other side says that it took what came with it.

So at a death at any moment exactly one process has it: what was not taken is put back, what was taken is the other's.
"""

import asyncio
import os
from collections.abc import Callable, Sequence

Back = Callable[[], None]


class Flight:
    """Messages under way, in their order, each with what puts it back."""

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[tuple[int, ...], Back, int]] = {}
        self._news = asyncio.Event()
        self.people = 0  # under way
        self._parcels = 0  # messages with people

    def __len__(self) -> int:
        return len(self._under_way)

    def add(self, number: int, descriptors: Sequence[int], back: Back, people: int = 0) -> None:
        """The message of this number was sent. `back` puts what it held back; the descriptors are its own from then on."""
        self._under_way[number] = tuple(descriptors), back, people
        self.people += people
        self._parcels += people > 0

    def took(self, number: int) -> int:
        """The other side has it; how many people went with it."""
        descriptors, _, people = self._under_way.pop(number, ((), None, 0))
        for descriptor in descriptors:
            try:  # noqa: SIM105 - `suppress` costs more than all else here
                os.close(descriptor)
            except OSError:
                pass
        self._landed(people)
        return people

    def back(self, number: int) -> int:
        """The other side did not want it: it is here again; how many people."""
        _, back, people = self._under_way.pop(number, ((), None, 0))
        self._landed(people)
        if back is not None:
            back()
        return people

    def all_back(self) -> int:
        """The other side is dead: what it did not take is here again; how many people."""
        return sum([self.back(number) for number in list(self._under_way)])

    def _landed(self, people: int) -> None:
        self.people -= people
        self._parcels -= people > 0
        self._news.set()

    async def fewer(self, than: int) -> None:
        """Wait until less than so many messages with people are under way."""
        while self._parcels >= than:
            self._news.clear()
            await self._news.wait()

    async def landed(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            self._news.clear()
            await self._news.wait()
