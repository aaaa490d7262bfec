"""What joins the two connections of a tunnel, the client's and the one to its home, and parts them.

Rule: a tunnel is there as long as one of its legs is PIPED; the leg that goes last takes its memory along.
"""
from libc.stdlib cimport calloc, free

from ext.base.check cimport CHECK
from ext.net.connection cimport HEAD, PIPED

cdef long live = 0


def alive() -> dict[str, int]:
    """For the leak ledger: tunnels of which a leg is there, of all reactors."""
    return {"tunnels": live}


cdef bint legs_join(io_t *io, conn_t *client, conn_t *home) noexcept nogil:
    """Makes a tunnel of two connections that are nothing yet; False where there is no memory: then nothing has changed."""
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


cdef void leg_part(io_t *io, conn_t *conn) noexcept nogil:
    """A leg goes; whoever calls gives it another state. Its tunnel is not to be touched any more where it was the last."""
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
