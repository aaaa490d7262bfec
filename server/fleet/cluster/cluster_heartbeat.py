"""Send this host's heartbeat (a beat, every 250 ms, over NATS) to the other hosts of the cluster, and keep the membership from the beats received.
The hub runs this module and reports the known hosts to the other processes of its host.

**Invariant:** a host that receives no beats serves its own users, as if it were alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from server.fleet.cluster.known_nodes import NOT_YET, Place, named
from server.fleet.cluster.membership import DEAD, SERVING, Beat, Host, Membership, read
from server.fleet.cluster.shared_room import BARS, SharedRoom
from server.fleet.cluster.shared_room import SIGN_EVERY as EVERY
from server.fleet.nats.nats_bus import Handler, NatsBus
from server.fleet.rpc.rpc_envelope import SKEW
from server.fleet.rpc.rpc_seal import Seal
from server.ops import log, version
from server.ops.config.cluster_settings import Cluster
from server.ops.metrics.cluster_metrics import DROPPED
from server.ops.metrics.metric_type import Reading

ALL: Final = "all"  # the subject
HEARD: Final = 2  # times EVERY, after which each living host was heard
SOON: Final = 0.5  # seconds for the last message
NO_MORE: Final[Mapping[str, Handler]] = {}
logger = log.get()


class ClusterNode:
    """Cluster node of the hub. `people`: returns how many users this host has; `changed`: called with the known hosts when they, or the state
    of NATS, changed.

    `federation`: this host's part of the shared waiting room; `moved`: called when it may have something to send; `more`: handlers of further
    subjects.

        beat, each 250 ms ──► bus ──► all hosts, this one too ──► membership ──► the frontend (`Hosts`), the supervisor's status, users in all
                               ▲                                      │  └───► owner of the shared waiting room (`shared_room`)
                               └── renewed, if this host does not receive its own beats
    """

    def __init__(
        self,
        node: str,
        settings: Cluster,
        seal: Seal,
        people: Callable[[], int],
        changed: Callable[[list[Host]], None],
        federation: SharedRoom,
        moved: Callable[[], None] = lambda: None,
        more: Mapping[str, Handler] = NO_MORE,
    ) -> None:
        """`more`: handlers of further subjects, by the last part."""
        self._node = node
        self._address = settings.address
        self._people = people
        self._changed = changed
        self._told: object = None
        self._ended = False
        self._is_up = False  # whether the bus is
        self._since = time.monotonic()  # since when
        self._knows = False  # whether that is long enough to know the other hosts
        self._off: set[str] = set()  # nodes whose clock is off, and was logged
        self.members = Membership(node)
        self._federation = federation
        self._moved = moved
        handlers = {ALL: self._heard, BARS: self._bars, node: self._came, **more}
        self.bus = NatsBus(settings, seal, handlers, self._begun)

    async def run(self) -> None:
        """Send beats, for ever."""
        while True:
            self._beat()
            self._look()
            self._federation.sign(time.monotonic())
            self._moved()
            await asyncio.sleep(EVERY)

    def _begun(self) -> None:
        """Announce this host as its connection begins: others may hold it for dead. Until they are heard it does not know them."""
        self._beat()
        self._look()

    def drain(self) -> None:
        """Announce at once that no user is to come here any more."""
        self._beat()

    def places(self) -> list[Place]:
        """Return the processes to which sessions of this host may move."""
        return [Place(named(node, post.worker), post.people) for node, post in self.members.open(time.monotonic())]

    async def end(self) -> None:
        """Announce that this host leaves, and send nothing after that."""
        self._beat(ends=True)
        self._ended = True
        await self.bus.sent(SOON)

    @property
    def trouble(self) -> str | None:
        """Reason why this host is alone, or does not know yet whether it is; None: it knows the other hosts."""
        return self.bus.trouble if self._knows else NOT_YET

    @property
    def people_elsewhere(self) -> int:
        """Number of sessions of the other hosts."""
        return self.members.people

    def standing(self) -> dict[str, Any]:
        """Return the state of the cluster for `serendip status`."""
        others = self.members.others(time.monotonic())
        rows = [[one.node, one.address, one.version, one.state, one.people, round(one.ahead, 1)] for one in others]
        room = self._federation
        return {
            "node": self._node, "address": self._address, "away": self.bus.trouble, "others": rows, "owner": room.owner,
            "epoch": room.epoch, "apart": self.members.apart,
        }  # fmt: skip

    def reading(self) -> Reading:
        """Return the metrics."""
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
            "serendip_members_apart": self.members.apart,
            **self._federation.reading(),
        }

    def _beat(self, ends: bool = False) -> None:
        if self._ended:
            return
        share = self._federation.share(time.monotonic())
        self.members.serves = share.serves and not ends
        beat = Beat(self._node, self._address, version.VERSION, self._people(), time.time(), ends, share)
        self.bus.say(ALL, orjson.dumps(beat.said()))

    def _heard(self, body: bytes) -> None:
        try:
            beat = read(orjson.loads(body))
        except ValueError:
            beat = None
        if beat is None:
            self.bus.dropped["unreadable"] += 1
            return
        now, known = time.monotonic(), self.members.nodes
        self.members.heard(beat, now, time.time())
        if beat.node == self._node:
            return
        if beat.ends:
            self._federation.lost(beat.node, now)
        elif beat.node in self.members.nodes:
            self._federation.heard(beat, now)
        self._own(now)
        if not self.members.nodes <= known:
            self._look()  # a client that comes back here may have its session there
        self._moved()

    def _came(self, body: bytes) -> None:
        self._federation.came(body, time.monotonic())
        self._moved()

    def _bars(self, body: bytes) -> None:
        self._federation.bars(body, time.monotonic())

    def _own(self, now: float) -> None:
        """Follow the ownership of the room; a change is announced at once."""
        owner = self.members.owner()
        if owner != self._federation.owner:
            self._federation.own(owner, now)
            logger.info("cluster.room", said="here" if self._federation.owns else owner)
            self._beat()

    def _look(self) -> None:
        now = time.monotonic()
        for node in self.members.advance(now):
            self._federation.lost(node, now)
        self._own(now)
        others = self.members.others(now)
        self._look_at_clocks(others)
        self._look_at_bus(now)
        told = self.trouble, [(one.node, one.address, one.version, one.state) for one in others]
        if told != self._told:
            self._told = told
            self._changed(others)
        if self._is_up and max(self._since, self.members.own or 0.0) + DEAD <= now:
            # the server accepts messages and delivers none
            logger.warning("nats.silent")
            self._since = now
            self.bus.renew()

    def _look_at_bus(self, now: float) -> None:
        """Note since when messages arrive, or none do, and whether that is long enough to know the other hosts, or that none is there."""
        if self.bus.up != self._is_up:
            self._is_up, self._since = self.bus.up, now
        self._knows = self._since + (HEARD * EVERY if self._is_up else DEAD) <= now

    def _look_at_clocks(self, others: list[Host]) -> None:
        off = {one.node for one in others if abs(one.ahead) > SKEW}
        for one in others:
            if one.node in off - self._off:
                logger.error("cluster.clock_off", said=f"{one.address}: {one.ahead:+.0f} s")
        self._off = off
