"""Declare the response that accepts a WebSocket handshake (handshake_reply.pyx)."""

cdef enum:
    KEY_SIZE = 24  # characters of Sec-WebSocket-Key

cdef bytes switching(bytes key, bint spoken)
