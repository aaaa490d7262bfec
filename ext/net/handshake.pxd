"""The judge of request heads. Rule: one pass over the bytes; only `/ws` is judged, everything else is passed on untouched."""
from libc.stdint cimport uint8_t

cdef enum:
    HEAD_MAX = 16 * 1024  # bytes; what aiohttp and nginx take in all by default
    HEAD_SECONDS = 10     # to send it whole: the guard against slow handshakes

cdef Py_ssize_t head_end(const uint8_t *p, Py_ssize_t n) noexcept nogil

cdef class Judge:
    cdef readonly frozenset hosts
    cdef readonly frozenset origins
    cdef readonly tuple proxies
    cdef readonly bint everything
    cdef dict trusted
    cdef Verdict judge(self, bytes head, str peer)
    cdef Verdict upgrade(self, bytes method, bytes version, dict fields, str peer)
    cdef bint allows(self, bytes origin, bytes host)

cdef class Verdict:
    cdef public int status        # 101, 0: not ours, else the refusal
    cdef public str reason
    cdef public bytes answer
    cdef public str address
    cdef public bytes identity
