"""Run a worker: a process with client connections and their chats. It has no pages and no store, so it passes HTTP connections and records to the
frontend.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from engine.engine import BadRecord
from server.data.keys.pseudonyms import open_pseudonyms
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.frontend.broadcast_state import BroadcastState, Statement
from server.fleet.frontend.live_requests import answers
from server.fleet.frontend.metrics_merge import MetricsAnswers
from server.fleet.frontend.store_client import StoreClient
from server.fleet.frontend.store_outbox import StoreOutbox
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, SUPERVISOR, Handler, name_of
from server.fleet.ipc.process_names import Names
from server.fleet.processes.http_forwarding import HttpForwarding
from server.fleet.processes.process_links import PAUSED_MAX, WorkerLinks, ports_of, room_of
from server.fleet.processes.shutdown_time_budget import WorkerEvacuation
from server.fleet.processes.worker_drain_out import WorkerDrain
from server.fleet.roaming.host_migration_parts import OtherHosts
from server.fleet.supervisor.child_process import ChildStart
from server.main.parts.line_screening import LineScreening
from server.main.parts.reception import Reception, ReceptionPorts
from server.main.parts.settings_reload import SettingsReload
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.health.stop_limit import stop_child_by
from server.ops.metrics.exposition import MetricsBoard
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.readings import source
from server.ops.process import free_memory
from server.ops.process.first_done import first_of
from server.ops.process.shared_address_table import CensusColumn
from server.ops.security import secret_keys
from server.realtime.worker import gc_tuning, worker_drain
from server.realtime.worker.recorder import Recorder
from server.realtime.worker.worker_dependencies import WorkerPorts

CLOSING: Final = 2.0  # seconds that the frontend has at the end to read what was sent
AGES_MAX: Final = 10_000  # age states that wait for a frontend
TAKEN_WITHIN: Final = 10.0  # seconds for the frontend to acknowledge what sessions left when they migrated
logger = log.get()


class WorkerProcess:
    """One worker of a host. Make it in the loop. Raises StartError, SecretError."""

    def __init__(
        self, number: int, up: socket.socket, listening: socket.socket, settings: Settings, counted: CensusColumn | None = None,
        node: str = "",
    ) -> None:  # fmt: skip
        self._listening = listening
        self.name = name_of(number)
        names = Names(node)
        self.hosts = Hosts()
        secret = secret_keys.load(settings.data)
        self.stop = asyncio.Event()
        self.begin = asyncio.Event()  # the old generation accepts no connection any more
        self.leave = asyncio.Event()
        self.stay = asyncio.Event()
        self._serves = False
        self._emptying: WorkerDrain | None = None
        self._outward = outward = HttpForwarding(lambda: self.links.peers)
        self._outbox = StoreOutbox(lambda: self.links.peers)
        self.kept = StoreClient(lambda: self.links.peers, self._outbox)
        self._recorder: Recorder | None = None
        self.told: BroadcastState | None = self._make_told(settings, secret) if settings.store.enabled else None
        statement = Statement()
        self.reception = Reception(settings, secret, counted, self._ports(settings, names, statement))
        self.worker = worker = self.reception.worker
        board = MetricsBoard()
        board.add(source(self.name, worker.reactor, worker.engine, worker.output.signals_refused))
        board.add(lambda: self.links.reading())
        board.add(lambda: {"serendip_http_lost": outward.lost})
        board.add(self.reception.asking.reading)
        board.add(self.reception.countries.reading)
        tasks = Tasks()
        board.add(tasks.reading)
        tasks.start("free-memory", free_memory.run)
        self._looking = LineScreening(self.name, settings, worker, board, tasks)
        answering = MetricsAnswers(self.name, board, lambda: self.links.peers)
        self.departing = WorkerEvacuation(self.name, worker, lambda: self.links, self.hosts, self.stop)
        if self.told is not None:
            self._recorder = Recorder(worker, self.kept, self.kept.report, lambda *saved: self.links.saved(*saved))
            board.add(self._reading)
        handlers = self._handlers(statement, answering)
        address = settings.cluster.address
        others = OtherHosts(node, number, address, secret, self.hosts, lambda: self._takes) if node else None
        self.links = WorkerLinks(
            up, worker, handlers, self._joined, self._dead, names=names,
            moved=lambda: self.departing.moved if self._emptying is None else self._emptying.moved,
            others=others,
        )  # fmt: skip
        worker.start()

    def _handlers(self, statement: Statement, answering: MetricsAnswers) -> Mapping[int, Handler]:
        """Return the handlers of messages from other processes, by kind."""
        worker = self.worker
        handlers: dict[int, Handler] = {
            Kind.TOOK: self._took,
            Kind.STATEMENT: statement.take,
            Kind.READ: answering.read,
            Kind.LEAVE: lambda _, message: self._leave(message.records[0], ""),
            Kind.NEXT: self._next,
            Kind.STAY: lambda *_: self.stay.set(),
            **self.departing.handlers,
            Kind.BEGIN: self._begin,
            Kind.REST: self._rest,
            Kind.WEIGHED: lambda _, message: worker.reported(*message.records),
            Kind.AGE: lambda _, message: worker.age(*message.records),
            Kind.AGES: self._ages,
            Kind.PAUSED: self._are_paused,
            Kind.DETECTED: self._count_detections,
            Kind.LIVE: answers(lambda: self.links.peers, lambda request: self.reception.live.answer(request)),
            Kind.PICTURED: lambda _, message: worker.pictured(*message.records),
            Kind.PICTURES: lambda _, message: self.reception.looked_at_every(*message.records),
        }
        if self.told is not None:
            handlers[Kind.KEPT] = self.kept.kept
            handlers |= {Kind.BANS: self.told.take_bans, Kind.NOTICES: self.told.take_notices}
        return handlers

    def _ports(self, settings: Settings, names: Names, statement: Statement) -> ReceptionPorts:
        """Return the ports of the worker. They lead to other processes by parts that are made after it."""
        ports = WorkerPorts(
            find_statement=statement, on_http=self._outward.take, on_age=self._on_age, keep=self._keep,
            forget_saves=self._forget_saves, on_detection=self._on_detection,
        )  # fmt: skip
        told = self.told
        if told is not None:
            ports = replace(
                ports,
                find_ban=told.bans.refusal,
                last_ban=told.bans.last_ban,
                find_notice=told.notices.unread,
                mark_notice_read=told.notices.seen,
            )
        return ReceptionPorts(
            ports_of(lambda: self.links, ports),
            room_of(names.number(self.name), lambda: self.links),
            self._on_pause,
            lambda *look: self.links.peers.send(FRONTEND, Kind.LOOK, *look),
            lambda *key: self.links.peers.send(FRONTEND, Kind.UPLOAD, *key),
        )

    @property
    def _takes(self) -> bool:
        """Whether sessions of other hosts are accepted."""
        return self._serves and self._emptying is None and not self.stop.is_set()

    def _make_told(self, settings: Settings, secret: secret_keys.Keys) -> BroadcastState:
        """Make the tables of bans and notices that the frontend broadcasts."""
        return BroadcastState(
            open_pseudonyms(secret, settings.data),
            lambda: self.worker.look_again(),
            self._read,
            on_minor=self._on_minor,
            on_lifted=lambda case: self.worker.lifted(case),
        )

    def _keep(self, item: Any) -> None:
        if self._recorder is not None:
            self._recorder.take(item)

    def _forget_saves(self, id: int) -> None:
        if self._recorder is not None:
            self._recorder.forget(id)

    def _reading(self) -> Reading:
        """Return the metrics of this worker; those of the store and moderation are the frontend's."""
        return {
            "serendip_banned_connects": self.told.bans.turned_away if self.told is not None else 0,
            "serendip_reports_lost": self.kept.reports_lost,
            "serendip_reports_waiting": self._outbox.weight[Kind.REPORT],
            "serendip_store_waiting": self.kept.waiting,
        }

    def _read(self, id: bytes, owner: bytes | int) -> None:
        """Tell the frontend that a notice was read here."""
        self._outbox.send(Kind.SEEN, id.hex(), owner if isinstance(owner, int) else owner.hex())

    def _on_age(self, identity: int, stands: str, age: int) -> None:
        """Broadcast an age state: the user may have sessions in other processes, and the stored data of a minor is deleted."""
        if self.told is not None and self._outbox.weight[Kind.AGE] < AGES_MAX:
            self._outbox.send(Kind.AGE, identity, stands, age)
        else:  # nothing is stored, or too much waits: without a frontend no other process learns of it
            self.links.peers.send(FRONTEND, Kind.AGE, identity, stands, age)

    def _on_pause(self, identity: int, seconds: float) -> None:
        """Broadcast that an identity has no video. Without a frontend the other workers do not learn of it."""
        self.links.peers.send(FRONTEND, Kind.PAUSED, [identity, seconds])

    def _on_detection(self, identity: int, name: str, chat: int) -> None:
        """Broadcast a detection that counts for a day. Without a frontend the other workers do not learn of it."""
        self.links.peers.send(FRONTEND, Kind.DETECTED, [identity, name, chat, 0.0])

    def _count_detections(self, _: str, message: Message) -> None:
        """Count detections of the last day in other processes, from the frontend."""
        self.reception.count_detections(message.records)

    def _are_paused(self, _: str, message: Message) -> None:
        """Take the identities whose video is off, from the frontend."""
        self.reception.video_off(message.records)

    def _ages(self, _: str, message: Message) -> None:
        """Take age states from before this process started, from the frontend."""
        self.reception.ages_said(message.records)

    def _on_minor(self, identity: int) -> None:
        """Report a refused minor to the frontend; without a frontend, at the next refusal."""
        self.links.peers.send(FRONTEND, Kind.MINOR, identity)

    def _took(self, name: str, message: Message) -> None:
        if name == FRONTEND:  # each skips numbers that are not its own
            self._outward.took(message)
            self._outbox.took(message)
        self.links.across.took(name, message)

    def _joined(self, name: str) -> None:
        self._outward.joined(name)
        if name == HUB:
            self.departing.tell_hub()
            if self._emptying is not None:
                self._emptying.tell_hub()
        if name == FRONTEND:
            self._outbox.joined()
            self.kept.flush()
            for rows in self.reception.all_off(PAUSED_MAX):  # it may be a new one, which has none of them
                self.links.peers.send(FRONTEND, Kind.PAUSED, *map(list, rows))
            for rows in self.reception.all_ages(PAUSED_MAX):
                self.links.peers.send(FRONTEND, Kind.AGES, *map(list, rows))
            for rows in self.reception.all_detections(PAUSED_MAX):
                self.links.peers.send(FRONTEND, Kind.DETECTED, *map(list, rows))

    def _dead(self, name: str) -> None:
        self._outward.dead(name)
        if name == FRONTEND:
            self.reception.looked_at_every(0.0)  # until the next one sets another interval
            self._outbox.dead()
            self.kept.dead()

    def _leave(self, people: Mapping[str, int], to: str) -> None:
        """Begin to drain this worker. `people`: sessions of each other worker; `to`: the worker of the next generation that gets all, or empty."""
        if self._emptying is None:
            links = self.links
            self._emptying = WorkerDrain(self.name, self.worker, links.peers, links.across, people, to)
            self.leave.set()

    def _next(self, _: str, message: Message) -> None:
        to, self.worker.engine.moves.writes = message.records
        self._leave({}, to)

    def _begin(self, name: str, message: Message) -> None:
        """Begin to accept connections, by order of the supervisor; or take what the old worker knows beside sessions."""
        if name == SUPERVISOR:
            self.begin.set()
            return
        self._told_by(name, partial(self.worker.engine.moves.take_pace, message.records[0]))

    def _rest(self, name: str, message: Message) -> None:
        self._told_by(name, partial(self.worker.engine.moves.take_rest, message.records[0]))

    def _told_by(self, name: str, take: Callable[[float], None]) -> None:
        try:
            take(time.monotonic())
        except BadRecord as bad:
            logger.error("migration.refused", people=0, **log.described(bad))

    async def left(self) -> None:
        """Wait until all sessions have left, the frontend has stored what they left, and the supervisor has the counts."""
        if self._emptying is None:
            return
        try:
            await self._emptying.run()
        except Exception as error:  # noqa: BLE001 - the remaining sessions are asked to reconnect, and the fault is logged
            logger.error("migration.fault", **log.described(error))
        await self.links.visitor_return.settled()
        if self._recorder is not None:
            await self._recorder.settled()
        loop = asyncio.get_running_loop()
        end = loop.time() + TAKEN_WITHIN
        while not (self._outbox.empty and self._outward.empty and not self.kept.waiting) and loop.time() < end:
            self.kept.flush()
            await asyncio.sleep(0.01)
        self.links.peers.say()

    def use(self, settings: Settings) -> None:
        """Apply changed settings."""
        log.configure(settings.log)
        self.reception.use(settings)

    async def informed(self) -> None:
        """Wait until the bans are known."""
        if self.told is not None:
            await self.told.ready.wait()

    def ready(self) -> None:
        """Tell the supervisor that this worker can accept connections."""
        gc_tuning.settle()
        logger.info(
            "process.ready", process=self.name, pid=os.getpid()
        )  # before `server.ready`, which is of all processes
        self.links.peers.ready()

    def serve(self) -> None:
        """Accept connections."""
        self._serves = True
        self.worker.reactor.listen(self._listening.fileno())

    def go_on(self) -> None:
        """Continue to serve: the new generation has failed."""
        self.leave.clear()
        self.stay.clear()
        if self._emptying is not None:
            self._emptying.stay()
            self._emptying = None
        self.serve()
        self.worker.look_again()  # restored sessions were in no process when a ban came

    async def close(self) -> None:
        """Close everything, after the frontend has read what was sent to it."""
        await self._looking.stop()
        if self._recorder is not None:
            await self._recorder.close()
        await self.reception.asking.close()
        self.kept.flush()
        peers, loop = self.links.peers, asyncio.get_running_loop()
        end = loop.time() + CLOSING
        while not peers.idle(FRONTEND) and loop.time() < end:  # noqa: ASYNC110 - a socket that drains has no event
            await asyncio.sleep(0.01)
        self.cut()

    def cut(self) -> None:
        """Close everything at once."""
        self._outward.close()
        self.links.close()
        self.worker.stop()


