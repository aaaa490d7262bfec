"""Open the listening sockets and keep them by name across upgrades, so that connecting clients wait in the kernel's queue and are not refused.

**Invariant:** this module keeps one descriptor of each socket; its users get duplicates.
"""

# The kernel keeps one queue for all copies, in this process and in the next: a client that connects while no process accepts waits.

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping

BACKLOG = 4096  # connections of the public socket that wait to be accepted


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


class Sockets:
    """The listening sockets of a process. `inherited`: those of the previous process, which this object then owns."""

    def __init__(self, inherited: Mapping[str, socket.socket] | None = None) -> None:
        self._kept = dict(inherited or {})
        self._unasked = set(self._kept)

    def inherit(self, name: str, sock: socket.socket) -> None:
        """Keep a socket of the previous process, in place of one with the same name, which is closed."""
        self.drop(name)
        self._kept[name] = sock
        self._unasked.add(name)

    def get(self, name: str, make: Callable[[], socket.socket], at: tuple[str, int] | None = None) -> socket.socket:
        """Return a copy of a named socket, which the caller closes; `make` opens it if it was not inherited.

        `at`: host and port of the settings. Raises StartError if an inherited socket has another address, and whatever `make` raises.
        """
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = make()
        elif at is not None and not _is_at(kept, *at):
            raise StartError(_moved(name, kept, *at))
        self._unasked.discard(name)
        return kept.dup()

    def again(self, name: str) -> socket.socket:
        """Return another copy of a kept socket. Raises KeyError."""
        return self._kept[name].dup()

    def all(self) -> dict[str, socket.socket]:
        """Return the kept sockets, to be passed to the next process; they remain this object's."""
        return dict(self._kept)

    def drop(self, name: str) -> None:
        """Close a kept socket, if it exists: once all copies are closed, here and in other processes, the kernel refuses connections."""
        self._unasked.discard(name)
        kept = self._kept.pop(name, None)
        if kept is not None:
            kept.close()

    def drop_unasked(self) -> None:
        """Close inherited sockets that were never requested: their part is no longer in the settings."""
        for name in tuple(self._unasked):
            self.drop(name)

    def close(self) -> None:
        """Close all sockets."""
        for name in tuple(self._kept):
            self.drop(name)


def listen_at(host: str, port: int, backlog: int = 100) -> socket.socket:
    """Open a listening, non-blocking TCP socket at an address or a name; port 0 is any free port. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=backlog)
    sock.setblocking(False)
    return sock


def _is_at(sock: socket.socket, host: str, port: int) -> bool:
    """Whether a socket has the address of the settings; port 0 matches any."""
    there = sock.getsockname()
    if port not in (0, there[1]):
        return False
    found = []
    with contextlib.suppress(OSError):  # an unknown name matches no address
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return any(address[0] == there[0] for *_, address in found)


def _moved(name: str, sock: socket.socket, host: str, port: int) -> str:
    there = sock.getsockname()
    return (
        f"{name}: the running server listens on {there[0]} port {there[1]}, the settings say {host} port {port}: "
        "this needs a restart"
    )


def listen_public(host: str, port: int) -> socket.socket:
    """Open the public listening socket, non-blocking; accepted connections inherit TCP_NODELAY. Raises StartError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}. Another: --port N") from None
    return sock
