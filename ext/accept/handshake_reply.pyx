"""Build the response that accepts a WebSocket handshake (RFC 6455, 4.2.2). The caller has checked the key."""
from binascii import b2a_base64
from hashlib import sha1

cdef bytes SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
cdef bytes SPOKEN = b"\r\nSec-WebSocket-Protocol: serendip.v1\r\n\r\n"
cdef bytes UNSPOKEN = b"\r\n\r\n"
cdef bytes GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


cdef bytes switching(bytes key, bint spoken):
    """Return the response. `key`: KEY_SIZE bytes; `spoken`: whether the client offered this server's subprotocol."""
    return b"".join((SWITCHING, b2a_base64(sha1(key + GUID).digest(), newline=False), SPOKEN if spoken else UNSPOKEN))
