"""Join and separate the two connections of a tunnel: the client's, and the one to the host with the client's session.

**Invariant:** a tunnel exists while one of its connections is in the state PIPED; separating the last one frees the tunnel.
"""
from libc.stdlib cimport calloc, free

from ext.base.check cimport CHECK
from ext.net.connection_table cimport HEAD, PIPED

cdef long live = 0


def alive() -> dict[str, int]:
    """Return the tunnels in use, of all reactors, for the leak ledger."""
    return {"tunnels": live}


cdef bint tunnel_join(io_t *io, conn_t *client, conn_t *home) noexcept nogil:
    """Make a tunnel of two new connections; False, with nothing changed, if there is no memory."""
    global live
    cdef tunnel_t *tunnel = <tunnel_t *>calloc(1, sizeof(tunnel_t))
    CHECK(client.state == HEAD and home.state == HEAD)
    if tunnel == NULL:
        return False
    live += 1
    io.tunnels += 1
    tunnel.client = client
    tunnel.home = home
    client.state = home.state = PIPED
    client.stamp.tunnel = home.stamp.tunnel = tunnel
    return True


cdef void tunnel_part(io_t *io, conn_t *conn) noexcept nogil:
    """Remove an end from its tunnel; the caller sets its next state. If it was the last end, the tunnel is freed."""
    global live
    cdef tunnel_t *tunnel = conn.stamp.tunnel
    CHECK(conn.state == PIPED and (tunnel.client == conn or tunnel.home == conn))
    conn.stamp.counted = io.now
    if tunnel.client == conn:
        tunnel.client = NULL
        io.tunnels -= 1
    else:
        tunnel.home = NULL
    if tunnel.client == NULL and tunnel.home == NULL:
        free(tunnel)
        live -= 1
