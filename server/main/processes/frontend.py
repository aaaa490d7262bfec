"""Run the frontend: the process that serves HTTP pages and APIs and owns the store, while workers serve `/ws`. The sessions of HTTP clients
(Omegle's protocol) are in the frontend.

**Invariant:** messages of other processes that arrive before the frontend serves are queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from engine.engine import Session
from server.fleet.cluster.cluster_frontend_parts import ClusterFrontend, Place
from server.fleet.cluster.http_proxy import Proxy
from server.fleet.cluster.known_nodes import Hosts
from server.fleet.frontend.ban_and_notice_broadcast import BanBroadcast
from server.fleet.frontend.cluster_catch_up import ClusterCatchUp
from server.fleet.frontend.live_requests import LiveRequests, answers
from server.fleet.frontend.metrics_merge import MetricsMerge
from server.fleet.frontend.remote_pictures import RemotePictures
from server.fleet.frontend.store_server import StoreServer
from server.fleet.frontend.supervisor_metrics import SupervisorStatus
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Handler, Peers, number_of
from server.fleet.ipc.process_names import Names
from server.fleet.migrate.upgrade_source import Failed, UpgradeSource
from server.fleet.migrate.upgrade_successor import Gone, UpgradeSuccessor
from server.fleet.processes.forwarded_request_delivery import RequestForwarding
from server.fleet.processes.process_links import WorkerLinks, ports_of, room_of
from server.fleet.processes.shutdown_time_budget import WorkerEvacuation
from server.fleet.roaming.host_migration_parts import OtherHosts
from server.fleet.roaming.socketless_clients import NO_SOCKETLESS_CLIENTS, SocketlessClients
from server.fleet.rpc.rpc_envelope import Kind as Asked
from server.fleet.rpc.rpc_envelope import Status
from server.fleet.rpc.rpc_server import Answer, Request
from server.fleet.supervisor.child_process import ChildStart
from server.http.request.counted_connections import PASSED_ON
from server.main.parts.other_process_interface import OtherProcesses
from server.main.parts.server_parts import Server
from server.main.processes.frontend_upgrade import FrontendUpgrade
from server.main.processes.user_safety_broadcast import UserEventBroadcast
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.stop_limit import stop_child_by
from server.ops.metrics.resource_usage import start_ticks
from server.ops.process.first_done import first_of
from server.ops.process.listening_sockets import Sockets
from server.ops.process.shared_address_table import CensusColumn
from server.ops.security import secret_keys
from server.realtime.worker import gc_tuning
from server.realtime.worker.worker_drain import drain
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.routes import ADAPTER
from server.site.polling.routes import HOLD_S

NUMBER = 0  # of the frontend, for the hub
LONGER: Final = 1.0  # seconds that workers may take beyond `server.drain`, to send what they have
logger = log.get()


class Frontend:
    """The frontend of one host. `before`: a socket to the frontend that it replaces; `place`: of this host in a cluster."""

    def __init__(
        self,
        up: socket.socket,
        settings: Settings,
        secret: secret_keys.Keys,
        counted: CensusColumn | None = None,
        before: socket.socket | None = None,
        place: Place | None = None,
    ) -> None:
        names = Names("" if place is None else place.node)
        self.sockets = Sockets()
        self.hosts = Hosts()
        others = self._other_processes(names)
        self.server = Server(settings, secret, self.sockets, counted, FRONTEND, others)
        self._arriving = None if before is None else UpgradeSuccessor(before)
        self._arrived: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self.left: UpgradeSource | None = None  # the hand-over that moved everything to the new frontend
        self._yielding: UpgradeSource | None = None  # the last hand-over to a new frontend
        self.gone = asyncio.Event()  # `left` is set
        self.begin = asyncio.Event()
        self.stop = asyncio.Event()
        self._closed: list[Callable[[], None]] | None = []  # messages that wait until it serves; None: it serves
        self.keeping: StoreServer | None = None
        self._sharing: BanBroadcast | None = None
        self._alone = asyncio.Event()
        self._gathering = gathering = MetricsMerge(self.server.board, lambda: self.links.peers, start_ticks())
        self.server.board.add_processes(gathering.gather)
        handlers: dict[int, Handler] = {Kind.HTTP: self._when_open(self._http), Kind.FIGURES: gathering.figures}
        self._kept = self._when_open(self._keep)
        handlers |= dict.fromkeys((Kind.RECORD, Kind.REPORT, Kind.SEEN, Kind.SAVE, Kind.UNSAVE), self._kept)
        handlers |= {Kind.BEGIN: self._begin, Kind.FOLLOW: self._follow}
        handlers |= {Kind.LOOK: self._look, Kind.UPLOAD: self._upload, Kind.HOSTS: self._others}
        self._station = None if place is None else ClusterFrontend(place, settings, secret, self.hosts.addresses)
        asker = None if self._station is None else self._station.asker
        self._live = LiveRequests(lambda: self.peers, lambda: self.server.live, self.hosts, asker)
        self._proxy: Proxy | None = None
        self._looks: RemotePictures | None = None
        self._hold = max(settings.omegle.hold, HOLD_S)
        self.server.health.checks.append(self.hosts.unwell)
        self._catching: ClusterCatchUp | None = None
        self._everywhere = UserEventBroadcast(self.server, lambda: self.peers, place is not None, self._kept)
        self._departing = WorkerEvacuation(
            FRONTEND, self.server.worker, lambda: self.links, self.hosts, self.stop, self._may_go, self._has_others
        )  # fmt: skip
        # asked by the frontend that replaces this one
        handlers[Kind.LIVE] = answers(lambda: self.peers, lambda request: self.server.live.answer(request))
        handlers |= {**self._everywhere.handlers, **self._departing.handlers, **self._live.handlers}
        self.links = WorkerLinks(
            up, self.server.worker, handlers, self._joined, self._dead,
            names=names, moved=self._moved, others=self._other_hosts(place, settings, secret),
        )  # fmt: skip
        self._join_hosts(place)
        for source in (self.links.reading, self.links.peers.reading):
            self.server.board.add(source)
        self.server.tasks.start("figures", gathering.run)

    def _join_hosts(self, place: Place | None) -> None:
        """Serve the requests of other hosts, if there are any."""
        host_migration = self.links.host_migration
        if place is None or self._station is None or host_migration is None:
            return
        passing = RequestForwarding(place.node, lambda: self.links.peers, self.links.across, host_migration.came)
        self._station.handlers.update(passing.handlers)
        self._catching = ClusterCatchUp(self.server, self._station.asker, self.hosts, self._everywhere.caught_up)
        self._station.handlers[Asked.KNOWN] = self._catching.answer
        self.server.board.add(self._catching.reading)
        self._station.handlers[Asked.LIVE] = self._live.answer
        self.server.tasks.start("live", self._live.run)

    def _other_processes(self, names: Names) -> OtherProcesses:
        """Return the server's ports to workers and other hosts."""
        return OtherProcesses(
            worker=ports_of(lambda: self.links),
            make_room=room_of(names.number(FRONTEND), lambda: self.links),
            find_waits=lambda: self._gathering.waits(),
            find_passing=lambda: self._proxy,
            find_pictures=lambda: self._looks,
            on_age=lambda *said: self._everywhere.on_age(*said),
            on_detection=lambda *said: self._everywhere.on_detection(*said),
            on_weighed=lambda *said: self._everywhere.on_weighed(*said),
            on_minor=lambda identity: self._everywhere.on_minor(identity),
            on_decision=lambda: self._everywhere.on_decision(),
            on_pause=lambda *said: self._everywhere.on_pause(*said),
            on_picture=partial(self._tell_workers, Kind.PICTURED),
            on_picture_interval=partial(self._tell_workers, Kind.PICTURES),
            on_migrated_save=lambda *saved: self.links.saved(*saved),
            ask_live=lambda request: self._live.ask(request),
            tell_live=partial(self._tell_workers, Kind.LIVE, 0),
        )

    def _other_hosts(self, place: Place | None, settings: Settings, secret: secret_keys.Keys) -> OtherHosts | None:
        """Return the ports to other hosts. Clients without a socket migrate too: their adapter makes a socket for each."""
        if place is None:
            return None

        def adapter() -> OmegleAdapter | None:
            return self.server.pages.get(ADAPTER)

        def find_speaker() -> SocketlessClients:
            found = adapter()
            return NO_SOCKETLESS_CLIENTS if found is None else found.remote_clients

        def on_returned(came: Sequence[Session]) -> None:
            if (found := adapter()) is not None:
                found.remote_clients.home(came)

        return OtherHosts(
            place.node, NUMBER, settings.cluster.address, secret, self.hosts,
            lambda: self._closed is None and not self.stop.is_set(), find_speaker, on_returned,
        )  # fmt: skip

    def _moved(self) -> Sequence[int]:
        """Return how many sessions left: to the new frontend, or to other hosts."""
        if self._yielding is None:
            return self._departing.moved
        result = self._yielding.result
        return result.people, result.chats, result.stayed

    @property
    def peers(self) -> Peers:
        """The ipc links by name."""
        return self.links.peers

    def _when_open(self, handler: Handler) -> Handler:
        def handle(name: str, message: Message) -> None:
            if self._closed is None:
                handler(name, message)
            else:
                self._closed.append(partial(handler, name, message))

        return handle

    def _http(self, name: str, message: Message) -> None:
        self.peers.send(name, Kind.TOOK, message.number)
        self.server.door.arrive(message.descriptors[0], message.records[0], message.pieces[0])

    def _keep(self, name: str, message: Message) -> None:
        if self.keeping is not None:  # without a store workers send none of these
            self.keeping.take(name, message)

    def _look(self, _: str, message: Message) -> None:
        """Take a worker's request for pictures, which are uploaded here."""
        self.server.ask_for_pictures(*message.records)

    def _upload(self, _: str, message: Message) -> None:
        """Take a worker's key for a picture, which is uploaded here."""
        self.server.expect_picture(*message.records)

    def _tell_workers(self, kind: Kind, *records: Any) -> None:
        for name in self._workers():
            self.peers.send(name, kind, *records)

    def _others(self, name: str, message: Message) -> None:
        """Take the hub's list of other hosts."""
        self.links.hosts_changed(name, message)
        if self._station is not None:
            self._station.others_changed()
        if self._proxy is not None:
            self._proxy.know()
        if self._catching is not None:
            self._catching.look()
        self._live.hosts_changed()

    async def _passed(self, _: Request) -> Answer:
        """Answer another frontend that forwards requests: behind the answer its connection speaks HTTP."""

        def keep(sock: socket.socket) -> None:
            arrive = partial(self.server.door.arrive, sock.detach(), PASSED_ON, b"")
            if self._closed is None:
                arrive()
            else:
                self._closed.append(arrive)

        return Answer(Status.TAKEN, keep=keep)

    def _may_go(self, id: int) -> bool:
        """Whether a session may be told to reconnect: clients of Omegle's protocol cannot, so they and their partners stay as long as possible."""
        adapter = self.server.pages.get(ADAPTER)
        return adapter is None or adapter.of(id) is None

    def _all_came(self) -> bool:
        """Whether no session can arrive any more, from a worker or back from another host."""
        host_migration = self.links.host_migration
        return not (self._workers() or (host_migration is not None and host_migration.under_way))

    def _has_others(self) -> bool:
        """Whether HTTP clients are here whose sessions are at other hosts."""
        adapter = self.server.pages.get(ADAPTER)
        return adapter is not None and any(client.wire is not None for client in adapter.clients.values())

    def _joined(self, name: str) -> None:
        self._gathering.joined(name)
        if name == HUB:
            self._departing.tell_hub()
        if number_of(name) > 0:
            self._everywhere.joined(name)
            self._live.joined(name)
        if self.server.pictures is not None and number_of(name) > 0:
            self.peers.send(name, Kind.PICTURES, self.server.pictures.mean, self.server.pictures.on)
        if self._sharing is not None:
            self._sharing.joined(name)

    def _dead(self, name: str) -> None:
        self._gathering.dead(name)
        self._live.dead(name)
        if self._sharing is not None:
            self._sharing.dead(name)
        if not self._workers():
            self._alone.set()

    def _workers(self) -> list[str]:
        return [name for name in self.peers.others if number_of(name) > 0]

    async def ready(self, secret: secret_keys.Keys) -> None:
        """Make all parts. Raises StartError."""
        server = self.server
        if self._arriving is not None:
            try:
                for name, sock in (await self._arriving.sockets()).items():
                    self.sockets.inherit(name, sock)
            except Gone:  # the old frontend or its supervisor died: there is nothing to take over
                self._arriving = None
        first = self._arriving is None
        await server.start(secret, listening=first)
        if self._station is not None:
            self._proxy = Proxy(self._station.asker, server.services.places, lambda: self.hosts.others, self._hold)
            self._proxy.know()
            server.board.add(self._proxy.reading)
            self._station.handlers[Asked.HTTP] = self._passed
            if (server.pictures is not None or server.sent is not None) and server.kept is not None:
                self._looks = RemotePictures(server.held_pictures(), self._station.asker, self.hosts.addresses)
                self._station.handlers[Asked.LOOKS] = self._looks.answer
            self._station.open(None if server.kept is None else server.kept[0], server.tasks)
            server.health.checks.append(self._station.unwell)
            server.board.add(self._station.reading)
        self.sockets.drop_unasked()
        gc_tuning.settle()
        server.health.phase = "ready"
        kept = server.kept
        if kept is not None:
            self.keeping = StoreServer(lambda: self.peers, *kept, server.aged, server.turned_away)
        self._sharing = BanBroadcast(lambda: self.peers, server.worker.find_statement, kept and kept[1])
        for name in self._workers():
            self._sharing.joined(name)
        logger.info(
            "process.ready", process=FRONTEND, pid=os.getpid()
        )  # before `server.ready`, which is of all processes
        self.peers.ready()

    async def serve(self) -> None:
        """Serve what arrives, and everything that the old frontend hands over."""
        if self._arriving is None:
            self._open()
            return
        await self._arriving.ready(self.server.belongings, self._open)
        await self.server.listen()
        self._arrived = asyncio.create_task(self._be_alone(self._arriving))

    def _open(self) -> None:
        closed, self._closed = self._closed or [], None
        for handle in closed:
            handle()

    async def _be_alone(self, arriving: UpgradeSuccessor) -> None:
        await arriving.over.wait()
        self.server.worker.look_again()  # sessions that arrived after a ban or a notice was loaded were not checked

    def _begin(self, *_: object) -> None:
        """Begin to serve, by order of the supervisor."""
        self.begin.set()

    def _follow(self, _: str, message: Message) -> None:
        """Hand over to a new frontend, by order of the supervisor. If it dies, another one may follow."""
        sock = socket.socket(fileno=message.descriptors[0])
        if self._station is not None:
            self._station.port.pause()  # requests of other hosts are for the new generation
        self._leaving = asyncio.create_task(self._leave(message.records[0], sock, self._leaving))

    async def _leave(self, pid: int, sock: socket.socket, before: asyncio.Task[None] | None) -> None:
        """Hand over to the new frontend `pid`. `before`: the hand-over to one that died."""
        if before is not None:
            await before
        try:
            leaving = FrontendUpgrade(pid, sock, self.server, self.sockets, self.links, self._all_came)
        except ProcessLookupError:  # it died already
            sock.close()
            return
        self._yielding = leaving
        with contextlib.suppress(Failed):  # it is logged, and this one continues
            await leaving.run()
            self.left = leaving
            self.gone.set()
            self.peers.say()
        if self.left is None and self._station is not None:
            self._station.port.start()

    async def end(self, within: float, listening: socket.socket) -> None:
        """Drain this process; it stores what the workers send until they have ended, for `within` seconds and a little at most.

        `listening`: the host's socket for clients. Once the workers have ended, no process accepts from it.
        """
        self.server.health.phase = "draining"
        self.server.draining = bool(self._departing.within)
        if self.left is not None:
            await self.left.linger(within)
        for task in (self._leaving, self._arrived):
            if task is not None:
                task.cancel()

        async def alone() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within + LONGER + (self._departing.within or 0.0)):
                    while self._workers():
                        self._alone.clear()
                        await self._alone.wait()

        async def depart() -> None:
            left = await self._departing.run(within, lambda: bool(self._workers()))
            await drain(self.server.worker, left)

        await asyncio.gather(depart(), alone())
        if self.server.draining and self.left is None:
            # No worker accepts any more: refuse new connections at once instead of leaving them unanswered.
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            await self.server.show_draining(lambda: bool(self._departing.within))  # a signal ends that
        if self._sharing is not None:
            self._sharing.close()
        if self.keeping is not None:
            await self.keeping.close()
        await self.server.tasks.end("figures")
        await self.server.tasks.end("live")
        self._live.close()
        if self._catching is not None:
            await self._catching.close()
        if self._station is not None:
            await self._station.close()
        if self._looks is not None:
            await self._looks.close()
        await self.server.close()
        if self._proxy is not None:
            await self._proxy.close()
        if self.left is not None:
            self.left.close()
        self.links.close()
        self.sockets.close()


async def serve(
    birth: ChildStart,
    settings: Settings,
    again: Callable[[], Settings],
    counted: CensusColumn,
    listening: socket.socket,
    place: Place | None = None,
) -> int:
    """Run the frontend from start to end. Raises StartError, SecretError."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    secret = secret_keys.load(settings.data)
    frontend = Frontend(birth.up, settings, secret, counted, birth.before, place)
    supervisor = SupervisorStatus(birth.supervisor)
    frontend.server.board.add(supervisor.reading, apart=True)
    frontend.server.health.checks.append(supervisor.unwell)
    stop_child_by((signal.SIGTERM, signal.SIGINT), FRONTEND, settings.server.drain, frontend.stop.set)
    reload = birth.told_to_reload()
    await frontend.ready(secret)
    ends = frontend.stop, frontend.links.orphaned
    if not birth.begun:
        await first_of(frontend.begin, *ends)
    if birth.begun or frontend.begin.is_set():
        await frontend.serve()
        frontend.server.reload_at(reload, again)
        await first_of(frontend.gone, *ends)
    await frontend.end(settings.server.drain, listening)
    logger.info("process.stopped", process=FRONTEND)
    return 0
