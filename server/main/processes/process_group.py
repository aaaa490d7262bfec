"""A host with several workers: which processes there are, and what each does. Rule: all that is common is made before the first fork."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from server import log, version
from server.checks.cluster import unfit
from server.cluster.station import Place
from server.config.cluster import split
from server.config.settings import Settings
from server.handover.arriving import fault_of
from server.handover.link import Kind
from server.process import allowance, control, successor, waiter
from server.process import sockets as by_name
from server.process.census import Part
from server.process.listening import listen
from server.process.notify import Notifier
from server.process.sockets import Sockets, StartError
from server.security import keys
from server.worker import gc_tuning
from server.workers import estate as inherited
from server.workers import hub, office, worker
from server.workers.askers import Askers
from server.workers.child import Birth, Line
from server.workers.peers import HUB, OFFICE, name_of, number_of
from server.workers.preceding import Preceding
from server.workers.several import number_of_workers
from server.workers.supervisor import Role, Supervisor
from server.workers.watch import Watch

logger = log.get()

NODE = 5  # random bytes that tell a generation of processes from all others of a cell
BACKLOG = 256  # of other hosts that knock at the cluster port
ENDING = 5.0  # seconds beside `server.drain` that a process may take for its end


def run(settings: Settings, again: Callable[[], Settings]) -> tuple[int, int | None]:
    """Serve until SIGTERM or SIGINT, or until others have all of it: the exit status, and the process to wait for, None: there is none.

    Raises StartError, SecretError, NotStarted.
    """
    link = successor.inherited()
    before = None if link is None else Preceding(link)
    try:
        supervisor = _made(settings, again, before)
    except (StartError, keys.SecretError) as error:
        if before is not None:
            before.failed(str(error))
        raise
    except Exception as fault:
        if before is not None:
            before.failed(fault_of(fault))
        raise
    status = supervisor.run()
    follower = supervisor.follower
    if follower is not None:
        asyncio.run(_let_go(follower))
        waiter.hold(lambda _: None, *[signal.SIGTERM] * supervisor.told_to_end)
    else:
        waiter.deaf(lambda _: None)
    return status, follower


async def _let_go(follower: int) -> None:
    """Who ends before it is known which process is the service may take that along."""
    notifier = Notifier.of_environment(lambda error: logger.warning("notify.failed", **log.described(error)))
    if notifier.active:
        notifier.main(follower)
        await notifier.heard()


def _made(settings: Settings, again: Callable[[], Settings], before: Preceding | None) -> Supervisor:
    """All that is common to the processes. Raises StartError, SecretError."""
    for said, remedy in unfit(settings):
        raise StartError(f"{said}: {remedy}")
    node = secrets.token_hex(NODE) if settings.cluster.nats else ""
    keys.load(settings.data)  # made once, before the processes that read it
    count = number_of_workers(settings)
    estate = inherited.made(count + 1) if before is None else before.receive(count + 1)
    sockets, addresses, first = estate
    at = settings.server.host, settings.server.port
    listening = sockets.get("server", lambda: listen(*at), at=at)
    place = _place(settings, node, sockets)
    control = _control(settings.data, sockets)
    sockets.drop_unasked()
    roles: dict[str, Role] = {
        # the first: who is older than an office is one that an office before it knew (`server.workers.ledger`)
        OFFICE: _role(
            lambda birth: office.serve(birth, settings, again, addresses.part(first + office.NUMBER), listening, place)
        ),
        HUB: _role(lambda birth: hub.serve(birth, settings, again, node)),
    }
    for number in range(1, count + 1):
        roles[name_of(number)] = _role(
            partial(_worker, number, listening, settings, again, addresses.part(first + number), node)
        )

    def died(name: str) -> None:
        if name != HUB:
            addresses.died(first + number_of(name))

    def ready() -> None:
        logger.info(
            "server.ready", host=settings.server.host, port=listening.getsockname()[1], version=version.VERSION,
            pid=os.getpid(), descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )  # fmt: skip

    gc_tuning.settle()  # what is there is every child's: a collection in one would write to all of it, and have a copy
    drain = settings.server.drain + ENDING
    watch = Watch(settings.server.hang_after, settings.server.start_within)
    return Supervisor(roles, drain, ready, died, Askers(None), lambda: estate, before, control, watch)


def _place(settings: Settings, node: str, sockets: Sockets) -> Place | None:
    """Where other hosts find this one, and as whom; None: it is alone. Raises StartError."""
    if not settings.cluster.nats:
        return None
    at = split(settings.cluster.address)
    try:
        return Place(node, sockets.get("cluster", lambda: by_name.listening(*at, BACKLOG), at=at))
    except OSError as error:
        raise StartError(f"cluster.address: cannot listen on {settings.cluster.address}: {error.strerror}") from None


def _control(data: Path, sockets: Sockets) -> socket.socket | None:
    """Where operators ask. Raises StartError where another server runs on this data folder."""
    try:
        return sockets.get(control.NAME, lambda: control.made(data))
    except control.Unavailable as error:
        logger.warning("control.unavailable", error=error.error)
        return None


def _worker(
    number: int,
    listening: socket.socket,
    settings: Settings,
    again: Callable[[], Settings],
    counted: Part,
    node: str,
    birth: Birth,
) -> Coroutine[Any, Any, int]:
    return worker.serve(number, birth, listening, settings, again, counted, node)


def _role(main: Callable[[Birth], Coroutine[Any, Any, int]]) -> Role:
    """A process with a loop of its own; what it could not be started for is told on standard error, and to its supervisor."""

    def be(birth: Birth) -> int:
        log.renew()
        allowance.forbid_dumps()
        try:
            return uvloop.run(main(birth))
        except (StartError, keys.SecretError) as error:
            Line(birth.up).tell(Kind.FAILED, str(error))
            with contextlib.suppress(OSError):
                os.write(2, f"serendip: {error}\n".encode())
            return 1
        finally:
            log.sink().close()

    return be
