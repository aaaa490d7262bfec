"""A host with several workers: which processes there are, and what each does. Rule: all that is common is made before the first fork."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from server import log, version
from server.config.settings import Settings
from server.parts.making import rules_of
from server.process import allowance, control
from server.process.census import HostAddresses, Part
from server.process.listening import listen
from server.process.sockets import StartError
from server.security import keys
from server.workers import hub, office, worker
from server.workers.askers import Askers
from server.workers.peers import HUB, OFFICE, name_of, number_of
from server.workers.supervisor import Role, Supervisor

logger = log.get()

ENDING = 5.0  # seconds beside `server.drain` that a process may take for its end


def number_of_workers(settings: Settings) -> int:
    """How many workers there are to be; 1: one process does all."""
    if settings.workers != "auto":
        return settings.workers
    cores = len(os.sched_getaffinity(0))
    return 1 if cores == 1 else max(2, cores - 1)


def run(settings: Settings, again: Callable[[], Settings]) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. Raises StartError, SecretError."""
    keys.load(settings.data)  # made once, before the processes that read it
    listening = listen(settings.server.host, settings.server.port)
    count = number_of_workers(settings)
    addresses = HostAddresses(count + 1)
    roles: dict[str, Role] = {
        # the first: who is older than an office is one that an office before it knew (`server.workers.ledger`)
        OFFICE: _role(lambda up: office.serve(up, settings, again, addresses.part(office.NUMBER))),
        HUB: _role(lambda up: hub.serve(up, rules_of(settings)[1])),
    }
    for number in range(1, count + 1):
        roles[name_of(number)] = _role(partial(_worker, number, listening, settings, addresses.part(number)))

    def died(name: str) -> None:
        if name != HUB:
            addresses.died(number_of(name))

    def ready() -> None:
        logger.info(
            "server.ready", host=settings.server.host, port=listening.getsockname()[1], version=version.VERSION,
            pid=os.getpid(), descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )  # fmt: skip

    return Supervisor(roles, settings.server.drain + ENDING, ready, died, Askers(_control(settings.data))).run()


def _control(data: Path) -> socket.socket | None:
    """Where operators ask."""
    try:
        return control.made(data)
    except control.Unavailable as error:
        logger.warning("control.unavailable", error=error.error)
        return None


def _worker(
    number: int, listening: socket.socket, settings: Settings, counted: Part, up: socket.socket
) -> Coroutine[Any, Any, int]:
    return worker.serve(number, up, listening, settings, counted)


def _role(main: Callable[[socket.socket], Coroutine[Any, Any, int]]) -> Role:
    """A process with a loop of its own; what it could not be started for is told on standard error."""

    def be(up: socket.socket) -> int:
        log.renew()
        allowance.forbid_dumps()
        try:
            return uvloop.run(main(up))
        except (StartError, keys.SecretError) as error:
            with contextlib.suppress(OSError):
                os.write(2, f"serendip: {error}\n".encode())
            return 1
        finally:
            log.sink().close()

    return be
