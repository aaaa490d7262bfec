"""The answer that takes a connection. Rule: see switching.pyx."""

cdef enum:
    KEY_SIZE = 24  # characters of Sec-WebSocket-Key

cdef bytes switching(bytes key, bint spoken)
