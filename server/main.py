"""The server's life: from settings to a listening socket, and from SIGTERM to the last close.

Rule: the order of things is here and nothing else. Ready means: connections are taken.
"""

import asyncio
import random
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import uvloop
from aiohttp import web

from engine.engine import Engine
from engine.matching.lobby import Lobby
from engine.matching.thresholds import Thresholds
from engine.policy import Settings as Rules
from engine.ports import Outside
from ext.net.admission import Addresses
from ext.net.handshake import Judge
from ext.net.reactor import Reactor
from ext.net.ring import Rings
from server import app as application
from server import log
from server.college import proofs as college
from server.config.settings import Settings
from server.http.door import Door
from server.http.services import State
from server.metrics import readings as figures
from server.metrics.exposition import Board, MetricsServer, build
from server.metrics.loop_lag import Lag
from server.security import keys
from server.security.identity import Identities
from server.security.tokens import Tokens
from server.store.errors import SchemaDiffers
from server.video.ice import Ice, turn_secret
from server.video.relayed import Relayed
from server.video.scrub import scrub
from server.worker import gc_tuning as garbage
from server.worker.recorder import Keeping
from server.worker.worker import Worker

if TYPE_CHECKING:
    from server.store.service import Store

BACKLOG = 4096
_spread = random.SystemRandom().uniform

logger = log.get()


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; ends the program with status 1 and one line where it cannot start."""
    log.configure(settings.log)
    try:
        uvloop.run(serve(settings))
    except (StartError, keys.SecretError) as error:
        sys.stderr.write(f"serendip: {error}\n")
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


def make_worker(settings: Settings, secret: keys.Keys, judge: Judge, addresses: Addresses, ice: Ice) -> Worker:
    """The reactor and the engine by the settings. Call it in the loop."""
    limits = settings.limits
    now = time.monotonic()
    reactor = Reactor(
        judge=judge,
        addresses=addresses,
        now=now,
        wall=time.time() - now,
        limits=limits.enabled,
        messages=(limits.message_burst, limits.message_rate),
        signals=(limits.signal_burst, limits.signal_rate),
    )
    rules = Rules(
        grace=settings.session.grace,
        require_adult=settings.safety.require_adult,
        limits=limits.enabled,
        find_burst=limits.find_burst,
        find_interval=1.0 / limits.find_rate,
        video=settings.video.enabled,
        turn=bool(settings.video.turn),
    )
    rings = Rings(int(settings.chat.memory))
    lobby = Lobby(Thresholds(any_after=settings.matching.any_after, anyone_after=settings.matching.anyone_after))

    def make_engine(outside: Outside) -> Engine:
        return Engine(lobby, rings, outside, rules, keeps=settings.store.enabled)

    outside: dict[str, Any] = {"ice": ice.servers, "scrub": scrub}
    proofs = college.of(settings, secret)
    if proofs is not None:
        outside["open_proof"] = lambda proof, _: proofs.open(proof)
    return Worker(reactor, make_engine, outside, Tokens(secret), Identities(secret), settings.session.grace)


async def serve(settings: Settings) -> None:
    """The whole life of one server process."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.loop_fault)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    secret = keys.load(settings.data)
    sock = listen(settings.server.host, settings.server.port)
    judge = Judge(
        hosts=settings.server.hosts,
        origins=settings.server.origins,
        proxies=[str(proxy) for proxy in settings.server.proxies],
    )
    limits = settings.limits
    addresses = Addresses(
        open_max=limits.connections, burst=limits.connect_burst, rate=limits.connect_rate, limits=limits.enabled
    )
    ice = Ice(settings.video, turn_secret(settings.video, secret))
    worker = make_worker(settings, secret, judge, addresses, ice)
    store = await open_store(settings, secret)
    keeping = None
    state = State(settings, worker)
    state.proofs = college.of(settings, secret)
    if store is not None:
        keeping = Keeping(worker, store)
        worker.on_keep = keeping.take
        state.keep(store)
    app = application.build(state)
    answers = figures.Answers(app, addresses)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    if runner.server is None:
        raise StartError("the application did not start")
    door = answers.door = Door(runner.server, judge, addresses)
    worker.on_http = door.take
    worker.reactor.listen(sock.fileno())
    worker.start()
    board = Board()
    lag = Lag()
    relayed = Relayed(settings.video)
    for source in (build, figures.source(worker), answers.source, lag.source, ice.reading, relayed.reading):
        board.add(source)
    if store is not None:
        board.add(store.reading)
    metrics = MetricsServer(board, settings.metrics) if settings.metrics.enabled else None
    if metrics is not None:
        await metrics.start()
    if settings.video.reports:
        await relayed.start()
    garbage.settle()
    port = sock.getsockname()[1]
    host = settings.server.host
    logger.info("server.ready", host=host, port=port)
    await stop.wait()
    logger.info("server.stopping", online=worker.engine.online)
    state.draining = True
    await drain(worker, settings.server.drain)
    await runner.cleanup()
    if metrics is not None:
        await metrics.stop()
    await relayed.stop()
    lag.stop()
    worker.stop()
    if keeping is not None and store is not None:
        await keeping.close()
        await store.close()
    sock.close()
    logger.info("server.stopped")


async def open_store(settings: Settings, secret: keys.Keys) -> "Store | None":
    """What is kept, or None where nothing is. A database that is away is no reason not to serve. Raises StartError."""
    if not settings.store.enabled:
        return None
    from server.store.service import Store  # its libraries take 40 MB: who keeps nothing need not have them

    try:
        store = Store(settings, secret)
        await store.start()
    except (ValueError, LookupError, SchemaDiffers, OSError) as error:
        raise StartError(f"store: {error}") from None
    return store


async def drain(worker: Worker, seconds: float) -> None:
    """Refuses new work, tells every client to come back at a moment of its own, and waits until they are gone, `seconds` at most."""
    reactor = worker.reactor
    reactor.refuse_newcomers()
    span = 2.0 + worker.engine.online / 2000  # the next start can take 2,000 a second without a wait
    worker.act(lambda now: worker.engine.drain_for_restart(now, lambda: round(_spread(0.5, span), 2)))
    end = time.monotonic() + seconds
    # A poll: the sockets that linger have no event of their own.
    while reactor.connections and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
