"""Run the hub, the process with the waiting room that all workers of a host share; in a cluster it also has the host's connection to NATS.

**Invariant:** the hub has no client connections and no files, and its whole state can be rebuilt from the workers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from engine.engine import Thresholds
from engine.rooms.hub import Hub
from engine.rooms.hub_messages import Row
from server.fleet.cluster.cluster_heartbeat import ClusterNode
from server.fleet.cluster.membership import Host
from server.fleet.cluster.shared_room import SharedRoom
from server.fleet.frontend.cluster_broadcast import ClusterBroadcast
from server.fleet.frontend.live_requests import answer_about_log, answers
from server.fleet.frontend.metrics_merge import MetricsAnswers
from server.fleet.ipc.hub_channels import HubChannels
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Handler, Peers, number_of
from server.fleet.ipc.process_names import Names
from server.fleet.roaming.session_search import SessionSearch
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.supervisor.child_process import ChildStart
from server.main.parts.settings_reload import SettingsReload
from server.main.parts.worker_parts import rules_of
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.health.stop_limit import stop_child_by
from server.ops.metrics.exposition import MetricsBoard
from server.ops.metrics.ipc_metrics import MATCHES
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.readings import of_room
from server.ops.process import free_memory
from server.ops.security import secret_keys
from server.ops.security.random_ids import Ids

THERE_EVERY: Final = 0.25  # seconds
SOONEST: Final = 0.005  # seconds: the shortest timer for the room
TICK: Final = 0.001  # seconds: the resolution of the loop's timers; a shorter one would fire at once, repeatedly
logger = log.get()


class HubProcess:
    """The hub of one host. Make it in the loop."""

    def __init__(
        self, up: socket.socket, thresholds: Thresholds, node: str = "", hide: Callable[[str], str] = str
    ) -> None:
        """`hide`: see `server.fleet.cluster.shared_room`."""
        draw = Ids()
        self.names = Names(node)
        self.federation = SharedRoom(
            node, Hub.build(thresholds, draw), thresholds, draw() >> 8, self._tell, self._tell_records, self._say, self._is_ready, hide,
        )  # fmt: skip
        self._names: dict[int, str] = {}
        self.channels = HubChannels(
            self.federation.records, self.flush, self._on_fault, lambda name, damage: self.peers.distrust(name, str(damage))
        )  # fmt: skip
        self._people: dict[
            str, tuple[int, frozenset[int]]
        ] = {}  # users of each process that it does not name, and those named
        self._talking: dict[str, dict[str, int]] = {}  # users in chats by language, of each process
        self.cluster: ClusterNode | None = None  # None: this host is alone
        self._drains = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self.stopped = asyncio.Event()
        board = MetricsBoard()
        board.add(lambda: of_room(self.federation.hub.room))
        board.add(self._reading)
        self.board = board
        self.tasks = Tasks()
        board.add(self.tasks.reading)
        self.tasks.start("free-memory", free_memory.run)
        answering = MetricsAnswers(HUB, board, lambda: self.peers)
        handlers: dict[int, Handler] = {
            Kind.ROWS: self._rows,
            Kind.RING: self._ring,
            Kind.LOAD: self._load,
            Kind.READ: answering.read,
            Kind.LIVE: answers(lambda: self.peers, answer_about_log),
        }
        handlers[Kind.LEAVING] = self._leaving
        self.seeking = SessionSearch(
            node, self.names, self._say, self._send, lambda: self.peers.people, self._unreadable
        )
        self.telling = ClusterBroadcast(node, self._say, partial(self._send, FRONTEND, Kind.ALL), self._unreadable)
        handlers |= {Kind.WHO: self.seeking.who, Kind.MINE: self.seeking.mine, Kind.MOVING: self.seeking.moving}
        handlers[Kind.ALL] = self.telling.tell
        handlers[Kind.LEAVE] = lambda *_: self.stopped.set()
        handlers[Kind.EVACUATE] = lambda *_: self.drain() if self.cluster is not None else None
        self.peers = Peers(
            up, handlers, self._joined, self._dead, self.stopped.set,
            on_serves=lambda name: self.federation.leaves(self.names.number(name), False), find_state=self._state,
        )  # fmt: skip
        self._telling = self._loop.call_later(THERE_EVERY, self._tell_there)
        self._loop.add_reader(self.channels.bell, self._on_bell)
        logger.info("process.ready", process=HUB, pid=os.getpid())  # before `server.ready`, which is of all processes
        self.peers.ready()

    def _reading(self) -> Reading:
        """Return the numbers of tickets and the results of matches."""
        hub = self.federation.hub
        tally = hub.tally
        return {
            "serendip_hub_tickets": len(hub),
            "serendip_hub_pending": hub.pending,
            "serendip_hub_matches": {(result,): tally[result] for result in MATCHES},
            "serendip_ipc_link_unknown": tally["unknown"],
            "serendip_ipc_link_bytes": {(name,): channel.waiting for name, channel in self.channels.by_name.items()},
        }

    @property
    def hub(self) -> Hub:
        """The waiting room, if it is in this process."""
        return self.federation.hub

    @property
    def people(self) -> int:
        """Number of users of this host."""
        people, named = self._people_beside("")
        return people + len(named)

    def _people_beside(self, name: str) -> tuple[int, frozenset[int]]:
        """Return the users of all processes but one: the number of those that are not named, and those who are."""
        others = [people for other, people in self._people.items() if other != name]
        return sum(count for count, _ in others), frozenset().union(*(named for _, named in others))

    def join(self, cluster: ClusterNode) -> None:
        """Join a cluster."""
        self.cluster = cluster
        for source in (cluster.reading, self.seeking.reading, self.telling.reading):
            self.board.add(source)
        self.tasks.start("nats", cluster.bus.run)
        self.tasks.start("cluster", cluster.run)

    def drain(self) -> None:
        """End this host: no session arrives any more, and this process ends after all others."""
        self._drains = True
        if self.cluster is None or self._is_alone():
            self.stopped.set()
            return
        for number in self._names:
            self.federation.leaves(number, True)
        self.cluster.drain()
        self._tell_places(self.cluster)

    def _tell_places(self, cluster: ClusterNode) -> None:
        """Send the hosts that accept sessions to all processes with sessions."""
        places = list(map(list, cluster.places()))
        for name in self.peers.others:
            self.peers.send(name, Kind.PLACES, *places)

    def _is_alone(self) -> bool:
        return not any(number_of(name) >= 0 for name in self.peers.others)

    def _state(self) -> dict[str, Any]:
        """Return the cluster's state, for the supervisor."""
        return {} if self.cluster is None else {"cluster": self.cluster.standing()}

    def _is_ready(self) -> bool:
        """Whether messages to other hosts are accepted now."""
        return self.cluster is None or self.cluster.bus.takes

    def _say(self, subject: str, body: bytes) -> None:
        if self.cluster is not None:
            self.cluster.bus.say(subject, body)

    def _send(self, name: str, kind: Kind, *records: Any) -> None:
        self.peers.send(name, kind, *records)

    def _unreadable(self) -> None:
        if self.cluster is not None:
            self.cluster.bus.dropped["unreadable"] += 1

    async def leave(self) -> None:
        """Tell the cluster that this host leaves, so that the others need not wait for its silence."""
        if self.cluster is not None:
            await self.tasks.end("cluster")
            await self.cluster.end()
            await self.tasks.end("nats")

    def tell_hosts(self, others: list[Host]) -> None:
        """Send the list of other hosts to all processes with sessions."""
        for name in self.peers.people:
            self._tell_hosts(name, others)

    def _tell_hosts(self, name: str, others: list[Host]) -> None:
        if self.cluster is not None:
            self.peers.send(name, Kind.HOSTS, self.cluster.trouble, *map(list, others))

    def _joined(self, name: str) -> None:
        number = self.names.number(name)
        self._names[number] = name
        self.channels.add(name, number, partial(self.peers.send, name))
        self.federation.joined(number, fixed=name == FRONTEND, leaving=not self.peers.takes(name))
        if self.cluster is not None:
            self._tell_hosts(name, self.cluster.members.others(time.monotonic()))

    def _dead(self, name: str) -> None:
        number = self.names.number(name)
        self.channels.remove(name, time.monotonic())
        self._names.pop(number, None)
        self._people.pop(name, None)
        self._talking.pop(name, None)
        self.federation.gone(number, time.monotonic())
        self.flush()
        if self._drains and self._is_alone():
            self.stopped.set()

    def _leaving(self, name: str, message: Message) -> None:
        self.federation.leaves(self.names.number(name), bool(message.records[0]))

    def _rows(self, name: str, message: Message) -> None:
        self.federation.rows(self.names.number(name), message.records, time.monotonic())
        self.flush()

    def _ring(self, name: str, _: Message) -> None:
        self.channels.by_name[name].confirm()
        self._on_bell()

    def _on_bell(self) -> None:
        """Handle the rows in all rings."""
        if not self.channels.rounds():
            self._loop.call_soon(self._on_bell)

    def _on_fault(self, name: str, fault: Exception) -> None:
        self._loop.call_exception_handler({"message": f"rows of {name}", "exception": fault})

    def _load(self, name: str, message: Message) -> None:
        sessions, people, named, *talking = message.records
        self._people[name] = (people - len(named), frozenset(named))
        self._talking[name] = talking[0] if talking else {}  # an older program names no languages
        self.federation.load(self.names.number(name), sessions)

    def _tell_there(self) -> None:
        """Send the number of users in all, and the figures of the room, to all processes with sessions."""
        self._telling = self._loop.call_later(THERE_EVERY, self._tell_there)
        at_other_hosts = 0 if self.cluster is None else self.cluster.people_elsewhere
        there = self.federation.there(time.monotonic())
        if self.cluster is None:  # of other hosts it is not known
            there = {**there, "talking": dict(sum(map(Counter, self._talking.values()), Counter()))}
        for name in self.peers.people:
            people, named = self._people_beside(name)
            self.peers.send(name, Kind.THERE, people + at_other_hosts, list(named), there)
        if self._drains and self.cluster is not None:
            self._tell_places(self.cluster)

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        self.hub.advance(time.monotonic())
        self.flush()

    def _tell(self, number: int, rows: list[Row]) -> None:
        self.channels.send(self._names[number], rows)

    def _tell_records(self, number: int, messages: list[bytes]) -> None:
        self.channels.send_records(self._names[number], messages)

    def flush(self) -> None:
        """Send what waits for workers and hosts, and set the timer for the next time."""
        now = time.monotonic()
        more, due = self.federation.flush(now), self.hub.due()
        if due is not None:
            due = max(due, now + SOONEST)
        if more is not None and (due is None or more < due):
            due = more
        if due is not None and due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self._loop.call_later(max(TICK, due - now), self._on_timer)