async def serve(
    number: int,
    birth: ChildStart,
    listening: socket.socket,
    settings: Settings,
    again: Callable[[], Settings],
    counted: CensusColumn,
    node: str = "",
) -> int:
    """Run a worker from start to end. `node`: this generation's name among hosts; empty: this host is alone."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    process = WorkerProcess(number, birth.up, listening, settings, counted, node)
    stop_child_by((signal.SIGTERM, signal.SIGINT), process.name, settings.server.drain, process.stop.set)
    reloading = SettingsReload(settings, process.use, quiet=True)
    reload = loop.create_task(reloading.run(birth.told_to_reload(), again))
    ends = process.stop, process.links.orphaned

    async def until(*others: Coroutine[Any, Any, Any]) -> bool:
        """Wait for one of these, or the end. Return whether the worker continues."""
        await first_of(*others, *ends)
        return not any(end.is_set() for end in ends)

    if await until(process.informed()):
        process.ready()
        if birth.begun or await until(process.begin.wait()):
            process.serve()
        while await until(process.leave.wait()):
            if not await until(process.left(), process.stay.wait()) or not process.stay.is_set():
                break
            process.go_on()
    reload.cancel()
    left = await process.departing.run(settings.server.drain, lambda: True)
    await worker_drain.drain(process.worker, left)
    process.links.peers.say()
    await process.close()
    logger.info("process.stopped", process=process.name)
    return 0
