"""Listening sockets by name, which outlive who accepts on them.

Rule: of each one descriptor stays here until the process lets go of it, and whoever accepts has a copy. The kernel keeps one queue
for all copies, in this process and in the next: who knocks while nobody accepts waits, and is not refused.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


class Sockets:
    """The listening sockets of a process. `inherited`: those of the process before it, which are this one's from here on."""

    def __init__(self, inherited: Mapping[str, socket.socket] | None = None) -> None:
        self._kept = dict(inherited or {})
        self._unasked = set(self._kept)

    def inherit(self, name: str, sock: socket.socket) -> None:
        """Keep one that the process before this one listens on. In place of one of that name, which is closed."""
        self.drop(name)
        self._kept[name] = sock
        self._unasked.add(name)

    def get(self, name: str, make: Callable[[], socket.socket], at: tuple[str, int] | None = None) -> socket.socket:
        """A copy of the one of that name, which is the caller's to close; made where it was not inherited.

        `at`: host and port that the settings say. Raises StartError where an inherited one is elsewhere, and what `make` does.
        """
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = make()
        elif at is not None and not _is_at(kept, *at):
            raise StartError(_moved(name, kept, *at))
        self._unasked.discard(name)
        return kept.dup()

    def again(self, name: str) -> socket.socket:
        """One more copy of one that is here. Raises KeyError."""
        return self._kept[name].dup()

    def all(self) -> dict[str, socket.socket]:
        """Those that are kept, to be handed on: they stay this object's."""
        return dict(self._kept)

    def drop(self, name: str) -> None:
        """Let go of one, where there is one: when every copy is closed, here and in other processes, the system refuses who knocks."""
        self._unasked.discard(name)
        kept = self._kept.pop(name, None)
        if kept is not None:
            kept.close()

    def drop_unasked(self) -> None:
        """Let go of what was inherited and nobody asked for: a part that the settings have no more."""
        for name in tuple(self._unasked):
            self.drop(name)

    def close(self) -> None:
        """Let go of all."""
        for name in tuple(self._kept):
            self.drop(name)


def listening(host: str, port: int, backlog: int = 100) -> socket.socket:
    """A listening, non-blocking TCP socket at an address or a name; port 0: any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=backlog)
    sock.setblocking(False)
    return sock


def _is_at(sock: socket.socket, host: str, port: int) -> bool:
    """Whether a socket listens where the settings say; port 0 is any."""
    there = sock.getsockname()
    if port not in (0, there[1]):
        return False
    found = []
    with contextlib.suppress(OSError):  # a name that nobody knows is not where it listens
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return any(address[0] == there[0] for *_, address in found)


def _moved(name: str, sock: socket.socket, host: str, port: int) -> str:
    there = sock.getsockname()
    return (
        f"{name}: the running server listens on {there[0]} port {there[1]}, the settings say {host} port {port}: "
        "this needs a restart"
    )
