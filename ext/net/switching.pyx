"""The answer that takes a connection (RFC 6455, 4.2.2). Rule: it is written in one piece; what it hashes and spells is a key that was judged."""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from ext.net.base64 cimport spell64
from ext.net.sha1 cimport SHA1_SIZE, sha1

cdef bytes SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
cdef bytes SPOKEN = b"\r\nSec-WebSocket-Protocol: serendip.v1\r\n\r\n"
cdef bytes UNSPOKEN = b"\r\n\r\n"
cdef const char *GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
cdef enum:
    GUID_SIZE = 36
    ACCEPT_SIZE = 28  # characters that answer a key


cdef bytes switching(bytes key, bint spoken):
    """`key`: KEY_SIZE bytes; `spoken`: our protocol was among those that were offered."""
    cdef bytes end = SPOKEN if spoken else UNSPOKEN
    cdef Py_ssize_t first = len(SWITCHING), last = len(end)
    cdef bytes made = PyBytes_FromStringAndSize(NULL, first + ACCEPT_SIZE + last)
    cdef uint8_t *p = <uint8_t *>PyBytes_AS_STRING(made)
    cdef uint8_t[KEY_SIZE + GUID_SIZE] asked
    cdef uint8_t[SHA1_SIZE + 1] hashed
    memcpy(asked, PyBytes_AS_STRING(key), KEY_SIZE)
    memcpy(asked + KEY_SIZE, GUID, GUID_SIZE)
    sha1(asked, sizeof(asked), hashed)
    hashed[SHA1_SIZE] = 0
    memcpy(p, PyBytes_AS_STRING(SWITCHING), first)
    spell64(hashed, sizeof(hashed), False, p + first)
    p[first + ACCEPT_SIZE - 1] = c"="  # of the last three bytes there are two
    memcpy(p + first + ACCEPT_SIZE, PyBytes_AS_STRING(end), last)
    return made
