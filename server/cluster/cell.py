"""This host among those of its cell, as its hub knows it. Rule: a host that hears nobody serves its own people, as if it were alone.

beat, each 250 ms ──► bus ──► all hosts, this one too ──► members ──► the office (`Hosts`), the supervisor's status, people in all
                       ▲                                      │
                       └── renewed, where this host does not hear itself
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

from server import log, version
from server.cluster.bus import Bus
from server.cluster.head import SKEW
from server.cluster.members import DEAD, SERVING, Beat, Host, Members, read
from server.cluster.seal import Seal
from server.config.cluster import Cluster
from server.metrics.cluster import DROPPED
from server.metrics.exposition import Reading

EVERY: Final = 0.25  # seconds
ALL: Final = "all"  # the subject
SOON: Final = 0.5  # seconds that a last word may take
logger = log.get()


class Cell:
    """Of the hub. `people`: how many this host has; `changed`: told who there is when that, or whether NATS is there, has changed."""

    def __init__(
        self,
        node: str,
        settings: Cluster,
        seal: Seal,
        people: Callable[[], int],
        changed: Callable[[list[Host]], None],
    ) -> None:
        self._node = node
        self._address = settings.address
        self._people = people
        self._changed = changed
        self._told: object = None
        self._up_since: float | None = None
        self._off: set[str] = set()  # whose clock is off, and was told
        self.members = Members(node)
        self.bus = Bus(settings, seal, {ALL: self._heard})

    async def run(self) -> None:
        """Say that this host is there, for ever."""
        while True:
            self._beat()
            self._look()
            await asyncio.sleep(EVERY)

    async def end(self) -> None:
        """Say that it is there no more."""
        self._beat(ends=True)
        await self.bus.sent(SOON)

    @property
    def people_elsewhere(self) -> int:
        """Of the other hosts."""
        return self.members.people

    def standing(self) -> dict[str, Any]:
        """For `serendip status`."""
        others = self.members.others(time.monotonic())
        rows = [[one.node, one.address, one.version, one.state, one.people, round(one.ahead, 1)] for one in others]
        return {"node": self._node, "address": self._address, "away": self.bus.trouble, "others": rows}

    def reading(self) -> Reading:
        """A source of metrics."""
        others = self.members.others(time.monotonic())
        counted: dict[tuple[str, ...], float] = {(SERVING, version.VERSION): 0}
        for one in others:
            counted[one.state, one.version] = counted.get((one.state, one.version), 0) + 1
        return {
            "serendip_nats_up": float(self.bus.up),
            "serendip_nats_connects": self.bus.connects,
            "serendip_nats_dropped": {(why,): self.bus.dropped[why] for why in DROPPED},
            "serendip_members": counted,
            "serendip_members_clock_seconds": max((abs(one.ahead) for one in others), default=0.0),
        }

    def _beat(self, ends: bool = False) -> None:
        beat = Beat(self._node, self._address, version.VERSION, self._people(), time.time(), ends)
        self.bus.say(ALL, orjson.dumps(beat._asdict()))

    def _heard(self, body: bytes) -> None:
        try:
            beat = read(orjson.loads(body))
        except ValueError:
            beat = None
        if beat is None:
            self.bus.dropped["unreadable"] += 1
            return
        self.members.heard(beat, time.monotonic(), time.time())

    def _look(self) -> None:
        now = time.monotonic()
        self.members.advance(now)
        others = self.members.others(now)
        self._look_at_clocks(others)
        told = self.bus.trouble, [(one.node, one.address, one.version, one.state) for one in others]
        if told != self._told:
            self._told = told
            self._changed(others)
        if not self.bus.up:
            self._up_since = None
            return
        if self._up_since is None:
            self._up_since = now
        if max(self._up_since, self.members.own or 0.0) + DEAD <= now:
            # it takes what is said and gives nothing back
            logger.warning("nats.silent")
            self._up_since = None
            self.bus.renew()

    def _look_at_clocks(self, others: list[Host]) -> None:
        off = {one.node for one in others if abs(one.ahead) > SKEW}
        for one in others:
            if one.node in off - self._off:
                logger.error("cluster.clock_off", said=f"{one.address}: {one.ahead:+.0f} s")
        self._off = off
