"""Keep a user's rate limits across reconnections, so that a new connection of the same session gives no new burst (docs/protocol.md, rule 10).

An open connection holds the token buckets; between two connections the session holds them.
"""
from ext.net.connection_table cimport BUCKETS, connection_named, name, refill

cdef double MOST = 1e30   # tokens: above any sensible setting, and finite


cdef class LimitsOwner:
    """Base class of objects that own connections (`Reactor.adopt`) and keep their limits."""


cdef void move_limits(io_t *io, LimitsOwner who, conn_t *conn):
    """Make `conn` the owner's connection, with the remaining tokens of the previous one, at most a fresh connection's burst."""
    cdef conn_t *before = connection_named(io, who.carrier) if who.carrier else NULL
    cdef int i
    if before == conn:
        return
    if before != NULL:
        refill(io, before.tokens, &before.stamp.counted)
        save_limits(io, who, before)  # that one is replaced, and closes
    if who.counted:
        refill(io, who.tokens, &who.counted)
        for i in range(BUCKETS):
            conn.tokens[i] = min(conn.tokens[i], who.tokens[i])
    who.carrier = name(conn)
    who.counted = 0


cdef void save_limits(io_t *io, LimitsOwner who, conn_t *conn):
    """Save the tokens of a connection that closes; ignored if it is no longer the owner's."""
    cdef int i
    if who.carrier != name(conn) or who.counted:
        return
    for i in range(BUCKETS):
        who.tokens[i] = conn.tokens[i]
    who.counted = io.now


cdef void copy_limits(io_t *io, LimitsOwner who, conn_t *conn):
    """Give an owner without a connection the tokens that remain on another owner's connection."""
    cdef int i
    if who.carrier or who.counted:
        return
    refill(io, conn.tokens, &conn.stamp.counted)
    for i in range(BUCKETS):
        who.tokens[i] = conn.tokens[i]
    who.counted = io.now


cdef list allowance(io_t *io, LimitsOwner who):
    """Return the tokens of an owner without a connection; None if all buckets are full, or if a connection has them."""
    cdef int i
    if not who.counted:
        return None
    refill(io, who.tokens, &who.counted)
    for i in range(BUCKETS):
        if who.tokens[i] < io.bucket[i].burst:
            return [who.tokens[i] for i in range(BUCKETS)]
    return None


cdef int read_tokens(io_t *io, list values, float *tokens) except -1:
    """Read five tokens, each capped at this process's burst. Raises ValueError for anything else, with nothing changed."""
    cdef int i
    cdef float[5] found
    if len(values) != BUCKETS:
        raise ValueError("tokens must be five numbers")
    for i in range(BUCKETS):
        if not isinstance(values[i], (int, float)) or not -MOST <= values[i] <= MOST:
            raise ValueError("tokens must be five numbers")
        found[i] = values[i]
    for i in range(BUCKETS):
        tokens[i] = min(found[i], io.bucket[i].burst)
    return 0


cdef int allow(io_t *io, LimitsOwner who, list tokens) except -1:
    """Give an owner without a connection the tokens that it had in another process. Ignored if it has a connection, whose tokens are newer."""
    if who.counted or not who.carrier:
        read_tokens(io, tokens, who.tokens)
        who.counted = io.now
    return 0
