"""Declare the byte stream of a tunnel (tunnel.pyx)."""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t, tunnel_t

cdef enum:
    WAITING = 64 * 1024        # bytes that may wait for one end before the other is no longer read
    HOME_FRAME_MAX = 256 * 1024  # payload of a frame of the home, a RECORD or one for the client, that is buffered until complete
    HOLD_SECONDS = 40          # for an end to accept a byte: twice the time of an ordinary client, which the home enforces
    HALF_SECONDS = 3           # for a home to close after it was told that no more data follows
    OF_TUNNEL = 255            # `side` of an UNTOLD connection that was a tunnel's client

cdef void tunnelled(io_t *io, conn_t *conn, uint32_t ready, uint8_t *stage) noexcept nogil
cdef void tunnel_expire(io_t *io, conn_t *conn) noexcept nogil
cdef uint32_t followed(io_t *io, tunnel_t *tunnel, const uint8_t *data, uint32_t size) noexcept nogil
cdef void half_close(io_t *io, tunnel_t *tunnel) noexcept nogil
