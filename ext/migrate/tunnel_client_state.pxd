"""Declare the tracking of whether a tunnel's client is in a chat (tunnel_client_state.pyx)."""
from libc.stdint cimport uint8_t

from ext.net.frames cimport frame_t
from ext.net.structs cimport tunnel_t

cdef void home_says(tunnel_t *tunnel, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void client_says(tunnel_t *tunnel, const frame_t *head, const uint8_t *payload) noexcept nogil
