"""Declare the check of HTTP request heads (handshake.pyx).

**Invariant:** one pass over the bytes; only requests for `/ws` are checked, others are passed on unchanged.
"""
from libc.stdint cimport uint8_t

cdef enum:
    HEAD_MAX = 16 * 1024  # bytes; the default limit of aiohttp and nginx
    HEAD_SECONDS = 10     # until it must be complete: the guard against slow handshakes

cdef Py_ssize_t head_end(const uint8_t *p, Py_ssize_t n) noexcept nogil
cpdef bytes answer(int status, str words, bytes more=*)
cpdef bytes limited(int wait)
cpdef frozenset spelled(names)
cpdef bint known(str host, frozenset names)
cpdef bytes cookie_value(bytes header, bytes name)
cpdef bytes identity_of(bytes header, bint secure)

cdef class Judge:
    cdef frozenset hosts
    cdef frozenset origins
    cdef bytes proxies
    cdef readonly str port_header  # in lower case
    cdef set served
    cpdef bint lists(self, str origin)
    cpdef bint trusts(self, str address)
    cpdef str address(self, str peer, str forwarded)
    cpdef int port(self, str peer, bytes written)
    cdef bint came_by_https(self, str peer, bytes scheme)
    cdef Verdict judge(self, bytes head, str peer)
    cdef Verdict upgrade(self, bytes method, bytes version, list fields, str peer)
    cdef Verdict accepted(self, list fields, bytes key, str peer)
    cdef bint serves(self, str host)
    cdef bint allows(self, str origin, str host)

cdef class Verdict:
    cdef readonly int status        # 101; 0: not a request for `/ws`; else the refusal's
    cdef readonly str reason
    cdef readonly bytes answer
    cdef readonly str address
    cdef readonly int port          # of the client; 0: unknown; -1: the socket's own
    cdef readonly bytes identity
    cdef readonly int way           # bits: how the client connected (engine.wire.protocol, PLAIN and PRIVATE)
