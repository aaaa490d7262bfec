"""Make a day's reports by real clients on a running server: each reporter and each reported user has a browser and a network of their own.

**Invariant:** every case comes by the path of a real report: two clients are matched, talk, and one reports the other.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from serendip_client.client import Client
from serendip_client.events import Matched, Message, Reported

AT_ONCE = 6  # chats at the same time
SWARM = 40  # users who begin with the same advert, varied
BRIGADE = 30  # reports of one ordinary user
ADVERT = "hey {0}, i am so alone tonight, come to my private room at annas{1} dot live and watch me"
NAMES = ("babe", "sweety", "handsome", "stranger", "darling", "honey", "cutie", "boy", "dear", "friend")
SINGLE: Sequence[tuple[str, Sequence[str], int]] = (
    ("spam", ("buy my gold, cheap", "join my crypto group", "add my snap annax22", "pay me 20 and i show you"), 16),
    ("hate", ("your people are vermin", "geh zurück in dein land du dreck", "todos los tuyos son ratas"), 12),
    ("threat", ("i know where you live and i will come", "ich finde dich", "te voy a matar mañana"), 8),
    ("nudity", ("want to see me without clothes", "show me your body"), 6),
    ("minor", ("im 14 but dont tell", "i go to middle school"), 8),
    ("danger", ("i took all the pills", "i have a gun with me now"), 3),
    ("other", ("my ex lives at 12 high street, go there", "i recorded you, pay or i send it"), 6),
)


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """A user who will be reported. `times`: by how many others."""

    reason: str
    lines: tuple[str, ...]
    note: str = ""
    times: int = 1


def day() -> list[ReportedUser]:
    """Return a hundred reported users, as a day has them: a swarm, a brigade, and single ones in several languages."""
    names = zip(range(SWARM), itertools.cycle(NAMES), strict=False)
    some = [ReportedUser("spam", ("hi", ADVERT.format(name, place))) for place, name in names]
    for reason, lines, count in SINGLE:
        some += [
            ReportedUser(reason, ("hi there", f"{line} ({number})"), "" if number % 3 else "please look at this")
            for number, line in zip(range(count), itertools.cycle(lines), strict=False)
        ]
    return [*some, ReportedUser("hate", ("hello, how are you?",), times=BRIGADE)]


class Reports:
    """Reports on one server. `receipts`: the addresses that reporters got. `first`: the number of its first client."""

    def __init__(self, port: int, first: int = 1) -> None:
        self._url = f"ws://127.0.0.1:{port}/ws"
        self._numbers = itertools.count(first)  # of the clients
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.receipts: list[str] = []

    def _client(self, number: int) -> Client:
        place = f"203.{number >> 8 & 255}.{number & 255}.7"
        return Client(self._url, headers={"Cookie": f"id={f'day{number}':A>22}", "X-Forwarded-For": place})

    async def make(self, users: Sequence[ReportedUser]) -> None:
        """Report all of them."""
        await asyncio.gather(*(self._report(user, next(self._numbers)) for user in users))

    async def report_again(self, user: ReportedUser, number: int) -> None:
        """Report one once more, who is the same person by the number that `make` gave: their place in its row, from 1 on."""
        await self._report(user, number)

    async def _report(self, user: ReportedUser, number: int) -> None:
        for _ in range(user.times):
            async with self._gate, self._client(number) as bad, self._client(next(self._numbers)) as good:
                topic = f"topic {next(self._numbers)}"
                await asyncio.gather(good.find([topic]), bad.find([topic]))
                await asyncio.gather(good.next(Matched), bad.next(Matched))
                for line in user.lines:
                    await bad.say(line)
                    await good.next(Message)
                await good.report(user.reason, user.note)
                self.receipts.append((await good.next(Reported)).receipt)
