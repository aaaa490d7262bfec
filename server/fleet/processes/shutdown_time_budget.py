"""Divide the shutdown time of a process whose host ends: at least half is for moving its sessions to other hosts
(`server.fleet.roaming.evacuation`), the rest for telling the remaining clients to reconnect. Without another host all clients are told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from server.fleet.cluster.known_nodes import Hosts, Place
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, Handler
from server.fleet.processes.process_links import WorkerLinks
from server.fleet.roaming.evacuation import Evacuation, may_always_move, no_tunnel_stays
from server.realtime.worker.worker_loop import Worker

LAST: Final = 3.0  # seconds of a long drain in which the remaining clients are asked to reconnect


def span(drain: float) -> float:
    """Return how many of `drain` seconds are for migration."""
    return max(drain / 2, drain - LAST)


class WorkerEvacuation:
    """Evacuation of a worker or the frontend. `name`: of the process; `stop`: set to end it; `goes`, `stay`: see `Evacuation`."""

    def __init__(
        self,
        name: str,
        worker: Worker,
        links: Callable[[], WorkerLinks],
        hosts: Hosts,
        stop: asyncio.Event,
        goes: Callable[[int], bool] = may_always_move,
        stay: Callable[[], bool] = no_tunnel_stays,
    ) -> None:
        self._name = name
        self._worker = worker
        self._links = links
        self._hosts = hosts
        self._stop = stop
        self._goes = goes
        self._stay = stay
        self._evacuation: Evacuation | None = None
        self._told: list[Place] = []  # hosts that accept sessions, by the hub's last message
        self.within: float | None = None  # seconds for migration, set by an operator

    @property
    def handlers(self) -> dict[int, Handler]:
        """Handlers of messages from supervisor and hub."""
        return {Kind.EVACUATE: self._order, Kind.PLACES: self._take_places}

    def _order(self, _: str, message: Message) -> None:
        """Take the supervisor's order that this host ends, with the seconds for migration."""
        (self.within,) = message.records
        self._stop.set()

    def _take_places(self, _: str, message: Message) -> None:
        """Take the hosts that accept sessions, from the hub."""
        self._told = [Place(*row) for row in message.records]

    def _places(self) -> list[Place]:
        """Return the hosts that accept sessions; without a hub, those of its last list."""
        return self._told or self._hosts.places()

    @property
    def moved(self) -> tuple[int, ...]:
        """Counts of sessions that moved; empty before an evacuation."""
        return () if self._evacuation is None else self._evacuation.moved

    def tell_hub(self) -> None:
        """Tell a restarted hub of the evacuation."""
        if self._evacuation is not None:
            self._evacuation.tell_hub()

    async def run(self, drain: float, waits: Callable[[], bool]) -> float:
        """Move sessions to other hosts, if there are any. Return how many of the `drain` seconds are left. `waits`: whether to wait longer, for
        sessions that may not move yet."""
        loop = asyncio.get_running_loop()
        begun, links = loop.time(), self._links()
        if links.cross is None or not self._places():
            return drain

        def until() -> float:
            within = span(drain)
            return begun + (within if self.within is None or not waits() else max(within, self.within))

        self._evacuation = evacuation = Evacuation(
            self._name,
            links.across.exports,
            partial(links.peers.send, HUB, Kind.LEAVING, True),
            self._places,
            links.cross,
            self._goes,
            self._stay,
        )
        links.session_lookup.begin_evacuation(evacuation.want)
        await evacuation.run(until)
        links.session_lookup.end_evacuation()
        return max(drain - span(drain), begun + drain - loop.time())
