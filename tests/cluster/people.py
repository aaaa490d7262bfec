"""People of a cluster: each comes by a door that leads to some host, talks in numbered lines, and judges what is heard.

Rule: they know no host, as behind any balancer, and come back as `serendip_client` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from serendip_client import Backoff, Client, Dropped, Event, Left, Matched, Message, NoChat, NotSent, Partner, Resumed
from tests.cluster.rig import PATIENCE, PAUSE, PORT, Host


class Door:
    """A way in, on this machine. `to`: the host that whoever comes from now on gets."""

    def __init__(self, to: Host) -> None:
        self.to = to
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Let people in."""
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"

    def cut(self) -> None:
        """Reset every connection that is open."""
        for writer in self._open:
            writer.transport.abort()

    async def close(self) -> None:
        """Let nobody in any more."""
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner, outer = await asyncio.open_connection(self.to.machine.public, PORT)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, outer}
        for source, sink in ((reader, outer), (inner, writer)):
            task = asyncio.create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            self._open.discard(sink)
            sink.transport.abort() if sink.transport.is_closing() else sink.close()


@asynccontextmanager
async def doors(*hosts: Host) -> AsyncIterator[list[Door]]:
    """One to each of these."""
    made = [Door(host) for host in hosts]
    for door in made:
        await door.start()
    try:
        yield made
    finally:
        for door in made:
            await door.close()


class Side:
    """One of two who talk."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.said = 0
        self.heard = 0  # the number of the last line
        self.missing: set[int] = set()  # lines before it that did not come
        self.refused: set[int] = set()  # lines of its own of which it was told that they were not taken
        self.wrong: list[str] = []
        self.left: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # the chat ended, by whom
        self.told = asyncio.Event()  # that the chat ended, or that the partner is away
        self.drops = 0
        self.resumed = 0
        self.ended = asyncio.Event()  # the other said its last line, and it was heard

    def take(self, event: Event) -> None:
        """What is heard."""
        if type(event) is Message:
            self._line(event.text)
        elif type(event) is Left:
            if not self.left.done():
                self.left.set_result(event.by)
            self.told.set()
        elif type(event) is Partner and event.state == "away":
            self.told.set()
        elif type(event) is NotSent and not self.left.done():
            self.refused.add(int(event.text.partition(" ")[0]))
        elif type(event) is Dropped:
            self.drops += 1
        elif type(event) is Resumed:
            self.resumed += 1

    def _line(self, text: str) -> None:
        number, _, more = text.partition(" ")
        if int(number) <= self.heard:
            self.wrong.append(f"line {number} after {self.heard}")
        self.missing |= set(range(self.heard + 1, int(number)))
        self.heard = int(number)
        if more:
            self.ended.set()


class Pair:
    """Two who meet and talk until they are told to end."""

    def __init__(self, one: Client, two: Client, word: str) -> None:
        self.sides = (Side(one), Side(two))
        self.word = word
        self._over = asyncio.Event()
        self._further = asyncio.Event()  # something was heard
        self._tasks: list[asyncio.Task[None]] = []

    async def meet(self) -> None:
        """Look for each other, and begin to talk."""
        for side in self.sides:
            await side.client.find([self.word], strict=True)
        async with asyncio.timeout(PATIENCE):
            for side in self.sides:
                await side.client.next(Matched)
        self._tasks = [asyncio.create_task(run(side)) for side in self.sides for run in (self._talk, self._listen)]

    async def further(self, lines: int = 20) -> None:
        """Wait until each has heard so many more lines, or one that the chat is over."""
        wanted = [side.heard + lines for side in self.sides]
        async with asyncio.timeout(PATIENCE):
            for side, count in zip(self.sides, wanted, strict=True):
                while side.heard < count and not self.over:
                    self._further.clear()
                    await self._further.wait()

    @property
    def over(self) -> bool:
        """Whether either was told that the chat is over."""
        return any(side.left.done() for side in self.sides)

    async def end(self, *, refusals: bool = False) -> None:
        """Say the last line, and judge: every line was heard once and in order, and nobody was told that it is over. `refusals`: lines may have been
        refused: who was away says more at once than a person may."""
        self._over.set()
        async with asyncio.timeout(PATIENCE):
            for side in self.sides:
                await side.ended.wait()
        first, second = self.sides
        assert not self.over, f"{self.word}: {[side.left for side in self.sides]}"
        assert (first.heard, second.heard) == (second.said, first.said), self.word
        assert first.heard > 1
        assert refusals or first.refused | second.refused == set(), self.word
        self.judge()

    def judge(self) -> None:
        """As far as was heard: no line came twice or out of order, and what did not come is what was refused."""
        for side, other in (self.sides, self.sides[::-1]):
            assert side.wrong == [], self.word
            assert side.missing == {number for number in other.refused if number < side.heard}, self.word

    async def stop(self) -> None:
        """End whatever runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, side: Side) -> None:
        with suppress(NoChat):
            while not self._over.is_set():
                await side.client.say(f"{side.said + 1} ")
                side.said += 1
                await asyncio.sleep(PAUSE)
            await side.client.say(f"{side.said + 1} end")
            side.said += 1

    async def _listen(self, side: Side) -> None:
        async for event in side.client:
            side.take(event)
            self._further.set()


@asynccontextmanager
async def pairs(*ways: tuple[Door, Door], word: str) -> AsyncIterator[list[Pair]]:
    """Two who talk by each of these ways; nothing is judged here."""
    clients = [Client(door.url, backoff=Backoff(first=0.05, most=0.5)) for way in ways for door in way]
    made: list[Pair] = []
    for client in clients:
        await client.start()
    try:
        made = [
            Pair(one, two, f"{word} {at}")
            for at, (one, two) in enumerate(zip(clients[::2], clients[1::2], strict=True))
        ]
        await asyncio.gather(*[pair.meet() for pair in made])
        yield made
    finally:
        for pair in made:
            await pair.stop()
        await asyncio.gather(*[client.close() for client in clients])