async def serve(birth: ChildStart, settings: Settings, again: Callable[[], Settings], node: str) -> int:
    """Run the hub from start to end. Of changed settings it applies those of the log. `node`: this generation's name among hosts.

    Raises SecretError.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    seal = Seal(secret_keys.load(settings.data)) if settings.cluster.nats else None
    process = HubProcess(birth.up, rules_of(settings)[1], node, str if seal is None else seal.hidden)
    if seal is not None:
        subjects = {**process.seeking.handlers, **process.telling.handlers}
        process.join(
            ClusterNode(
                node,
                settings.cluster,
                seal,
                lambda: process.people,
                process.tell_hosts,
                process.federation,
                process.flush,
                subjects,
            )
        )
    reloading = SettingsReload(settings, lambda changed: log.configure(changed.log), quiet=True)
    reload = loop.create_task(reloading.run(birth.told_to_reload(), again))
    # a service manager signals all processes at once, and searches still need this one
    stop_child_by((signal.SIGTERM,), HUB, settings.server.drain, process.drain)
    loop.add_signal_handler(
        signal.SIGINT, lambda: None
    )  # a terminal signals all processes at once; the hub ends last, by message
    await process.stopped.wait()
    reload.cancel()
    await process.leave()
    process.peers.close()
    logger.info("process.stopped", process=HUB)
    return 0
