"""Run pairs who exchange numbered lines, leave, and are followed by others, while processes die. Only what a client receives counts.

A chat may end only because its worker died; then both sides learn it, and search for each other again. An accepted line is received, or both learn
that the chat is over. Violations are counted under a name of FAULTS; a line out of order counts first as lost, then as doubled.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from serendip_client import Backoff, Client, Closed, Dropped, Event, Left, Matched, Message, NoChat, NotSent, Sent

FAULTS: Final = ("lost", "doubled", "foreign", "refused", "half", "silent", "unmet", "closed")
SILENCE: Final = 20.0  # seconds until somebody hears the next line, or the end of the chat
MEETING: Final = 30.0  # seconds for two who look for each other
AHEAD: Final = 40  # lines that a side may be ahead of what it heard
LINES: Final = (20, 200)  # of a side in a chat


@dataclass(slots=True)
class Heard:
    """Counts of all pairs. `drops`, `ends`: monotonic seconds at which a connection dropped, and a chat ended unasked."""

    lines: int = 0
    chats: int = 0  # that both ended, with every line heard
    drops: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)  # seconds between the two learning that their chat is over
    faults: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))
    when: list[tuple[float, str]] = field(default_factory=list)  # of each fault

    def fault(self, name: str, count: int = 1) -> None:
        """Count faults of this name, now."""
        if count:
            self.faults[name] += count
            self.when.append((time.monotonic(), name))


class Side:
    """One side of a pair."""

    def __init__(self, client: Client, heard: Heard, pace: float) -> None:
        self.other = self
        self.done = ""  # the chat of which it has heard every line, and every line of its own was taken
        self.over: dict[str, float] = {}  # when it learnt that a chat is over
        self._client = client
        self._heard = heard
        self._pace = pace
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()  # None: look at the other
        self._further = asyncio.Event()  # another line was heard
        self._next = self._taken = 0

    async def pump(self) -> None:
        """Handle frames as they arrive."""
        async for event in self._client:
            if type(event) is Dropped:
                self._heard.drops.append(time.monotonic())
            self._events.put_nowait(event)

    async def round(self, word: str, count: int, *, once: bool = False) -> None:
        """Match with the other side and talk until both have received all lines of one chat. `once`: or until a chat ended before."""
        while True:
            chat = await self._meet(word)
            if chat is not None and (await self._converse(chat, count) or once):
                return

    async def _meet(self, word: str) -> str | None:
        """Return the chat that began; None if there was no match."""
        await self._client.find([word], strict=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(MEETING):
                while True:
                    event = await self._events.get()
                    if type(event) is Matched:
                        return event.chat
                    self._ended(event)
        self._fault("unmet")
        return None

    async def _converse(self, chat: str, count: int) -> bool:
        """Whether all lines were sent and received; False if the chat ended before."""
        self._next = self._taken = 0
        talking = asyncio.create_task(self._talk(chat, count))
        try:
            while self.done != chat or self.other.done != chat:
                try:
                    event = await asyncio.wait_for(self._events.get(), SILENCE)
                except TimeoutError:
                    self._fault("half" if chat in self.other.over else "silent")
                    return False
                if type(event) in (Left, Closed):
                    self._end(chat, event)
                    return False
                self._take(event, chat)
                if self._next == self._taken == count and self.done != chat:
                    self.done = chat
                    self.other.look()
            return True
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    def look(self) -> None:
        """Handle progress of the other side."""
        self._events.put_nowait(None)

    async def _talk(self, chat: str, count: int) -> None:
        for number in range(count):
            while number > self._next + AHEAD:
                self._further.clear()
                await self._further.wait()
            with suppress(NoChat):  # it is over, and that is heard elsewhere
                await self._client.say(f"{chat} {number}")
            await asyncio.sleep(self._pace)

    def _take(self, event: Event | None, chat: str) -> None:
        if type(event) is Message:
            self._check(event.text, chat)
        elif type(event) is Sent:
            self._taken += 1
        elif type(event) is NotSent and event.code not in ("lost", "left", "unknown"):
            self._fault("refused")

    def _check(self, text: str, chat: str) -> None:
        said, _, number = text.rpartition(" ")
        if said != chat or not number.isdigit():
            self._fault("foreign")
        elif int(number) < self._next:
            self._fault("doubled")
        else:
            self._heard.fault("lost", int(number) - self._next)
            self._next = int(number) + 1
            self._further.set()
            self._heard.lines += 1

    def _end(self, chat: str, event: Event | None) -> None:
        now = self.over[chat] = time.monotonic()
        self._heard.ends.append(now)
        if chat in self.other.over:
            self._heard.apart.append(now - self.other.over[chat])
        self._ended(event)

    def _ended(self, event: Event | None) -> None:
        if type(event) is Closed:
            self._fault("closed")
            raise ConnectionError(f"the server ended it: {event}")

    def _fault(self, name: str) -> None:
        self._heard.fault(name)


async def meet_and_talk(
    url: str, number: int, heard: Heard, pace: float, over: asyncio.Event, *, once: bool = False
) -> None:
    """Run one pair, chat after chat, until the end. `pace`: seconds between two lines of a side.

    `once`: two whose chat ended early do not look for each other again, because a host that lives on remembers that they met.
    """
    dice, chats = random.Random(number), 0
    while not over.is_set():
        chats += 1
        with suppress(ConnectionError):  # it is counted as closed
            await talked(url, f"pair {number} {chats}", dice.randrange(*LINES), heard, pace, once=once)


async def talked(url: str, word: str, count: int, heard: Heard, pace: float, *, once: bool = False) -> None:
    """Run one chat of two newcomers, since two who met are not matched again for a while."""
    backoffs = Backoff(first=0.05, most=1.0), Backoff(first=0.05, most=1.0)
    async with Client(url, backoff=backoffs[0]) as a, Client(url, backoff=backoffs[1]) as b:
        one, two = Side(a, heard, pace), Side(b, heard, pace)
        one.other, two.other = two, one
        pumps = [asyncio.create_task(side.pump()) for side in (one, two)]
        try:
            rounds = [asyncio.create_task(side.round(word, count, once=once)) for side in (one, two)]
            try:
                if once:  # the other may have missed the match, and would look for a partner that has left
                    await asyncio.wait(rounds, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.wait(rounds, timeout=SILENCE)
                else:
                    await asyncio.wait(rounds, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                for task in rounds:
                    task.cancel()
            for ended in await asyncio.gather(*rounds, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
            heard.chats += one.done == two.done != ""
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
