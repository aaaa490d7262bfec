"""What a host did not hear, since it was not there, it asks the others for: who wrote that they are under 18, and whose video is off.

Rule: it asks, one host after the other, and nobody tells unasked. So a host that comes costs each of the others one answer at most; and where ENOUGH
that have asked themselves said what they know, no further one is asked, for all of them heard the same.

A host is asked when it appears: to one that comes that is all of them, to the others it is that one, and to two that were cut from each other it is
each. One at the address of a host that is there is its successor (an upgrade), which knows no more. Where this host was away from NATS it may
have missed anything, and asks all anew. Answers are divided by persons: part `part` of `of`; one that would be too long says how many there
should be.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import orjson

from server.fleet.cluster.known_nodes import Hosts
from server.fleet.cluster.membership import Host
from server.fleet.frontend.cluster_broadcast import AGE_MAX, is_age, is_paused
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops import log
from server.ops.metrics.cluster_metrics import TOLD
from server.ops.metrics.exposition import Reading

PART: Final = 8_000  # rows of an answer, about: the persons of a part are not counted before
PARTS_MAX: Final = 64
ROWS: Final = 1_000_000  # of a table that is read: all
ENOUGH: Final = 3  # hosts that have asked themselves
TRIES: Final = 5  # of a host that does not answer
AGAIN: Final = 2.0  # seconds until it is asked again
SETTLED: Final = 5.0  # seconds from its start until this host says that it has asked the others, if it has
Row = Sequence[Any]
logger = log.get()


class Knowing(Protocol):
    """The office's server: what is known here, some rows at a time."""

    def all_ages(self, most: int) -> Iterator[list[Row]]:
        """How people stand who wrote that they are under 18 (`Reception.all_ages`)."""

    def all_off(self, most: int) -> Iterator[list[Row]]:
        """Whose video is off (`Reception.all_off`)."""


class Unreadable(HostAway):
    """What another host says is no answer."""


class Catching:
    """Of an office. `take`: told how people stand, and whose video is off, as another host knows it. Call it in the loop."""

    def __init__(
        self, known: Knowing, asker: RpcClient, hosts: Hosts, take: Callable[[Sequence[Row], Sequence[Row]], None]
    ) -> None:
        self._known = known
        self._asker = asker
        self._hosts = hosts
        self._take = take
        self._begun = time.monotonic()
        self._asked: set[str] = set()  # nodes, of those that are there
        self._addresses: set[str] = set()  # of those that were there
        self._task: asyncio.Task[None] | None = None
        self._caught_up = False
        self.tally: Counter[str] = Counter()

    def reading(self) -> Reading:
        """A source of metrics."""
        return {"serendip_told": {(result,): self.tally[result] for result in TOLD}}

    @property
    def whole(self) -> bool:
        """Whether this host has asked all whom it was to ask."""
        return self._caught_up and time.monotonic() >= self._begun + SETTLED

    def look(self) -> None:
        """The hub says which other hosts there are, or that NATS is away."""
        others, before = self._hosts.others, self._addresses
        self._addresses = {one.address for one in others}
        if self._hosts.away is not None:
            self._asked.clear()
            self._addresses.clear()
            self._caught_up = False
            return
        self._asked &= {one.node for one in others}
        self._asked |= {one.node for one in others if one.address in before}
        if self._task is None and self._unasked():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def _unasked(self) -> list[Host]:
        found = [one for one in self._hosts.others if one.node not in self._asked]
        random.shuffle(found)
        return found

    async def _run(self) -> None:
        """Until all who are there were asked, or enough, or do not answer."""
        try:
            tries: Counter[str] = Counter()
            enough = 0
            while self._hosts.away is None and (unasked := self._unasked()):
                for host in unasked:
                    self._asked.add(host.node)
                    if enough >= ENOUGH:
                        continue
                    try:
                        enough += await self._ask(host.address)
                    except HostAway as away:
                        tries[host.node] += 1
                        if isinstance(away, HostRefused) and away.status != Status.FULL:
                            continue  # an older release, which knows no such question
                        if tries[host.node] < TRIES:
                            self._asked.discard(host.node)
                        else:
                            self.tally["unanswered"] += 1
                if self._unasked():
                    await asyncio.sleep(AGAIN)
        except Exception as fault:  # noqa: BLE001 - of ours: what is not known here is known elsewhere
            logger.error("cluster.fault", **log.described(fault))
        finally:
            self._task = None
            self._caught_up = self._hosts.away is None

    async def _ask(self, address: str) -> bool:
        """Take what a host knows; whether it had asked itself. Raises HostAway."""
        part, of, whole = 0, 1, False
        while part < of:
            body = orjson.dumps([part, of])
            wants, whole, ages, paused = _read(await self._asker.ask(address, Kind.KNOWN, body, within=5.0))
            if wants > of:
                part, of = 0, wants
                continue
            self.tally["caught_up"] += len(ages) + len(paused)
            self._take(ages, paused)
            part += 1
        return whole

    async def answer(self, request: Request) -> Answer:
        """Another host asks what this one knows."""
        match _loaded(request.body):
            case [int(part), int(of)] if 0 <= part < of <= PARTS_MAX:
                pass
            case _:
                return no("a part is wanted")
        ages = [row for rows in self._known.all_ages(ROWS) for row in rows if row[0] > 0]
        paused = [row for rows in self._known.all_off(ROWS) for row in rows if row[0] > 0]
        wants = min(PARTS_MAX, -(-(len(ages) + len(paused)) // PART)) or 1
        if wants > of:
            ages, paused = [], []
        else:
            wants = of
        said = {
            "of": wants,
            "whole": self.whole,
            "ages": [[*row[:3], round(row[3], 1)] for row in ages if row[0] % of == part],
            "paused": [[row[0], round(row[1], 1)] for row in paused if row[0] % of == part],
        }
        return Answer(Status.TAKEN, orjson.dumps(said))

    async def close(self) -> None:
        """Nobody is asked any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _loaded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _read(data: bytes) -> tuple[int, bool, list[Row], list[Row]]:
    """An answer: how many parts there should be, whether who says so has asked, rows. Raises Unreadable."""
    match _loaded(data):
        case {"of": int(of), "whole": bool(whole), "ages": list(ages), "paused": list(paused)} if (
            0 < of <= PARTS_MAX and all(map(_is_known, ages)) and all(map(_is_off, paused))
        ):
            return of, whole, ages, paused
    raise Unreadable("what it answers is nothing that it knows")


def _is_known(row: object) -> bool:
    match row:
        case [identity, stands, age, float() | int() as left]:
            return is_age(identity, stands, age) and 0 <= left <= AGE_MAX
    return False


def _is_off(row: object) -> bool:
    match row:
        case [identity, seconds]:
            return seconds == 0 or is_paused(identity, seconds)
    return False
