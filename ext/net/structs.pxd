"""Declare the C structures that point at each other: a connection, the ring buffer of its chat, and its tunnel. Fields only."""

# connection_table.pxd says which module writes a connection's fields; a ring's are written by chat_ring.pyx alone, a tunnel's by
# tunnel_connections, tunnel and tunnel_transfer.

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ext.net.byte_buffers cimport buffer_t
from ext.net.wheel cimport timer_t

cdef union stamp_t:
    double counted           # time of the tokens
    conn_t *next_dead           # once dead: the next dead connection
    tunnel_t *tunnel         # if PIPED

cdef struct conn_t:
    # one cache line of fields that every read uses
    timer_t timer            # first: a timer's address is its connection's
    int fd
    uint16_t flags
    uint8_t state
    uint8_t side             # in its ring; if UNTOLD: how it was lost
    ring_t *ring
    PyObject *owner
    buffer_t *input          # bytes not parsed yet; NULL: none
    buffer_t *part           # payload of an incomplete fragmented message; NULL: none
    uint32_t heard           # second of the last byte received
    uint32_t moved           # second of the last byte that the client accepted
    # and one of fields that every send uses
    buffer_t *out            # NULL: nothing waits
    conn_t *next             # next in the dirty list
    stamp_t stamp
    float tokens[5]
    uint32_t held            # messages in the output since it blocked
    uint32_t slot
    uint32_t generation
    PyObject *address        # key in the table of addresses

cdef struct tunnel_t:
    # `out` of the client's connection holds what waits for the home, from the client's last message that is not sent whole; `input` of the home's
    # connection holds an incomplete frame of the home
    conn_t *client
    conn_t *home             # NULL: it is gone, and the client's `input` has what its `out` had
    uint32_t sent            # of those bytes, how many are sent: they are kept, to be repeated if the home is lost
    uint32_t at              # offset in them of the next frame that is not sent whole
    uint8_t open             # whether a fragmented message is open at that offset
    uint8_t within           # whether they begin inside one whose first fragments are not here
    uint8_t lost             # whether the frame boundary is unknown
    uint8_t halved           # no more is sent to the home
    uint8_t closed           # the client has sent a close frame
    uint8_t spoke            # the home has sent something to the client
    uint8_t talks            # the client believes that it is in a chat (tunnel_client_state.pyx)
    uint8_t unwatched        # epoll does not watch the home: it ended, and that waits until the client accepts what came before

cdef struct budget_t:
    uint64_t limit      # bytes, of all rings together
    uint64_t used
    uint64_t rings
    uint64_t evicted    # ended rings emptied to stay within the limit
    uint64_t dropped    # messages that live rings dropped to stay within it
    ring_t *oldest      # ended rings, oldest first
    ring_t *newest
    int references

cdef struct ring_t:
    # one cache line of fields that every message uses
    uint8_t *data
    uint32_t size       # bytes allocated, a power of two
    uint32_t start      # offset of the oldest entry
    uint32_t used       # bytes in use
    uint32_t count      # entries held
    uint32_t last       # number of the newest message; 0: none yet
    uint32_t taken[2]   # `message` frames handled, per side
    uint32_t recent     # bytes of the newest message: an estimate for the next
    conn_t *party[3]    # connection of each side, NULL while away; 2: the spy
    # and fields of rare use
    uint64_t tag        # the chat's number, for the tap; 0: none
    int references
    budget_t *budget
    ring_t *older
    ring_t *newer
    uint32_t refusals[2]
    uint32_t *refused[2]   # the newest REFUSED_KEPT ordinals, allocated with the first
    uint32_t unsent[2]        # messages waiting for a side that is away
    uint32_t unsent_bytes[2]
    bint ended
