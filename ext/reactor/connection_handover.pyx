"""Move connections into and out of a reactor by descriptor: newly accepted sockets, open connections, tunnels.

**Invariant:** a received descriptor belongs to the reactor or is closed; a returned descriptor belongs to the caller. A call for a connection that
has ended does nothing, and no call causes an event.
"""
from cython cimport no_gc_clear
from libc.stdint cimport uint32_t

from ext.net.rate_limit_carry_over cimport LimitsOwner, allow, allowance
from ext.net.connection_table cimport connection_open, name
from ext.reactor.new_connections cimport begin, count_newcomer
from ext.net.frames cimport RECORD
from ext.reactor.socket_input cimport STAGE, begin_with
from ext.migrate.connection_moves cimport move_in, move_out, newcomers_out
from ext.net.output cimport frame
from ext.migrate.tunnel_transfer cimport client_out, piped, tunnel_in, tunnel_out
from ext.base.system cimport close
from ext.migrate.tunnel cimport half_close
from ext.net.structs cimport conn_t


@no_gc_clear  # as the reactor
cdef class ConnectionTransfers:
    """Methods of `Reactor` that move connections; it is used as its base class only."""

    # newcomers

    def adopt_socket(self, fd: int, address: str, begun: bytes = b"", coming: bool = False, port: int = 0) -> int:
        """Take over a connected, non-blocking socket on which a request head is expected; return the connection's number.

        `begun`: bytes of it that were already read, at most 256 KiB; their effects come with the next `drain`. The descriptor belongs to
        the reactor, and is closed if this raises: ValueError for more bytes, OSError if there is no memory. `coming`: it is from another
        process's `newcomers_out`, and counts as a newcomer here. `port`: of the client at `address`, if the socket's other end does not tell it.
        """
        cdef conn_t *conn
        if len(begun) > STAGE:
            close(fd)
            raise ValueError("more was read than a head and a frame")
        conn = begin(&self.io, fd, address)
        if conn == NULL:
            raise OSError("no memory or no descriptor for another connection")
        conn.held = <uint32_t>port  # a connection in state HEAD has no output
        if coming:
            count_newcomer(&self.io, self.judge, self.addresses, conn)
        number = name(conn)
        if begun:
            begin_with(&self.io, conn, begun, len(begun))
        return number

    def newcomers_out(self) -> list[tuple[int, str, bytes]]:
        """Release all connections whose head is incomplete: (descriptor, address, bytes read) of each, which belong to the caller."""
        return newcomers_out(&self.io, self.addresses)

    # open connections

    def release(self, number: int) -> tuple[int, str, dict, bytes] | None:
        """Release an open connection for another reactor's `take`: (descriptor, address, state, bytes), without an event.

        The state is described in connection_moves.pyx. The descriptor belongs to the caller; -1 for a virtual connection. None: it is gone,
        or cannot move now because its gate is shut or an event of it is not collected; then it is unchanged.
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        return move_out(&self.io, self.addresses, conn) if conn != NULL else None

    def take(self, fd: int, address: str, state: dict, data: bytes, owner: object) -> int:
        """Continue a connection that another reactor released; return its number here. Its buffered input is parsed by the next `settle`.

        The descriptor belongs to the reactor, and is closed if this raises: ValueError for an inconsistent state, OSError if there is no
        memory or epoll refuses.
        """
        return move_in(&self.io, self.addresses, fd, address, state, data, owner)

    def allowance(self, owner: LimitsOwner) -> list[float] | None:
        """Return the remaining tokens of an owner without a connection, for another reactor's `allow`; None: all, or a connection has them."""
        return allowance(&self.io, owner)

    def allow(self, owner: LimitsOwner, tokens: list) -> None:
        """Set the remaining tokens of an owner without a connection; ignored if it has one. Raises ValueError if they are not five numbers."""
        allow(&self.io, owner, tokens)

    # tunnels to other hosts

    @property
    def tunnels(self) -> int:
        """The number of clients whose sessions are at other hosts; `online` does not count them."""
        return self.io.tunnels

    def pipe(
        self, client_fd: int, address: str, home_fd: int, to_client: bytes, to_home: bytes, owner: object, visitor: bool = False,
        within: bool = False,
    ) -> int:
        """Connect a client from `release` with its home at another host over `home_fd`. Return the tunnel's number, which events carry.

        Both sockets are non-blocking; for the home's see `tunnel_transfer.prepare`. `to_client`: output that the client has not accepted,
        whole frames but for the first; `to_home`: input that was read and not parsed. `visitor`: another host counts it at its address;
        `within`: its state, which was sent on, holds fragments of a message. Events: RECORD, bytes from the home to this host; HALVED, the
        client sends no more; UNTUNNELLED, TUNNEL_…: after ENDED and BROKE `unpipe` it at once, since it is closed after 3 s; after CLOSED
        and LEFT it is gone. Both descriptors belong to the reactor, and are closed if this raises: ValueError for an invalid address,
        OSError if there is no memory or epoll refuses.
        """
        cdef dict state = {"to_client": len(to_client), "to_home": len(to_home), "visitor": int(visitor), "within": int(within)}
        return tunnel_in(&self.io, self.addresses, client_fd, address, home_fd, state, to_home + to_client, owner)

    def unpipe(self, number: int, returned: bytes | None = None) -> tuple[int, str, dict, bytes] | None:
        """Release a tunnel's client as (descriptor, address, state, bytes) for `take`; the home's end is closed, and the tunnel ends.

        `returned`: what the home had read of the client and not parsed, which precedes what is not sent. None: the home is lost; an
        incomplete message that it received is repeated here, complete ones are lost. The buckets are full; the caller may set `tokens` in
        the state. Returns None if the tunnel or its socket is gone (then an event follows), or if the client's message cannot be repeated:
        then this closes it.
        """
        cdef conn_t *conn = piped(&self.io, number)
        return client_out(&self.io, self.addresses, conn, returned) if conn != NULL else None

    def record(self, number: int, payload: bytes) -> None:
        """Queue a record, at most a few KiB, for the host of a visitor's connection; the client does not receive it
        (`tunnel_transfer.record_frame`)."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            frame(&self.io, conn, RECORD, payload, len(payload))

    def half_close(self, number: int) -> bool:
        """Send the home an end of stream after what was sent; what the home still sends arrives until it closes.

        False: there is no such tunnel, its home is gone, or this was done before. A home that does not close within 3 s is closed.
        """
        cdef conn_t *conn = piped(&self.io, number)
        if conn == NULL or conn.stamp.tunnel.home == NULL or conn.stamp.tunnel.halved:
            return False
        half_close(&self.io, conn.stamp.tunnel)
        return True

    def release_tunnel(self, number: int) -> tuple[int, str, int, dict, bytes] | None:
        """Release a tunnel for another reactor's `take_tunnel`: (the client's descriptor, address, the home's descriptor, state, bytes).

        The state is described in tunnel_transfer.pyx. None: it is gone, its home is (an event follows), or it cannot move now; then it is
        unchanged.
        """
        cdef conn_t *conn = piped(&self.io, number)
        return tunnel_out(&self.io, self.addresses, conn) if conn != NULL else None

    def take_tunnel(self, client_fd: int, address: str, home_fd: int, state: dict, data: bytes, owner: object) -> int:
        """Continue a tunnel that another reactor released; otherwise as `pipe`. Raises ValueError also for an inconsistent state."""
        return tunnel_in(&self.io, self.addresses, client_fd, address, home_fd, state, data, owner)
