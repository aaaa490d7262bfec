"""Declare the two connections of a tunnel (tunnel_connections.pyx)."""
from libc.stdint cimport uint32_t

from ext.net.byte_buffers cimport held_by
from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t, tunnel_t

cdef bint tunnel_join(io_t *io, conn_t *client, conn_t *home) noexcept nogil
cdef void tunnel_part(io_t *io, conn_t *conn) noexcept nogil

cdef inline uint32_t unsent(tunnel_t *tunnel) noexcept nogil:
    """Return the client's bytes that wait for its home."""
    return held_by(tunnel.home.out) - tunnel.sent if tunnel.home != NULL else 0
