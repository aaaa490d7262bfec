"""The links of one process of a host: to the supervisor, which makes them, and to the others by name.

Rule: a process is dead when the supervisor says so, and not because a link is. What it had sent before is read first.
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
from server.ops.metrics.exposition import Reading

SUPERVISOR: Final = "supervisor"
HUB: Final = "hub"
OFFICE: Final = "office"
NEXT: Final = "next "  # before the name of a process of the generation that follows this one
LAST: Final = "last "  # of the one before
SIGN_EVERY: Final = 0.25  # seconds: who says nothing for `watch.HUNG_AFTER` is taken for one that hangs
logger = log.get()

Handler = Callable[[str, Message], None]


def nobody(_: str) -> None:
    """Is to be told."""


def name_of(number: int) -> str:
    """The name of a worker by the number that the hub knows it by; 0: the office."""
    return f"worker {number}" if number else OFFICE


def number_of(name: str) -> int:
    """The number of a worker, as the hub knows it; the office's is 0, the hub's -1."""
    kind, _, number = name.partition(" ")
    return int(number) if kind == "worker" else 0 if name == OFFICE else -1


def abroad(name: str) -> bool:
    """Whether it is a process of another generation: it is asked for sessions, and people go there; nothing else is its business."""
    return name.startswith((NEXT, LAST))


class Peers:
    """Of one process. Call it in the loop."""

    def __init__(
        self,
        up: socket.socket,
        handlers: Mapping[int, Handler],
        joined: Callable[[str], None],
        dead: Callable[[str], None],
        orphaned: Callable[[], None],
        *,
        on_serves: Callable[[str], None] = nobody,
        find_state: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        """`joined`: there is a link to this one; `dead`: it is not there any more; `orphaned`: the supervisor is gone.

        `on_serves`: called with a process that takes people from now on; `find_state`: what this process tells the supervisor of itself.
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
        self.deaths: dict[tuple[str, str], int] = {}  # of processes of this host, by name and why; the office is told
        self.unknown = 0  # messages of kinds that this release does not know
        self._up = Link(up, self._of_supervisor, lambda _: orphaned())

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def idle(self, name: str) -> bool:
        """Whether all that was sent to this one has left this process, or it is dead."""
        link = self._links.get(name)
        return link is None or not link.waiting

    def full(self, name: str) -> bool:
        """Whether so much waits for this one that nothing is to be added that can be done without."""
        link = self._links.get(name)
        return link is not None and link.full

    async def room(self, name: str) -> None:
        """Wait until not too much waits for this one; no longer than it lives."""
        link = self._links.get(name)
        if link is not None:
            with contextlib.suppress(LinkDown):
                await link.room()

    @property
    def people(self) -> list[str]:
        """The processes that have people, of other generations too."""
        return [name for name in self._links if name != HUB]

    @property
    def others(self) -> list[str]:
        """All processes of this generation to which there is a link."""
        return [name for name in self._links if not abroad(name)]

    def takes(self, name: str) -> bool:
        """Whether a process is there, and serves."""
        return name in self._serving

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_link_bytes": {(name,): link.waiting for name, link in self._links.items()},
            "serendip_link_unknown": self.unknown,
        }

    def ready(self) -> None:
        """This process serves, and says so from here on, as long as its loop turns."""
        self._up.send(Kind.UP)
        self._say_sign()

    def _say_sign(self) -> None:
        self._sign = asyncio.get_running_loop().call_later(SIGN_EVERY, self._say_sign)
        self.say()

    def say(self) -> None:
        """Say how this process stands."""
        if not self._up.waiting:  # a supervisor that stands still is not told how it was
            links = {name: link.waiting for name, link in self._links.items() if link.is_up and not abroad(name)}
            self._tell_supervisor(Kind.SIGN, {**self._find_state(), "links": links})

    def _tell_supervisor(self, kind: Kind, *records: Any) -> None:
        with contextlib.suppress(LinkDown):  # then this process is an orphan, and knows it
            self._up.send(kind, *records)

    def send(
        self, to: str, kind: Kind, *records: Any, pieces: Sequence[bytes] = (), descriptors: Sequence[int] = ()
    ) -> int | None:
        """Send a message; its number, None: nobody of that name is there. The descriptors stay open until it was received."""
        link = self._links.get(to)
        if link is None:
            return None
        try:
            return link.send(kind, *records, pieces=pieces, descriptors=descriptors)
        except LinkDown:
            return None

    def close(self) -> None:
        """All links."""
        if self._sign is not None:
            self._sign.cancel()
        self._up.close()
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
        """It is of a kind that this release does not know."""
        self.unknown += 1
        for descriptor in message.descriptors:
            socket.close(descriptor)

    def _fell(self, name: str, why: str) -> None:
        """Most likely it is dead, and the supervisor will say so; where it is not, the younger of the two will be."""
        if name in self._links:
            self._tell_supervisor(Kind.FELL, name, self._pids[name])
        logger.info("peer.fell", name=name, why=why)
