"""The doors of the reactor through which connections come from elsewhere and go elsewhere.

Rule: doors only. A descriptor that comes in is ours or closed, one that goes out is the caller's; a call for a connection that is gone
does nothing, and nobody is told.
"""
from cython cimport no_gc_clear

from ext.net.carry_over cimport Carried, allow, allowance
from ext.net.connection cimport connection_open, name
from ext.reactor.admit cimport begin, expect
from ext.net.frames cimport RECORD
from ext.reactor.intake cimport STAGE, begin_with
from ext.migrate.release cimport move_in, move_out, newcomers_out
from ext.net.output cimport frame
from ext.migrate.tunnel_moves cimport client_out, piped, tunnel_in, tunnel_out
from ext.base.system cimport close
from ext.migrate.tunnel cimport half_close
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

    # tunnels to other hosts

    @property
    def tunnels(self) -> int:
        """Clients whose sessions are at other hosts; they are not `online` here."""
        return self.io.tunnels

    def pipe(
        self, client_fd: int, address: str, home_fd: int, to_client: bytes, to_home: bytes, owner: object, visitor: bool = False,
        within: bool = False,
    ) -> int:
        """A client that `release` gave goes on at another host, its home, over `home_fd`; returns the tunnel's number, which events carry.

        Both sockets do not block; of the home's see `piping.prepare`. `to_client`: output that the client has not taken, whole frames but
        for the first; `to_home`: what was read of it and not parsed. `visitor`: it is not to be counted at its address, for another host
        does; `within`: it has sent pieces of a message, which went along with its state. Events: RECORD, bytes that the home says to this
        host; UNTUNNELLED, TUNNEL_…: after ENDED and BROKE `unpipe` it at once, for in 3 s it is closed, after CLOSED and LEFT it is gone.
        Both descriptors are ours from here on, and closed where this raises: ValueError for an address that is none, OSError where there
        is no memory or epoll refuses.
        """
        cdef dict state = {"to_client": len(to_client), "to_home": len(to_home), "visitor": int(visitor), "within": int(within)}
        return tunnel_in(&self.io, self.addresses, client_fd, address, home_fd, state, to_home + to_client, owner)

    def unpipe(self, number: int, returned: bytes | None = None) -> tuple[int, str, dict, bytes] | None:
        """(descriptor, address, state, bytes) of a tunnel's client, as `take` wants them; the home's end is closed, and the tunnel gone.

        `returned`: what the home had read of the client and not parsed: it comes before what has not left. None: the home is gone; of what
        it was sent a message that is not whole is said again here, all that was whole is lost. The buckets are full: whoever has others
        sets `tokens` in the state. Returns None where it is gone, or its socket is (an event follows), or, closed by this, it cannot be
        said again what the client began.
        """
        cdef conn_t *conn = piped(&self.io, number)
        return client_out(&self.io, self.addresses, conn, returned) if conn != NULL else None

    def record(self, number: int, payload: bytes) -> None:
        """Queues a frame for the host of a visitor's connection, which is not for the client (`piping.record_frame`); a few KiB."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            frame(&self.io, conn, RECORD, payload, len(payload))

    def half_close(self, number: int) -> bool:
        """Nothing more of the client goes home, which sees an end of stream behind what was sent; what it still says comes, until it ends.

        False: there is no such tunnel, or its home is gone, or that was said before. A home that does not end in 3 s is closed.
        """
        cdef conn_t *conn = piped(&self.io, number)
        if conn == NULL or conn.stamp.tunnel.home == NULL or conn.stamp.tunnel.halved:
            return False
        half_close(&self.io, conn.stamp.tunnel)
        return True

    def release_tunnel(self, number: int) -> tuple[int, str, int, dict, bytes] | None:
        """(the client's descriptor, address, the home's descriptor, state, bytes): a tunnel leaves as it stands, for `take_tunnel` elsewhere.

        What the state holds: piping.pyx. None: it is gone, or its home is (an event says so), or cannot go now; then it stays as it was.
        """
        cdef conn_t *conn = piped(&self.io, number)
        return tunnel_out(&self.io, self.addresses, conn) if conn != NULL else None

    def take_tunnel(self, client_fd: int, address: str, home_fd: int, state: dict, data: bytes, owner: object) -> int:
        """Goes on with a tunnel that another reactor released; else as `pipe`. ValueError also for a state that does not fit its bytes."""
        return tunnel_in(&self.io, self.addresses, client_fd, address, home_fd, state, data, owner)
