"""Cut connections at random bytes under load: pairs exchange numbered lines over a failing network and check every line.

    python -m bench cuts --pairs 50 --messages 1000000 --cuts 10000

A line that is lost, doubled, changed or out of order is counted, and so is a chat that ended; anything but 0 fails.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import asdict, dataclass

from bench.load.cutting_proxy import Cable, Cutter
from bench.support.serving import Serving
from serendip_client import Backoff, Client, Closed, Left, Matched, Message, NotSent, Resumed, Sent, Waiting

ANYWHERE = 400  # bytes that a doomed connection still passes on, at most: the cut falls anywhere in a frame
# Lines that a side may be ahead of what it heard. So at most twice as many of its lines are unheard by the other, which is
# what a server keeps for one who is away (200), and far from what a ring holds (1,000): nobody can be `slow` or `lost`.
AHEAD = 95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of pairs, messages and cuts."""
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)


def main(chosen: argparse.Namespace) -> int:
    """Run once; return 1 if a line or a chat was lost."""
    with Serving() as server:
        before = server.cpu()
        result = asyncio.run(run(server.port, chosen.pairs, chosen.messages, chosen.cuts, chosen.seed))
        result.server_cpu = round(server.cpu() - before, 2)
    print(json.dumps(asdict(result)))
    return 0 if result.clean else 1


@dataclass(slots=True)
class Result:
    """Counts of a run; all but the first five must be 0."""

    messages: int = 0
    cuts: int = 0
    resumed: int = 0
    seconds: float = 0.0
    server_cpu: float = 0.0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    ended: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled or out of order, and no chat ended."""
        return not (self.lost or self.doubled or self.disordered or self.ended)


class Side:
    """One side of a pair: sends `count` numbered lines and checks those of the other."""

    def __init__(self, client: Client, count: int, doom: "Doom") -> None:
        self.client = client
        self.count = count
        self.doom = doom
        self.result = doom.result
        self.heard = 0
        self.settled = 0  # own lines that were taken, or refused
        self.heard_something = asyncio.Event()

    async def talk(self) -> None:
        for number in range(1, self.count + 1):
            while number > self.heard + AHEAD:
                self.heard_something.clear()
                await self.heard_something.wait()
            await self.client.say(f"line {number} of {self.count}")

    async def listen(self) -> None:
        result = self.result
        while self.heard < self.count or self.settled < self.count:
            event = await anext(self.client)
            self.heard_something.set()
            if isinstance(event, Message):
                self.check(event)
            elif isinstance(event, Sent):
                self.settled += 1
            elif isinstance(event, NotSent):
                self.settled += 1
                result.lost += 1
            elif isinstance(event, Resumed):
                result.resumed += 1
            elif isinstance(event, Left | Closed):
                result.ended += 1
                raise ConnectionError(f"the chat ended: {event}")

    def check(self, event: Message) -> None:
        number = int(event.text.split(" ", 2)[1])
        if event.text != f"line {number} of {self.count}":
            self.result.disordered += 1
        elif number <= self.heard:
            self.result.doubled += 1
        else:
            self.result.messages += 1
            self.result.lost += number - self.heard - 1
            self.heard = number
            self.doom.heard()


async def converse(url: str, number: int, count: int, doom: "Doom") -> None:
    """Run one pair, from its match to the last line."""
    pace = Backoff(first=0.02, most=0.5), Backoff(first=0.02, most=0.5)
    async with Client(url, backoff=pace[0]) as a, Client(url, backoff=pace[1]) as b:
        await a.find(interests=[f"pair {number}"])
        await a.next(Waiting, Matched)
        await b.find(interests=[f"pair {number}"])
        sides = Side(a, count, doom), Side(b, count, doom)
        for client in (a, b):
            while client.chat is None:
                await anext(client)
        async with asyncio.TaskGroup() as group:
            for side in sides:
                group.create_task(side.listen())
                group.create_task(side.talk())


class Doom:
    """Cuts a random connection at a random byte, in either direction, after every `every` received lines."""

    def __init__(self, cutter: Cutter, cuts: int, every: float, result: Result, seed: int) -> None:
        self.cutter = cutter
        self.cuts = cuts
        self.every = every
        self.result = result
        self.dice = random.Random(seed)

    def heard(self) -> None:
        """Count a received line."""
        result = self.result
        while result.cuts < self.cuts and result.messages >= (result.cuts + 1) * self.every:
            whole = [cable for cable in self.cutter.open if doomable(cable)]
            if not whole:
                return
            cable = self.dice.choice(whole)
            if self.dice.random() < 0.5:
                cable.down = self.dice.randrange(1, ANYWHERE)
            else:
                cable.up = self.dice.randrange(1, ANYWHERE)
            result.cuts += 1


def doomable(cable: Cable) -> bool:
    """Whether the connection is open and not yet chosen for a cut."""
    return cable.back is not None and not cable.cut_ and cable.up is None and cable.down is None


async def run(port: int, pairs: int, messages: int, cuts: int, seed: int = 1) -> Result:
    """Exchange `messages` lines in all over `pairs` pairs, while `cuts` connections are cut."""
    result = Result()
    started = time.monotonic()
    async with Cutter(port) as cutter:
        doom = Doom(cutter, cuts, messages / (cuts + 1), result, seed)
        await asyncio.gather(*(converse(cutter.url, number, messages // pairs // 2, doom) for number in range(pairs)))
    result.seconds = round(time.monotonic() - started, 2)
    return result
