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

import uvloop

from server import log, version
from server.checks.local import local
from server.config.settings import Settings
from server.parts.making import StartError
from server.parts.server import Server
from server.process import allowance
from server.security import keys
from server.worker import gc_tuning
from server.worker.worker import Worker

BACKLOG = 4096
_spread = random.SystemRandom().uniform

logger = log.get()


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
    await server.build()
    server.take_connections(sock)
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
