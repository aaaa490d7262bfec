"""Track, from the frames that pass a tunnel, whether the tunnel's client believes that it is in a chat.

If the host with the client's session (its home) is lost, such a client must be told that the chat is over.
**Invariant:** in doubt the client is not in a chat.
"""

# A home writes `type` first, and compactly (engine/wire/server_frames.py); a client may use any JSON spelling, so a frame that is not plainly
# something else may be a `find` or a `leave`. Only the first bytes of a frame are read.

from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from ext.net.frames cimport CLOSE, TEXT, frame_t
from ext.net.structs cimport tunnel_t

cdef enum:
    BEGIN = 8     # length of {"type":
    WORD = 16     # longest type of a client's frame


cdef inline bint says(const uint8_t *payload, Py_ssize_t size, const char *what, Py_ssize_t length) noexcept nogil:
    return size >= length and memcmp(payload, what, length) == 0


cdef void home_says(tunnel_t *tunnel, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Note a text frame for the client."""
    if not says(payload, size, b'{"type":', BEGIN):
        return
    payload += BEGIN
    size -= BEGIN
    if says(payload, size, b'"matched"', 9) or says(payload, size, b'"resumed","chat":"', 18):
        tunnel.talks = True
    elif says(payload, size, b'"left"', 6) or says(payload, size, b'"waiting"', 9) or says(payload, size, b'"resumed"', 9):
        tunnel.talks = False


cdef void client_says(tunnel_t *tunnel, const frame_t *head, const uint8_t *payload) noexcept nogil:
    """Note a frame that was sent home whole; `payload`: masked, as it came. Fragments of an unfinished message are repeated if the home is lost."""
    if tunnel.talks and head.fin and head.opcode < CLOSE:
        tunnel.talks = head.opcode == TEXT and stays(payload, <Py_ssize_t>head.length, head.mask)


cdef bint stays(const uint8_t *payload, Py_ssize_t size, const uint8_t *mask) noexcept nogil:
    """Whether the type is known to be neither `find` nor `leave`."""
    cdef uint8_t[BEGIN + WORD + 3] text
    cdef Py_ssize_t i, at = BEGIN, begin
    size = min(size, <Py_ssize_t>sizeof(text))
    for i in range(size):
        text[i] = payload[i] ^ mask[i & 3]
    if not says(text, size, b'{"type":', BEGIN):
        return False
    if at < size and text[at] == c" ":
        at += 1
    if at == size or text[at] != c'"':
        return False
    at += 1
    begin = at
    while at < size and c"a" <= text[at] <= c"z":
        at += 1
    if at == size or text[at] != c'"':
        return False
    return not (says(text + begin, at - begin + 1, b'find"', 5) or says(text + begin, at - begin + 1, b'leave"', 6))
