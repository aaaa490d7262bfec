"""Keep the ipc links of one process: to the supervisor, which creates all links, and by name to each other process of the host.

**Invariant:** a process is dead only when the supervisor says so; a broken link is no proof. What a dead process had sent is read first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from server.fleet.ipc.ipc_link import Kind, Link, LinkDown, Message
from server.ops import log
from server.ops.metrics.metric_type import Reading
from server.ops.process.cpu_time import ThreadMeters

SUPERVISOR: Final = "supervisor"
HUB: Final = "hub"
FRONTEND: Final = "frontend"
EARLIER_FRONTEND: Final = (
    "office"  # its name in release 0.1: between two generations, and in orders of an older command line
)
NEXT: Final = "next "  # before the name of a process of the next generation
LAST: Final = "last "  # of the previous one
SIGN_EVERY: Final = 0.25  # seconds: a process silent for `watchdog.HANG_AFTER` hangs
logger = log.get()

Handler = Callable[[str, Message], None]


def ignore_process(_: str) -> None:
    """Do nothing."""


def name_of(number: int) -> str:
    """Return the name of a worker by the number that the hub knows it by; 0: the frontend."""
    return f"worker {number}" if number else FRONTEND


def number_of(name: str) -> int:
    """Return the number of a worker, as the hub knows it; the frontend's is 0, the hub's -1."""
    kind, _, number = name.partition(" ")
    return int(number) if kind == "worker" else 0 if name == FRONTEND else -1


def between_generations(name: str) -> str:
    """Return the name that processes of another generation, possibly of release 0.1, know a process by."""
    return name.replace(FRONTEND, EARLIER_FRONTEND)


def of_generation(name: str) -> str:
    """Return the name here of a process that another generation named."""
    return name.replace(EARLIER_FRONTEND, FRONTEND)


def is_other_generation(name: str) -> bool:
    """Whether it is a process of another generation. It gets what concerns sessions that move (the sessions, look-ups, saves), and requests about
    those that it still has; it has no part in this generation's waiting room, broadcasts and figures.
    """
    return name.startswith((NEXT, LAST))


class Peers:
    """Links of one process. Call it in the loop."""

    def __init__(
        self,
        up: socket.socket,
        handlers: Mapping[int, Handler],
        joined: Callable[[str], None],
        dead: Callable[[str], None],
        orphaned: Callable[[], None],
        *,
        on_serves: Callable[[str], None] = ignore_process,
        find_state: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        """`joined`: called with the name of a process that is linked; `dead`: of one that is gone; `orphaned`: the supervisor is gone.

        `on_serves`: called with the name of a process that begins to accept sessions; `find_state`: returns this process's report about
        itself.
        """
        self._handlers = handlers
        self._joined = joined
        self._dead = dead
        self._orphaned = orphaned
        self._links: dict[str, Link] = {}
        self._pids: dict[str, int] = {}
        self._serving: set[str] = set()
        self._on_serves = on_serves
        self._sign: asyncio.TimerHandle | None = None
        self._find_state = find_state
        self._meters = ThreadMeters()
        self.deaths: dict[tuple[str, str], int] = {}  # of processes of this host, by name and cause; for the frontend
        self.unknown = 0  # messages of kinds that this release does not know
        self._up = Link(up, self._of_supervisor, lambda _: orphaned())

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def idle(self, name: str) -> bool:
        """Whether all messages to a process have left this one, or it is dead."""
        link = self._links.get(name)
        return link is None or not link.waiting

    def full(self, name: str) -> bool:
        """Whether so much is queued for a process that nothing is to be sent that can be left out."""
        link = self._links.get(name)
        return link is not None and link.full

    async def room(self, name: str) -> None:
        """Wait until not too much is queued for a process, or it is dead."""
        link = self._links.get(name)
        if link is not None:
            with contextlib.suppress(LinkDown):
                await link.room()

    @property
    def people(self) -> list[str]:
        """Names of the processes that have sessions, of other generations too."""
        return [name for name in self._links if name != HUB]

    @property
    def others(self) -> list[str]:
        """Names of all linked processes of this generation."""
        return [name for name in self._links if not is_other_generation(name)]

    @property
    def replaced(self) -> list[str]:
        """Names of the linked processes that an upgrade replaces by this generation, and that still have sessions."""
        return [name for name in self._links if name.startswith(LAST)]

    def takes(self, name: str) -> bool:
        """Whether a process runs, and serves."""
        return name in self._serving

    def reading(self) -> Reading:
        """Return the metrics."""
        return {
            "serendip_ipc_link_bytes": {(name,): link.waiting for name, link in self._links.items()},
            "serendip_ipc_link_unknown": self.unknown,
        }

    def ready(self) -> None:
        """Announce that this process serves, and send signs of life from here on, as long as its loop turns."""
        self._up.send(Kind.UP)
        self._say_sign()

    def _say_sign(self) -> None:
        self._sign = asyncio.get_running_loop().call_later(SIGN_EVERY, self._say_sign)
        self.say()

    def say(self) -> None:
        """Send a sign of life with a report about this process."""
        if not self._up.waiting:  # a supervisor that does not read gets no stale report
            self._tell_threads()
            links = {
                name: link.waiting for name, link in self._links.items() if link.is_up and not is_other_generation(name)
            }
            self._tell_supervisor(Kind.SIGN, {**self._find_state(), "links": links})

    def _tell_threads(self) -> None:
        """Send the CPU meters of new threads: one may keep the interpreter from the loop, and have no core."""
        for thread, meter in self._meters.of_new().items():
            self._tell_supervisor(Kind.METER, thread, descriptors=meter.descriptors)
        if not self._up.waiting:
            self._meters.close()

    def _tell_supervisor(self, kind: Kind, *records: Any, descriptors: Sequence[int] = ()) -> None:
        with contextlib.suppress(LinkDown):  # then this process is an orphan, and knows it
            self._up.send(kind, *records, descriptors=descriptors)

    def send(
        self, to: str, kind: Kind, *records: Any, pieces: Sequence[bytes] = (), descriptors: Sequence[int] = ()
    ) -> int | None:
        """Send a message; returns its number, None: there is no such process. The descriptors must stay open until it was received."""
        link = self._links.get(to)
        if link is None:
            return None
        try:
            return link.send(kind, *records, pieces=pieces, descriptors=descriptors)
        except LinkDown:
            return None

    def close(self) -> None:
        """Close all links."""
        if self._sign is not None:
            self._sign.cancel()
        self._up.close()
        self._meters.close()
        for link in self._links.values():
            link.close()

    def _of_supervisor(self, message: Message) -> None:
        if message.kind == Kind.PEER:
            name, self._pids[name], serves = message.records
            if serves:
                self._serving.add(name)
            self._links[name] = Link(
                socket.socket(fileno=message.descriptors[0]), partial(self._came, name), partial(self._fell, name)
            )
            self._joined(name)
        elif message.kind == Kind.DEAD:
            name = message.records[0]
            self._serving.discard(name)
            link = self._links.pop(name, None)
            if link is not None:
                link.read_all()
                link.close()
                del self._pids[name]
                self._dead(name)
        elif message.kind == Kind.UP:
            self._serving.add(message.records[0])
            self._on_serves(message.records[0])
        elif message.kind == Kind.DEATHS:
            self.deaths = {(name, why): count for name, why, count in message.records}
        else:
            self._came(SUPERVISOR, message)

    def _came(self, name: str, message: Message) -> None:
        handler = self._handlers.get(message.kind)
        if handler is None:
            self._skip(message)
            return
        handler(name, message)

    def _skip(self, message: Message) -> None:
        """Skip a message of a kind that this release does not know."""
        self.unknown += 1
        for descriptor in message.descriptors:
            socket.close(descriptor)

    def distrust(self, name: str, why: str) -> None:
        """Report that what a process sent is damaged, as if its link had broken."""
        self._fell(name, why)

    def _fell(self, name: str, why: str) -> None:
        """Report a broken link: most likely that process is dead, and the supervisor will say so; otherwise it kills the younger of the two."""
        if name in self._links:
            self._tell_supervisor(Kind.FELL, name, self._pids[name])
        logger.info("peer.fell", name=name, why=why)
