"""The bytes of a tunnel, to and fro. Rule: see tunnel.pyx."""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection cimport io_t
from ext.net.types cimport conn_t, tunnel_t

cdef enum:
    WAITING = 64 * 1024        # bytes that wait for one end before the other is not read
    HOME_FRAME_MAX = 256 * 1024  # payload of a frame of the home's, a RECORD or one for the client, until which it is held back
    HOLD_SECONDS = 40          # for an end to take a byte: twice what the home gives a client, whose end is the home's to decide
    HALF_SECONDS = 3           # for a home that was told that nothing more comes to end
    OF_TUNNEL = 255            # `side` of one that is UNTOLD: it was a tunnel's client

cdef void tunnelled(io_t *io, conn_t *conn, uint32_t ready, uint8_t *stage) noexcept nogil
cdef void tunnel_expire(io_t *io, conn_t *conn) noexcept nogil
cdef uint32_t followed(io_t *io, tunnel_t *tunnel, const uint8_t *data, uint32_t size) noexcept nogil
cdef void half_close(io_t *io, tunnel_t *tunnel) noexcept nogil
