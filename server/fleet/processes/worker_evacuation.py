"""A process that has people, on a host that ends: they go to other hosts first, in the time that there is. Rule: alone it ends as ever.

Half of the time that it has for its end, and more where that is long, is for people who go; the rest for those who are told to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from server.fleet.cluster.known_nodes import Hosts, Place
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import HUB, Handler
from server.fleet.processes.worker_links import Links
from server.fleet.roaming.evacuation import Evacuation, may_always_move, no_tunnel_stays
from server.realtime.worker.worker_loop import Worker

LAST: Final = 3.0  # seconds for those who are told to come back, where there are so many


def span(drain: float) -> float:
    """Of so many seconds for an end, those that are for people who go."""
    return max(drain / 2, drain - LAST)


class Departing:
    """Of a worker, or the office. `name`: its own; `stop`: set where it is to end; `goes`, `stay`: see `Evacuation`."""

    def __init__(
        self,
        name: str,
        worker: Worker,
        links: Callable[[], Links],
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
        self._told: list[Place] = []  # where people may go, by the hub's last word
        self.within: float | None = None  # seconds that an operator gave for people who go

    @property
    def handlers(self) -> dict[int, Handler]:
        """What comes from supervisor and hub."""
        return {Kind.EVACUATE: self._order, Kind.PLACES: self._take_places}

    def _order(self, _: str, message: Message) -> None:
        """The supervisor says that this host ends, and in what time people are to be gone."""
        (self.within,) = message.records
        self._stop.set()

    def _take_places(self, _: str, message: Message) -> None:
        """The hub says where people may go."""
        self._told = [Place(*row) for row in message.records]

    def _places(self) -> list[Place]:
        """Without a hub: as it was when the hosts were last others than before."""
        return self._told or self._hosts.places()

    @property
    def moved(self) -> tuple[int, ...]:
        """How many went; nothing where nobody was to go."""
        return () if self._evacuation is None else self._evacuation.moved

    def tell_hub(self) -> None:
        """There is a new one."""
        if self._evacuation is not None:
            self._evacuation.tell_hub()

    async def run(self, drain: float, waits: Callable[[], bool]) -> float:
        """People go, where they can; how many of the seconds for an end are left. `waits`: whether there is time beyond these, for those who
        may not go yet."""
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
        links.whereabouts.begin_evacuation(evacuation.want)
        await evacuation.run(until)
        links.whereabouts.end_evacuation()
        return max(drain - span(drain), begun + drain - loop.time())
