"""Run a server of a single process from its settings to its end: start, upgrade, drain and stop, in order. `server.main.parts` makes the parts."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import uvloop

from server.fleet.migrate.single_process_upgrade import UpgradeCommand
from server.fleet.migrate.upgrade_successor import Gone, UpgradeSuccessor, fault_of
from server.fleet.supervisor.process_mode import has_several
from server.main.checks.local_checks import local
from server.main.parts.other_process_interface import ALONE, OtherProcesses
from server.main.parts.server_parts import Server
from server.ops import log, version
from server.ops.config.settings import Settings
from server.ops.health.stop_limit import ENDING_S, StopLimit
from server.ops.process import foreground_proxy, process_setup, server_status, successor
from server.ops.process.control_socket import NAME, ControlSocket, Unavailable, made
from server.ops.process.first_done import first_of
from server.ops.process.listening_sockets import Sockets, StartError, listen_public
from server.ops.process.process_setup import name_process
from server.ops.process.systemd_notify import Notifier
from server.ops.security import secret_keys
from server.realtime.worker import gc_tuning
from server.realtime.worker.worker_dependencies import WorkerPorts
from server.realtime.worker.worker_drain import drain, tell_to_come_back

logger = log.get()


def run(settings: Settings, again: Callable[[], Settings], opened: Mapping[str, socket.socket] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. If the server cannot start, print one line and exit with status 1.

    `again` reads the settings for SIGHUP and raises SettingsError. `opened`: listening sockets that were opened as root.
    After an upgrade this process ends too, or waits for its successor.
    """
    log.configure(settings.log)
    process_setup.yield_soon()
    tell_setup(settings)
    try:
        process_setup.forbid_dumps()
        if has_several(settings):
            from server.main.processes import process_group as host

            name_process("supervisor")
            status, follower = host.run(settings, again, opened)
            if follower is None:
                raise SystemExit(status)
        else:
            name_process("server")
            follower = uvloop.run(serve(settings, again, opened))
    except (StartError, secret_keys.SecretError, successor.NotStarted) as error:
        with contextlib.suppress(OSError):
            os.write(2, f"serendip: {error}\n".encode())
        raise SystemExit(1) from None
    if follower is not None:
        log.sink().close()
        foreground_proxy.become(follower)


def tell_setup(settings: Settings) -> None:
    """Log warnings about settings, data folder and limits, for the operator."""
    for found in local(settings):
        about = {"check": found.check, "said": found.said, "remedy": found.remedy}
        if found.level:
            logger.warning("setup.warning", **about)
        elif found.remedy:
            logger.info("setup.notice", **about)


