"""People of two hosts who come back, look again, and judge each line that they hear.

Rule: they know nothing of what was killed, and are never told to wait: what they hear decides.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from serendip_client import Backoff, Client, Dropped, Event, Left, Matched, Message, NoChat, NotSent, Resumed
from tests.server.fleet.cluster.killed import PATIENCE, Fallen, Two

PAUSE = 0.01  # seconds between two lines of one who talks
UNSENT = 100  # lines of one who is away; beyond that they say nothing
LINES = 10  # that each has to hear, to be taken for somebody who talks


class Watched(Client):
    """A client that tells of a line that came twice, too."""

    twice = 0

    async def _hear(self, socket: Any, frame: dict[str, Any]) -> None:
        if frame["type"] == "message" and self.chat is not None and frame["seq"] <= self._last:
            self.twice += 1
        await super()._hear(socket, frame)


class Somebody:
    """One of a pair: looks for who says the same word, says numbered lines while they talk, and looks anew when it is over."""

    def __init__(self, url: str, word: str, news: asyncio.Event) -> None:
        self.client = Watched(url, backoff=Backoff(first=0.05, most=0.5))
        self.word = word
        self.chats: list[str] = []  # in which they were, by id; "" behind the last: it is over
        self.drops = self.resumed = 0
        self.left: list[str] = []  # by whom
        self.said: defaultdict[str, int] = defaultdict(int)  # lines, by chat
        self.heard: defaultdict[str, list[int]] = defaultdict(list)
        self.refused: defaultdict[str, set[int]] = defaultdict(
            set
        )  # lines of which they were told that they were not taken
        self.wrong: list[str] = []
        self.quiet = False
        self.idle = False  # whether they look for nobody when it is over
        self._news = news
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self) -> None:
        """Connect, and look."""
        await self.client.start()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._talk())]
        await self.look()

    async def look(self) -> None:
        """For who says the same word."""
        self._over()
        await self.client.find([self.word], strict=True)

    async def leave(self) -> None:
        """The chat, and look for nobody."""
        self._over()
        await self.client.leave()

    async def rest(self) -> None:
        """Say nothing and hear nothing any more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(done, Exception):
                self.wrong.append(repr(done))

    async def go(self) -> None:
        """For good."""
        await self.rest()
        await self.client.close()

    @property
    def chat(self) -> str:
        """In which they are; "": none."""
        return self.chats[-1] if self.chats else ""

    def _over(self) -> None:
        if self.chat:
            self.chats.append("")

    async def _listen(self) -> None:
        async for event in self.client:
            if await self._take(event) and not self.idle:
                await self.look()
            self._news.set()

    async def _take(self, event: Event) -> bool:
        """Whether their chat is over by that."""
        match event:
            case Matched(chat=chat) if chat != self.chat:
                self._over()
                self.chats.append(chat)
            case Message(text=text):
                self._line(*text.split())
            case NotSent(text=text):
                _, chat, number = text.split()
                self.refused[chat].add(int(number))
            case Dropped():
                self.drops += 1
            case Resumed(chat=chat):
                self.resumed += 1
                return chat is None and bool(self.chat)
            case Left(by=by):
                self.left.append(by)
                return True
        return False

    def _line(self, word: str, chat: str, said: str) -> None:
        number, heard = int(said), self.heard[chat]
        last = next(
            (one for one in reversed(self.chats) if one), ""
        )  # of which they may not have heard all as they leave it
        if (word, chat) != (self.word.partition("/")[0], last):
            self.wrong.append(f"foreign: {word} {chat} {said} in {last}")
        elif heard and number <= heard[-1]:
            self.wrong.append(f"{number} after {heard[-1]}")
        heard.append(number)

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            chat = self.client.chat
            if chat is None or self.quiet or len(self.client._outbox) >= UNSENT:
                continue
            self.said[chat.chat] += 1
            with suppress(NoChat):
                await self.client.say(f"{self.word.partition('/')[0]} {chat.chat} {self.said[chat.chat]}")


class Pair:
    """Two who look for each other, each at a host. `word`: theirs alone, without a blank or a slash; what is behind a slash tells searches apart."""

    def __init__(self, cell: Two, word: str, at: tuple[int, int] = (0, 1), urls: Sequence[str] = ()) -> None:
        self.word = word
        self.at = at
        self._news = asyncio.Event()
        self.people = [Somebody(url, word, self._news) for url in (urls or [cell.url(place) for place in at])]

    def of(self, fallen: Fallen) -> tuple[Somebody, Somebody]:
        """Who came to the host of a process that was killed, and the other one."""
        one, other = self.people
        return (one, other) if self.at[0] == fallen.at else (other, one)

    async def __aenter__(self) -> Pair:
        for person in self.people:
            await person.come()
        return self

    async def __aexit__(self, *_: object) -> None:
        for person in self.people:
            await person.go()

    async def together(self, lines: int = LINES) -> None:
        """Wait until they talk with each other: each has heard so many lines more."""
        one, other = self.people
        before = [sum(map(len, person.heard.values())) for person in self.people]

        def talk() -> bool:
            return one.chat == other.chat != "" and all(
                len(person.heard[person.chat]) >= lines and sum(map(len, person.heard.values())) >= count + lines
                for person, count in zip(self.people, before, strict=True)
            )

        await self._comes(talk)

    async def end(self) -> None:
        """They are together: say no more, wait until all was heard, and judge every line; both go."""
        for person in self.people:
            person.quiet = True
        await self._comes(self._all_heard)
        for person in self.people:
            await person.rest()
        for person in self.people:
            await person.go()
        self._judge()

    def _judge(self) -> None:
        """Every line that was heard is one of the other's in that chat, in its order; what is missing was refused."""
        for person, other in (self.people, self.people[::-1]):
            assert person.wrong == [], self
            assert person.client.twice == 0, self
            for chat, heard in person.heard.items():
                assert set(range(1, max(heard, default=0) + 1)) - set(heard) <= other.refused[chat], (chat, self)

    def _all_heard(self) -> bool:
        one, other = self.people
        return one.chat == other.chat != "" and all(
            set(a.heard[a.chat]) | b.refused[b.chat] == set(range(1, b.said[b.chat] + 1))
            for a, b in (self.people, self.people[::-1])
        )

    async def _comes(self, so: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"it does not come: {self}") from None

    def __repr__(self) -> str:
        return f"{self.word}: " + "; ".join(
            f"chats {one.chats}, left {one.left}, {one.drops} drops, resumed {one.resumed}, said {dict(one.said)}, "
            f"heard {[(chat, len(heard), heard[-1:]) for chat, heard in one.heard.items()]}, wrong {one.wrong}, now {one.client.chat}"
            for one in self.people
        )


class Crowd:
    """People who talk all the while: two at each host, two over hosts. Who is hit looks anew; each line of theirs is judged at the end."""

    def __init__(self, cell: Two) -> None:
        self.pairs = [Pair(cell, f"crowd{number}", at) for number, at in enumerate([(0, 0), (1, 1), (0, 1)])]

    async def __aenter__(self) -> Crowd:
        self._stack = AsyncExitStack()
        for pair in self.pairs:
            await self._stack.enter_async_context(pair)
        await self.together()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def together(self) -> None:
        """Wait until all talk."""
        for pair in self.pairs:
            await pair.together()

    async def end(self) -> None:
        """Judge."""
        for pair in self.pairs:
            await pair.end()

    @property
    def people(self) -> int:
        """How many they are."""
        return 2 * len(self.pairs)

    def drops(self, at: int) -> int:
        """How often the connections of who talks within a host were cut."""
        return sum(person.drops for person in self.pairs[at].people)
