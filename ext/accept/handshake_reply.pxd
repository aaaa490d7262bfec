"""Declare the response that accepts a handshake. Invariant: as in handshake_reply.pyx."""

cdef enum:
    KEY_SIZE = 24  # characters of Sec-WebSocket-Key

cdef bytes switching(bytes key, bint spoken)