async def serve(
    settings: Settings, again: Callable[[], Settings], opened: Mapping[str, socket.socket] | None = None
) -> int | None:
    """Run one server process; `opened` as in `run`. Return the pid of the successor that continues to serve, or None."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    limit = StopLimit("server", settings.server.drain + ENDING_S, ends=True)
    stop, reload = told_by(signal.SIGTERM, signal.SIGINT, then=limit.begin), told_by(signal.SIGHUP)
    link = successor.inherited()
    arriving = UpgradeSuccessor(link) if link is not None else None
    try:
        life = await ServerLife.begun(settings, arriving, opened)
    except (StartError, secret_keys.SecretError) as error:
        if arriving is not None:
            await arriving.failed(str(error))
        raise
    except Exception as fault:
        if arriving is not None:
            await arriving.failed(fault_of(fault))
        raise
    life.server.reload_at(reload, again)
    await life.ready(arriving)
    await first_of(stop, life.upgrading.done)
    if life.upgrading.done.is_set() or await life.stop():
        limit.lift()
        return await life.follow(stop)
    return await life.close()


def _reserve(settings: Settings, sockets: Sockets) -> None:
    """Open the public socket and that for orders before a key is made: a server that is refused one of them leaves none. Raises StartError,
    SecretError.
    """
    at = settings.server.host, settings.server.port
    sockets.get("server", lambda: listen_public(*at), at=at).close()
    secret_keys.folder(settings.data)
    with contextlib.suppress(Unavailable):  # it is logged when the socket is started
        sockets.get(NAME, lambda: made(settings.data)).close()


class ServerLife:
    """The life of one process, from its sockets to its end."""

    def __init__(
        self, settings: Settings, secret: secret_keys.Keys, sockets: Sockets, others: OtherProcesses = ALONE
    ) -> None:
        host, port = settings.server.host, settings.server.port
        self._settings = settings
        self._sockets = sockets
        self._sock = sockets.get("server", lambda: listen_public(host, port), at=(host, port))
        self._notifier = Notifier.of_environment(lambda error: logger.warning("notify.failed", **log.described(error)))
        self._arrived: asyncio.Task[None] | None = None
        self.server = Server(settings, secret, sockets, others=others)
        self.upgrading = UpgradeCommand(
            lambda: self.server.belongings, sockets, self, self._not_now, settings.server.start_within
        )
        self._began = time.monotonic()
        self._report = server_status.OwnReport(self.server.worker.engine)
        self._control = ControlSocket(sockets, settings.data, self.upgrading.upgrade, self._status)

    @classmethod
    async def begun(
        cls, settings: Settings, arriving: UpgradeSuccessor | None, opened: Mapping[str, socket.socket] | None = None
    ) -> "ServerLife":
        """Make all parts that are needed to serve. Raises StartError, SecretError."""
        first = arriving is None
        try:
            sockets = Sockets(await arriving.sockets() if arriving is not None else opened)
        except Gone as error:
            raise StartError(str(error)) from None
        await asyncio.to_thread(_reserve, settings, sockets)
        secret = secret_keys.load(settings.data)
        others = ALONE if arriving is None else OtherProcesses(WorkerPorts(is_elsewhere=arriving.is_elsewhere))
        life = cls(settings, secret, sockets, others)
        try:
            await life._control.start(listening=False)
        except Unavailable as error:
            logger.warning("control.unavailable", error=error.error)
        await life.server.start(secret, listening=first)
        sockets.drop_unasked()
        gc_tuning.settle()
        return life

    async def ready(self, arriving: UpgradeSuccessor | None) -> None:
        """Serve: at once, or when the old process says so."""
        server = self.server
        if arriving is None:
            self._accept()
            self._control.listen()
        else:
            await arriving.ready(server.belongings, self._accept, self._came)
            await server.listen()
        logger.info(
            "server.ready", host=self._settings.server.host, port=self._sock.getsockname()[1], version=version.VERSION,
            pid=os.getpid(), descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )  # fmt: skip
        if arriving is None:
            self._notifier.ready()
        else:
            self._arrived = asyncio.create_task(self._be_alone(arriving))

    def _accept(self) -> None:
        """Accept connections; `/readyz` answers yes from here on."""
        self.server.health.phase = "ready"
        self.server.take_connections(self._sock)

    async def _be_alone(self, arriving: UpgradeSuccessor) -> None:
        """Wait until the old process has handed everything over, and take its roles: control socket and service manager."""
        await arriving.over.wait()
        self.server.worker.look_again()  # sessions that arrived after a ban or a notice was loaded were not checked
        self._control.listen()
        self._notifier.ready()

    def _came(self) -> None:
        """Handle sessions that arrive from the old process; if this one ends already, tell them to reconnect."""
        if self.server.health.phase == "draining":
            tell_to_come_back(self.server.worker)

    def _not_now(self) -> str:
        if self.server.health.phase != "ready":
            return "this server starts, or stops"
        return "" if self._arrived is None or self._arrived.done() else "an upgrade is under way already"

    def _status(self) -> Mapping[str, Any]:
        now, phase, pid = time.monotonic(), self.server.health.phase, os.getpid()
        here = server_status.process("server", phase, pid, now - self._began, report=self._report.read(now))
        return server_status.server(phase, pid, [here])

    # the doors (`server.fleet.migrate.upgrade_source.Doors`)

    async def pause(self) -> None:
        """Stop accepting connections; new ones wait in the backlog."""
        self.server.worker.reactor.refuse_newcomers()
        self._control.pause()
        await self.server.pause()

    async def listen(self) -> None:
        """Accept connections again."""
        self.server.take_connections(self._sock)
        self._control.listen()
        await self.server.listen()
        self.server.worker.look_again()  # restored sessions were in no process when a ban came

    # the end

    async def stop(self) -> bool:
        """Handle SIGTERM: tell every client to reconnect. Return True if a successor has all sessions instead."""
        self.server.health.phase = "draining"
        self._notifier.stopping()
        await self.upgrading.stop()
        if self.upgrading.done.is_set():
            return True
        logger.info("server.stopping", online=self.server.worker.engine.online)
        await drain(self.server.worker, self._settings.server.drain)
        return False

    async def follow(self, stop: asyncio.Event) -> int | None:
        """End after an upgrade: all sessions are in the successor. `stop`: set if the successor is to end too."""
        foreground_proxy.keep()
        server, worker, within = self.server, self.server.worker, self._settings.server.drain
        lingering = asyncio.create_task(self.upgrading.linger(within))
        await first_of(stop, lingering)
        if worker.engine.online:
            await drain(worker, within)
        child = self.upgrading.child
        if child is not None and self._notifier.active:
            self._notifier.main(child.pid)
            await self._notifier.heard()
        server.health.phase = "draining"
        return await self.close(stop)

    async def close(self, stop: asyncio.Event | None = None) -> int | None:
        """Close everything. Return the pid of the successor to wait for; None without a successor. `stop`: set if it shall end."""
        self._sock.close()
        # from here on the kernel refuses connections at once, unless another process listens
        self._sockets.drop("server")
        if self._arrived is not None:
            self._arrived.cancel()
        await self._control.stop()
        await self.server.close()
        self.upgrading.close()
        self._sockets.close()
        logger.info("server.stopped")
        child, loosen = self.upgrading.child, asyncio.get_running_loop().remove_signal_handler
        if child is None:
            foreground_proxy.deaf(loosen)
            return None
        child.let_go()
        came = [signal.SIGTERM] if stop is not None and stop.is_set() else []
        foreground_proxy.hold(loosen, *came)
        return child.pid


def told_by(*signals: signal.Signals, then: Callable[[], None] = lambda: None) -> asyncio.Event:
    """Return an event that is set by any of these signals; `then` is called with each."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        told.set()
        then()

    for number in signals:
        loop.add_signal_handler(number, tell)
    return told
