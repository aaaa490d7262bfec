"""The server's life: from settings to a listening socket, and from SIGTERM to the last close.

Rule: the order of things is here and nothing else. Ready means: connections are taken.
"""

import asyncio
import contextlib
import os
import random
import resource
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import uvloop
from aiohttp import web

from engine.engine import Engine, Thresholds
from engine.engine import Settings as Rules
from engine.ports import Outside
from ext.net.admission import Addresses
from ext.net.handshake import Judge
from ext.net.reactor import Reactor
from ext.net.ring import Rings
from server import app, log, version
from server.checks.local import local
from server.config.reload import change
from server.config.settings import Settings
from server.config.sources import SettingsError
from server.console.interface import Console
from server.health.state import Health
from server.health.tasks import Tasks
from server.http.client_info import ClientInfo
from server.http.door import Crowded, Door
from server.http.services import Services
from server.metrics import exposition, readings
from server.metrics.exposition import Board, MetricsServer
from server.metrics.readings import LoopLag
from server.metrics.system import Collections, Folder
from server.omegle.routes import REFUSALS
from server.privacy import published
from server.process import allowance
from server.rights.interface import Rights
from server.safety import receipt
from server.safety.help import Help
from server.safety.interface import Safety
from server.security import keys, proofs
from server.security.avoid import AvoidTokens
from server.security.identity import Identities
from server.security.tokens import Tokens
from server.store import folder
from server.store.errors import Busy, KeysDiffer, SchemaDiffers
from server.store.interface import Store
from server.video.ice import Ice, turn_secret
from server.video.relayed import Relayed
from server.video.scrub import scrub
from server.worker import gc_tuning
from server.worker.recorder import Recorder
from server.worker.worker import Worker

BACKLOG = 4096
_spread = random.SystemRandom().uniform

logger = log.get()


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


def run(settings: Settings, again: Callable[[], Settings]) -> None:
    """Serves until SIGTERM or SIGINT; ends the program with status 1 and one line where it cannot start.

    `again` reads the settings anew, for SIGHUP; it raises SettingsError.
    """
    log.configure(settings.log)
    allowance.forbid_dumps()
    try:
        uvloop.run(serve(settings, again))
    except (StartError, keys.SecretError) as error:
        with contextlib.suppress(OSError):
            os.write(2, f"serendip: {error}\n".encode())
        raise SystemExit(1) from None


def listen(host: str, port: int) -> socket.socket:
    """A listening, non-blocking socket; what it accepts inherits TCP_NODELAY. Raises StartError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}. Another: --port N") from None
    return sock


async def serve(settings: Settings, again: Callable[[], Settings]) -> None:
    """The whole life of one server process."""
    asyncio.get_running_loop().set_exception_handler(log.loop_fault)
    stop, reload = told_by(signal.SIGTERM, signal.SIGINT), told_by(signal.SIGHUP)
    for found in local(settings):
        if found.level:
            logger.warning("setup.warning", check=found.check, said=found.said, remedy=found.remedy)
    secret = keys.load(settings.data)
    host = settings.server.host
    sock = listen(host, settings.server.port)
    server = Server(settings, secret)
    server.reload_at(reload, again)
    await server.show_metrics()
    await server.open_store(secret)
    await server.take_connections(sock)
    gc_tuning.settle()
    server.health.phase = "ready"
    logger.info(
        "server.ready", host=host, port=sock.getsockname()[1], version=version.VERSION, pid=os.getpid(),
        descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )  # fmt: skip
    await stop.wait()
    logger.info("server.stopping", online=server.worker.engine.online)
    server.health.phase = "draining"
    await drain(server.worker, settings.server.drain)
    sock.close()  # who comes from here on is refused by the system, at once
    await server.close()
    logger.info("server.stopped")


def told_by(*signals: signal.Signals) -> asyncio.Event:
    """Set by any of these signals."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in signals:
        loop.add_signal_handler(number, told.set)
    return told


