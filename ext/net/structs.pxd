"""A connection, the ring of its chat and its tunnel: the structs that point at each other. Rule: fields only.

Who writes a connection's stands in connection.pxd; a ring's are written by ring.pyx alone, a tunnel's by legs, tunnel and piping.
"""
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ext.net.buffers cimport buffer_t
from ext.net.wheel cimport timer_t

cdef union stamp_t:
    double counted           # when the tokens were
    conn_t *next_dead           # once dead: the next one of them
    tunnel_t *tunnel         # of one that is PIPED

cdef struct conn_t:
    # one cache line of what every read touches
    timer_t timer            # first: a timer is its connection
    int fd
    uint16_t flags
    uint8_t state
    uint8_t side             # in its ring; of one whose loss is UNTOLD: how it was lost
    ring_t *ring
    PyObject *owner
    buffer_t *input          # bytes not parsed yet; NULL: none
    buffer_t *part           # payload of a message that comes in pieces; NULL: none does
    uint32_t heard           # second of the last byte from it
    uint32_t moved           # second of the last byte that it took
    # and one of what every send touches
    buffer_t *out            # NULL: nothing waits
    conn_t *next             # in the dirty list
    stamp_t stamp
    float tokens[5]
    uint32_t held            # messages in the output since it blocked
    uint32_t slot
    uint32_t generation
    PyObject *address        # key in the table of addresses

cdef struct tunnel_t:
    # what the home is sent waits in its `out`, from the last message of the client's that has not left whole; a frame of the home's of which
    # bytes are missing in its `input`
    conn_t *client
    conn_t *home             # NULL: it is gone; then the client's `input` has what its `out` had
    uint32_t sent            # of those bytes so many have left: they are kept to be said again where the home is gone
    uint32_t at              # where in them the next frame begins that has not left whole
    uint8_t open             # whether a message in pieces is open there
    uint8_t within           # whether they begin within one, whose first pieces nobody has here
    uint8_t lost             # whether where they begin is not known
    uint8_t halved           # nothing more goes home
    uint8_t closed           # the client has said that it closes
    uint8_t spoke            # the home has said something to the client
    uint8_t talks            # the client takes itself to be in a chat (tunnel_state.pyx)
    uint8_t unwatched        # epoll has no home: it ended, and that waits until the client takes what came before

cdef struct budget_t:
    uint64_t limit      # bytes, for all rings together
    uint64_t used
    uint64_t rings
    uint64_t evicted    # ended rings emptied to stay within the limit
    uint64_t dropped    # messages that live rings gave up to stay within it
    ring_t *oldest      # ended rings, oldest first
    ring_t *newest
    int references

cdef struct ring_t:
    # one cache line of what every message touches
    uint8_t *data
    uint32_t size       # bytes allocated, a power of two
    uint32_t start      # offset of the oldest entry
    uint32_t used       # bytes in use
    uint32_t count      # entries held
    uint32_t last       # number of the newest message; 0: none yet
    uint32_t taken[2]   # `message` frames dealt with, a side
    uint32_t recent     # bytes of the newest message: about what the next one takes
    conn_t *party[3]    # of a side, NULL while away; 2: who watches
    # and what few do
    uint64_t tag        # the chat's number, for the tap; 0: none
    int references
    budget_t *budget
    ring_t *older
    ring_t *newer
    uint32_t refusals[2]
    uint32_t *refused[2]   # the newest REFUSED_KEPT ordinals, made when there is one
    uint32_t unsent[2]        # messages for a side that is away
    uint32_t unsent_bytes[2]
    bint ended
