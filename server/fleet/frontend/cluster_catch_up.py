"""Fetch from other hosts the state that a new or disconnected host missed: users' age states, users whose video is off, detections of a day.

**Invariant:** a host is sent this state only if it asks, and it asks one other host at a time. It stops after ENOUGH answers from hosts that are
complete themselves.
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
from server.fleet.frontend.cluster_broadcast import AGE_MAX, is_age, is_detected, is_paused
from server.fleet.rpc.rpc_client import HostAway, HostRefused, RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Answer, Request, no
from server.ops import log
from server.ops.metrics.cluster_metrics import TOLD
from server.ops.metrics.metric_type import Reading

PART: Final = 8_000  # rows of an answer, on average
PARTS_MAX: Final = 64
ROWS: Final = 1_000_000  # read all rows at once
ENOUGH: Final = 3  # complete hosts that answered
TRIES: Final = 5  # tries for a host that does not answer
AGAIN: Final = 2.0  # seconds between tries
SETTLED: Final = 5.0  # seconds from its start until this host reports itself complete
Row = Sequence[Any]
logger = log.get()


class CatchUpSource(Protocol):
    """The frontend's server: what is known here, some rows at a time."""

    def all_ages(self, most: int) -> Iterator[list[Row]]:
        """Yield all age states (`Reception.all_ages`)."""

    def all_off(self, most: int) -> Iterator[list[Row]]:
        """Yield all identities whose video is off (`Reception.all_off`)."""

    def all_detections(self, most: int) -> Iterator[list[Row]]:
        """Yield all detections of the last day (`Reception.all_detections`)."""


class Unreadable(HostAway):
    """The answer of another host is malformed."""


class ClusterCatchUp:
    """Catch-up of one frontend. `take`: called with age states, video that is off and detections of another host. Make it in the loop.

    A host is asked when it appears: a new host asks all, the others ask the new one, and two that were cut off from each other ask each other. A
    new node at a known address is the successor of that host (an upgrade) and has nothing more. A host that was cut off from NATS may have missed
    anything and asks all again. Answers are divided by users, into part `part` of `of`; if a part is too long, the answer is the number of parts
    needed.
    """

    def __init__(
        self,
        known: CatchUpSource,
        asker: RpcClient,
        hosts: Hosts,
        take: Callable[[Sequence[Row], Sequence[Row], Sequence[Row]], None],
    ) -> None:
        self._known = known
        self._asker = asker
        self._hosts = hosts
        self._take = take
        self._begun = time.monotonic()
        self._asked: set[str] = set()  # nodes that were asked, of those that are there
        self._addresses: set[str] = set()  # of the last list of hosts
        self._task: asyncio.Task[None] | None = None
        self._caught_up = False
        self.tally: Counter[str] = Counter()

    def reading(self) -> Reading:
        """Return the metrics."""
        return {"serendip_broadcasts": {(result,): self.tally[result] for result in TOLD}}

    @property
    def whole(self) -> bool:
        """Whether this host has asked all that it had to ask."""
        return self._caught_up and time.monotonic() >= self._begun + SETTLED

    def look(self) -> None:
        """Handle a change of the list of hosts, or of the connection to NATS."""
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
        """Ask hosts until all have answered, or enough, or the rest does not answer."""
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
                            continue  # an older release, without this request
                        if tries[host.node] < TRIES:
                            self._asked.discard(host.node)
                        else:
                            self.tally["unanswered"] += 1
                if self._unasked():
                    await asyncio.sleep(AGAIN)
        except Exception as fault:  # noqa: BLE001 - a bug: what is missing here, other hosts have
            logger.error("cluster.fault", **log.described(fault))
        finally:
            self._task = None
            self._caught_up = self._hosts.away is None

    async def _ask(self, address: str) -> bool:
        """Ask one host and take its rows. Return whether it is complete. Raises HostAway."""
        part, of, whole = 0, 1, False
        while part < of:
            body = orjson.dumps([part, of])
            wants, whole, *rows = _read(await self._asker.ask(address, Kind.KNOWN, body, within=5.0))
            if wants > of:
                part, of = 0, wants
                continue
            self.tally["caught_up"] += sum(map(len, rows))
            self._take(*rows)
            part += 1
        return whole

    async def answer(self, request: Request) -> Answer:
        """Answer another host that catches up."""
        match _loaded(request.body):
            case [int(part), int(of)] if 0 <= part < of <= PARTS_MAX:
                pass
            case _:
                return no("a part is wanted")
        ages = [row for rows in self._known.all_ages(ROWS) for row in rows if row[0] > 0]
        paused = [row for rows in self._known.all_off(ROWS) for row in rows if row[0] > 0]
        detected = [row for rows in self._known.all_detections(ROWS) for row in rows if row[0] > 0]
        wants = min(PARTS_MAX, -(-(len(ages) + len(paused) + len(detected)) // PART)) or 1
        if wants > of:
            ages, paused, detected = [], [], []
        else:
            wants = of
        said = {
            "of": wants,
            "whole": self.whole,
            "ages": [[*row[:3], round(row[3], 1)] for row in ages if row[0] % of == part],
            "paused": [[row[0], round(row[1], 1)] for row in paused if row[0] % of == part],
            "detected": [[*row[:3], round(row[3], 1)] for row in detected if row[0] % of == part],
        }
        return Answer(Status.TAKEN, orjson.dumps(said))

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _loaded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _read(data: bytes) -> tuple[int, bool, list[Row], list[Row], list[Row]]:
    """Parse an answer: number of parts, whether the sender is complete, rows. Raises Unreadable."""
    match _loaded(data):
        case {"of": int(of), "whole": bool(whole), "ages": list(ages), "paused": list(paused), **more} if (
            0 < of <= PARTS_MAX and all(map(_is_known, ages)) and all(map(_is_off, paused))
        ):
            detected = more.get("detected", [])  # an older release has none
            if isinstance(detected, list) and all(map(_is_counted, detected)):
                return of, whole, ages, paused, detected
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


def _is_counted(row: object) -> bool:
    match row:
        case [identity, name, chat, age]:
            return is_detected(identity, name, chat, age)
    return False
