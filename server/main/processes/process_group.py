"""Run a host with several processes: define the role of each process, create the sockets and secrets that all share, and start the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from server.fleet.cluster.cluster_frontend_parts import Place
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, name_of, number_of
from server.fleet.migrate.upgrade_successor import fault_of
from server.fleet.supervisor import supervisor_upgrade_state as inherited
from server.fleet.supervisor.child_process import ChildLink, ChildStart
from server.fleet.supervisor.control_server import ControlClients
from server.fleet.supervisor.process_mode import number_of_workers
from server.fleet.supervisor.supervisor import Role, Supervisor
from server.fleet.supervisor.upgrade_takeover import PreviousGeneration
from server.fleet.supervisor.watchdog import Watchdog
from server.main.checks.cluster_needs import unfit
from server.main.processes import frontend, hub_process, worker_process
from server.ops import log, version
from server.ops.config.cluster_settings import split
from server.ops.config.settings import Settings
from server.ops.health.stop_limit import ENDING_S
from server.ops.process import control_socket as control
from server.ops.process import foreground_proxy, process_setup, successor
from server.ops.process.listening_sockets import Sockets, StartError, listen_at, listen_public
from server.ops.process.shared_address_table import CensusColumn
from server.ops.process.systemd_notify import Notifier
from server.ops.security import secret_keys
from server.realtime.worker import gc_tuning

logger = log.get()

NODE = 5  # random bytes of the name of a generation of processes
BACKLOG = 256  # connections of other hosts that wait at the cluster port


def run(
    settings: Settings, again: Callable[[], Settings], opened: Mapping[str, socket.socket] | None = None
) -> tuple[int, int | None]:
    """Serve until SIGTERM or SIGINT, or until a new generation has everything. Return the exit status, and the pid to wait for (None: none).

    `opened`: listening sockets that were opened as root. Raises StartError, SecretError, NotStarted.
    """
    link = successor.inherited()
    before = None if link is None else PreviousGeneration(link)
    try:
        supervisor = _made(settings, again, before, opened)
    except (StartError, secret_keys.SecretError) as error:
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
        foreground_proxy.hold(lambda _: None, *[signal.SIGTERM] * supervisor.told_to_end)
    else:
        foreground_proxy.deaf(lambda _: None)
    return status, follower


async def _let_go(follower: int) -> None:
    """Tell the service manager the new main process before this one ends, so that it is not ended with it."""
    notifier = Notifier.of_environment(lambda error: logger.warning("notify.failed", **log.described(error)))
    if notifier.active:
        notifier.main(follower)
        await notifier.heard()


def _made(
    settings: Settings,
    again: Callable[[], Settings],
    before: PreviousGeneration | None,
    opened: Mapping[str, socket.socket] | None,
) -> Supervisor:
    """Make what the processes share, and the supervisor. Raises StartError, SecretError."""
    for said, remedy in unfit(settings):
        raise StartError(f"{said}: {remedy}")
    node = secrets.token_hex(NODE) if settings.cluster.nats else ""
    count = number_of_workers(settings)
    upgrade_state = inherited.made(count + 1, opened) if before is None else before.receive(count + 1)
    sockets, addresses, first = upgrade_state
    at = settings.server.host, settings.server.port
    listening = sockets.get("server", lambda: listen_public(*at), at=at)
    place = _place(settings, node, sockets)
    secret_keys.folder(settings.data)
    control = _control(settings.data, sockets)
    secret_keys.load(settings.data)  # made once, before the processes that read it, and not by a start that is refused
    sockets.drop_unasked()
    roles: dict[str, Role] = {
        # the first: a process older than the frontend was known to the frontend before (`server.fleet.frontend.process_figures`)
        FRONTEND: _role(
            lambda birth: frontend.serve(
                birth, settings, again, addresses.part(first + frontend.NUMBER), listening, place
            )
        ),
        HUB: _role(lambda birth: hub_process.serve(birth, settings, again, node)),
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
    drain = settings.server.drain + ENDING_S
    watch = Watchdog(settings.server.hang_after, settings.server.start_within)
    return Supervisor(roles, drain, ready, died, ControlClients(None), lambda: upgrade_state, before, control, watch)


def _place(settings: Settings, node: str, sockets: Sockets) -> Place | None:
    """Return the address and name of this host in the cluster; None: it is alone. Raises StartError."""
    if not settings.cluster.nats:
        return None
    at = split(settings.cluster.address)
    try:
        return Place(node, sockets.get("cluster", lambda: listen_at(*at, BACKLOG), at=at))
    except OSError as error:
        raise StartError(f"cluster.address: cannot listen on {settings.cluster.address}: {error.strerror}") from None


def _control(data: Path, sockets: Sockets) -> socket.socket | None:
    """Return the socket for operators' commands. Raises StartError if another server uses this data folder."""
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
    counted: CensusColumn,
    node: str,
    birth: ChildStart,
) -> Coroutine[Any, Any, int]:
    return worker_process.serve(number, birth, listening, settings, again, counted, node)


def _role(main: Callable[[ChildStart], Coroutine[Any, Any, int]]) -> Role:
    """Return a role: a process with a loop of its own. A failed start is printed to standard error and sent to the supervisor."""

    def be(birth: ChildStart) -> int:
        log.renew()
        try:
            process_setup.forbid_dumps()
            return uvloop.run(main(birth))
        except (StartError, secret_keys.SecretError) as error:
            ChildLink(birth.up).tell(Kind.FAILED, str(error))
            with contextlib.suppress(OSError):
                os.write(2, f"serendip: {error}\n".encode())
            return 1
        finally:
            log.sink().close()

    return be
