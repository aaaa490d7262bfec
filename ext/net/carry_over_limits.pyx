"""Whoever is carried by one connection after the other: what they may still send goes with them.

Rule: the limits of protocol.md, rule 10, are a person's, so a new connection that a session goes on over gives no fresh burst.
While it is open a connection has the buckets; when it is gone its owner keeps them until the next.
"""
from ext.net.connection cimport BUCKETS, connection_named, name, refill

cdef double MOST = 1e30   # tokens: beyond what anybody sets, and a number


cdef class Carried:
    """To be inherited from by what owns connections (`Reactor.adopt`)."""


cdef void carried_by(io_t *io, Carried who, conn_t *conn):
    """From now on `conn` carries it, with what is left of its allowance; a fresh connection's burst is the most."""
    cdef conn_t *before = connection_named(io, who.carrier) if who.carrier else NULL
    cdef int i
    if before == conn:
        return
    if before != NULL:
        refill(io, before.tokens, &before.stamp.counted)
        carried_no_more(io, who, before)  # it is replaced, and closes
    if who.counted:
        refill(io, who.tokens, &who.counted)
        for i in range(BUCKETS):
            conn.tokens[i] = min(conn.tokens[i], who.tokens[i])
    who.carrier = name(conn)
    who.counted = 0


cdef void carried_no_more(io_t *io, Carried who, conn_t *conn):
    """The connection is closing or dead; one that does not carry it any more says nothing."""
    cdef int i
    if who.carrier != name(conn) or who.counted:
        return
    for i in range(BUCKETS):
        who.tokens[i] = conn.tokens[i]
    who.counted = io.now


cdef list allowance(io_t *io, Carried who):
    """What who is carried by no connection may send by now; None where all buckets are full, or a connection has them."""
    cdef int i
    if not who.counted:
        return None
    refill(io, who.tokens, &who.counted)
    for i in range(BUCKETS):
        if who.tokens[i] < io.bucket[i].burst:
            return [who.tokens[i] for i in range(BUCKETS)]
    return None


cdef int read_tokens(io_t *io, list values, float *tokens) except -1:
    """Five numbers, none above its burst of here. ValueError for anything else, and nothing is changed."""
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


cdef int allow(io_t *io, Carried who, list tokens) except -1:
    """Who comes from another process without a connection may send this. Where a connection carries them it knows better."""
    if who.counted or not who.carrier:
        read_tokens(io, tokens, who.tokens)
        who.counted = io.now
    return 0