class Server:
    """The parts of one process. Made, then `show_metrics`, `open_store`, `take_connections`, and in the end `close`."""

    def __init__(self, settings: Settings, secret: keys.Keys) -> None:
        limits = settings.limits
        self._settings = settings
        self._judge = Judge(hosts=(), origins=(), proxies=())
        self._addresses = Addresses(
            open_max=limits.connections,
            burst=limits.connect_burst,
            rate=limits.connect_rate,
            limits=limits.enabled,
            coming_max=limits.newcomers,
        )
        self._ice = Ice(settings.video, turn_secret(settings.video, secret))
        self.health = Health()
        self._tasks = Tasks()
        self.health.checks.append(self._tasks.unwell)
        self._board = Board()
        self._relayed = Relayed(settings.video)
        self._metrics = MetricsServer(self._board, settings.metrics, self.health) if settings.metrics.enabled else None
        self._store: Store | None = None
        self._safety: Safety | None = None
        self._console: Console | None = None
        self._rights: Rights | None = None
        self._recorder: Recorder | None = None
        try:
            self._help = Help(settings.safety.help_file)
        except ValueError as error:
            raise StartError(str(error)) from None
        self.worker = make_worker(settings, secret, self._judge, self._addresses, self._ice, self._help)
        self.services = Services(settings, self.worker, self.health, self._judge)
        self.services.proofs = proofs.of(settings, secret)
        self._use(settings)

    def reload_at(self, asked: asyncio.Event, again: Callable[[], Settings]) -> None:
        """Take up what `again` reads whenever `asked` is set."""

        async def reload() -> None:
            while True:
                await asked.wait()
                asked.clear()
                try:
                    wanted = await asyncio.to_thread(again)
                except SettingsError as error:
                    for problem in error.problems:  # its beginning alone: the value may be a password
                        logger.error("config.refused", setting=problem.partition(": ")[0])
                    continue
                self._use(self._changed(wanted))

        self._tasks.start("reload", reload)

    def _changed(self, wanted: Settings) -> Settings:
        """What holds from now on; the log says what that is."""
        found = change(self._settings, wanted)
        for setting in found.taken:
            logger.info("config.changed", setting=setting)
        for setting in found.restart:
            logger.warning("config.restart", setting=setting)
        return found.settings

    def _use(self, settings: Settings) -> None:
        """Apply all that can change in a running server (server.config.settings.RELOADED)."""
        self._settings = self.services.settings = settings
        chosen, limits = settings.server, settings.limits
        log.configure(settings.log)
        self._judge.change(chosen.hosts, chosen.origins, [str(proxy) for proxy in chosen.proxies])
        self._addresses.change(limits.connections, limits.connect_burst, limits.connect_rate, limits.newcomers)
        self.worker.reactor.change_limits(
            (limits.message_burst, limits.message_rate), (limits.signal_burst, limits.signal_rate)
        )
        self.worker.engine.change_limits(limits.find_burst, 1.0 / limits.find_rate)
        if self._metrics is not None:
            self._metrics.hosts = settings.metrics.hosts

    async def open_store(self, secret: keys.Keys) -> None:
        """What is told of it, and what is kept, where anything is. Raises StartError."""
        try:
            self._published = await published.opened(self._settings, self._tasks)
        except published.Unfit as error:
            raise StartError(f"privacy: {error}") from None
        self.worker.statement = self._published.newest
        if self._settings.store.enabled:
            address = ClientInfo(self._judge).address
            self._store, self._safety, self._console, self._rights = store, safety, console, rights = await open_store(
                self._settings, secret, self._tasks, address, self._help, self._published
            )
            self._recorder = Recorder(self.worker, store, safety.take)
            self.worker.banned, self.worker.unseen, self.worker.seen = safety.banned, safety.unseen, safety.seen
            await safety.start(self.worker.look_again)
            self.worker.on_keep = self._recorder.take
            self.services.add_store(store)
            await rights.start()
            for part in (store, safety, rights):
                self._board.add(part.reading)
            if console is not None:
                await console.start()
                self._board.add(console.reading)
            if not (self._settings.safety.moderated or safety.attended or store.unwell()):
                logger.warning("safety.unattended")

    async def take_connections(self, sock: socket.socket) -> None:
        """From here on the reactor accepts, and hands over to the application what is not `/ws`. Raises StartError."""
        pages = app.build(self.services, self._safety, self._rights, self._published)
        for source in (readings.Answers(pages).reading, *self.services.sources):
            self._board.add(source)
        self._runner = web.AppRunner(pages, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        if self._runner.server is None:
            raise StartError("the application did not start")
        door = Door(self._runner.server, self._judge, self._addresses, self._crowded())
        self._board.add(door.reading)
        self.worker.on_http = door.take
        self.worker.reactor.listen(sock.fileno())
        self.worker.start()

    def _crowded(self) -> Crowded | None:
        """Programs of Omegle's protocol, many of which open a connection for each request."""
        chosen = self._settings.omegle
        counted = Addresses(
            open_max=chosen.connections, burst=chosen.connect_burst, rate=chosen.connect_rate,
            limits=self._settings.limits.enabled,
        )  # fmt: skip
        return Crowded(counted, REFUSALS) if chosen.enabled else None

    async def show_metrics(self) -> None:
        """Open the metrics' port, which says from here on how the start goes, and the one that TURN servers report to."""
        lag = LoopLag()
        self._tasks.start("loop-lag", lag.run)
        self._collections = Collections()
        worker = readings.source(self.worker.reactor, self.worker.engine, self.worker.signals_refused)
        own = (exposition.build, self._tasks.reading, worker, lag.reading, self._ice.reading, self._relayed.reading)
        for source in (*own, self._collections.reading):
            self._board.add(source)
        stamp = folder.BACKED_UP if self._settings.store.enabled else None
        self._board.add(Folder(self._settings.data, stamp).reading, apart=True)
        if self._metrics is not None:
            await self._metrics.start()
        if self._settings.video.reports:
            await self._relayed.start()

    async def close(self) -> None:
        """The application first, so that nothing new comes; the store last, when nothing is left to be recorded."""
        await self._runner.cleanup()
        if self._console is not None:
            await self._console.stop()
        if self._metrics is not None:
            await self._metrics.stop()
        await self._relayed.stop()
        for task in ("reload", "loop-lag", "statement"):
            await self._tasks.end(task)
        self._collections.stop()
        self.worker.stop()
        if self._recorder is not None and self._store is not None:
            await self._recorder.close()
            if self._safety is not None:
                await self._safety.close()
            if self._rights is not None:
                await self._rights.close()
            await self._store.close()


def make_worker(
    settings: Settings, secret: keys.Keys, judge: Judge, addresses: Addresses, ice: Ice, helped: Help
) -> Worker:
    """The reactor and the engine by the settings. Call it in the loop."""
    limits = settings.limits
    now = time.monotonic()
    reactor = Reactor(
        judge=judge, addresses=addresses, now=now, wall=time.time() - now, limits=limits.enabled,
        descriptors=allowance.raise_descriptors(),
    )  # fmt: skip
    rings = Rings(int(settings.chat.memory))
    rules, thresholds = rules_of(settings)

    def make_engine(outside: Outside) -> Engine:
        return Engine.build(
            rings,
            outside,
            rules,
            keeps=settings.store.enabled,
            thresholds=thresholds,
        )

    return Worker(
        reactor, make_engine, outside_of(settings, secret, ice, helped), Tokens(secret),
        Identities(secret.lasting[keys.Purpose.COOKIE]), settings.session.grace,
    )  # fmt: skip


def rules_of(settings: Settings) -> tuple[Rules, Thresholds]:
    """What the engine decides by."""
    limits, matching = settings.limits, settings.matching
    rules = Rules(
        grace=settings.session.grace, require_adult=settings.safety.require_adult, limits=limits.enabled,
        video=settings.video.enabled, turn=bool(settings.video.turn),
    )  # fmt: skip
    thresholds = Thresholds(
        any_after=matching.any_after, anyone_after=matching.anyone_after, window=matching.window,
        peak=matching.peak, falls=matching.falls, falls_for=matching.falls_for,
    )  # fmt: skip
    return rules, thresholds


def outside_of(settings: Settings, secret: keys.Keys, ice: Ice, helped: Help) -> dict[str, Any]:
    """What the engine asks of those who touch the outside, by the names of its ports."""
    avoid = AvoidTokens(secret)
    outside: dict[str, Any] = {"ice": ice.servers, "scrub": scrub, "make_avoid": avoid.make, "open_avoid": avoid.open}
    outside["report_facts"] = helped.facts(settings.retention.days if settings.store.enabled else 0)
    if settings.store.enabled:
        outside["receipt"] = receipt.draw
    college = proofs.of(settings, secret)
    if college is not None:
        outside["open_proof"] = lambda proof, _: college.open(proof)
    return outside


async def open_store(
    settings: Settings, secret: keys.Keys, tasks: Tasks, address: Callable[[web.BaseRequest], str], helped: Help,
    told: published.Published,
) -> tuple[Store, Safety, Console | None, Rights]:  # fmt: skip
    """The store, and who works on it. A database that is away is no reason not to serve. Raises StartError."""
    # These take 40 MB of libraries: who keeps nothing need not have them.
    from server.console import service as console_service
    from server.console.accounts import attended
    from server.privacy.purge import Purge
    from server.rights.service import over
    from server.safety import service as safety_service
    from server.store import service

    async def purge(parts: service.Parts) -> None:
        await Purge(parts.database, parts.logs, parts.objects, settings.retention).run()

    try:
        store = service.Store(settings, secret, purge, tasks)
        await store.start()
    except (ValueError, LookupError, SchemaDiffers, KeysDiffer, Busy, OSError) as error:
        raise StartError(f"store: {error}") from None
    helped.country = store.country
    safety = safety_service.Safety(store.parts, store.country, tasks, lambda: attended(store.parts.database))
    chosen = settings.console
    console = console_service.Console(store.parts, chosen, address, tasks) if chosen.enabled else None
    return store, safety, console, over(store.parts, secret, settings, tasks, told)


async def drain(worker: Worker, seconds: float) -> None:
    """Puts newcomers off, tells every client to come back at a moment of its own, and waits until they are gone, `seconds` at most."""
    reactor = worker.reactor
    reactor.put_off_newcomers()
    span = 2.0 + worker.engine.online / 2000  # the next start can take 2,000 a second without a wait
    worker.act(lambda now: worker.engine.drain_for_restart(now, lambda: round(_spread(0.5, span), 2)))
    end = time.monotonic() + seconds
    # A poll: the sockets that linger have no event of their own.
    while reactor.connections > reactor.newcomers and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    reactor.refuse_newcomers()
