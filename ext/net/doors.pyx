"""The doors of the reactor through which connections come from elsewhere and go elsewhere.

Rule: doors only. A descriptor that comes in is ours or closed, one that goes out is the caller's; a call for a connection that is gone
does nothing, and nobody is told.
"""
from libc.stdint cimport uint64_t

from cython cimport no_gc_clear

from ext.net.carried cimport Carried, allow, allowance
from ext.net.connection cimport connection_open, name
from ext.net.entrance cimport begin, expect
from ext.net.intake cimport STAGE, begin_with
from ext.net.moving cimport move_in, move_out, newcomers_out
from ext.net.sys cimport close
from ext.net.types cimport conn_t


@no_gc_clear  # as the reactor
cdef class Doors:
    """What a reactor has beside its turns; made as a part of one."""

    # newcomers

    def adopt_socket(self, fd: int, address: str, begun: bytes = b"", coming: bool = False) -> int:
        """Takes over a connected, non-blocking socket on which a request head is to come; returns the connection.

        `begun`: what was read of it already, 256 KiB at most; what follows from it comes with the next `drain`. The descriptor is
        ours from here on, and closed where this raises: ValueError for more, OSError where there is no memory for it.
        `coming`: it is a newcomer of another process's `newcomers_out`, and counts as one here.
        """
        cdef conn_t *conn
        if len(begun) > STAGE:
            close(fd)
            raise ValueError("more was read than a head and a frame")
        conn = begin(&self.io, fd, address)
        if conn == NULL:
            raise OSError("no memory or no descriptor for another connection")
        if coming:
            expect(&self.io, self.judge, self.addresses, conn)
        number = name(conn)
        if begun:
            begin_with(&self.io, conn, begun, len(begun))
        return number

    def newcomers_out(self) -> list[tuple[int, str, bytes]]:
        """(descriptor, address, what was read) of each connection whose head is to come; from here on they are the caller's."""
        return newcomers_out(&self.io, self.addresses)

    # connections that move

    def release(self, number: int) -> tuple[int, str, dict, bytes] | None:
        """(descriptor, address, state, bytes): an open connection leaves as it stands, for another reactor's `take`; nobody is told.

        What the state holds: moving.pyx. The descriptor is the caller's, -1 of a virtual one. None: it is gone, or cannot go now: its gate
        is shut, or an event of it was not collected; then it stays as it was.
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        return move_out(&self.io, self.addresses, conn) if conn != NULL else None

    def take(self, fd: int, address: str, state: dict, data: bytes, owner: object) -> int:
        """Goes on with what another reactor released; returns its number here. What came along is parsed by the next `settle`.

        The descriptor is ours from here on, and closed where this raises: ValueError for a state that does not fit its bytes, OSError where
        there is no memory or epoll refuses it.
        """
        return move_in(&self.io, self.addresses, fd, address, state, data, owner)

    def allowance(self, owner: Carried) -> list[float] | None:
        """What is left of the limits of somebody who is away, for another reactor's `allow`; None: all, or a connection has it."""
        return allowance(&self.io, owner)

    def allow(self, owner: Carried, tokens: list) -> None:
        """Somebody who is away has these limits left; nothing where a connection has them. ValueError: not five numbers."""
        allow(&self.io, owner, tokens)
