from engine.chat cimport Seat
from engine.session cimport Session

cdef class Lately:
    cdef tuple _sides
    cdef object _order
    cpdef put(self, Session session, Seat seat)
    cpdef tuple of(self, str chat, int side)
    cpdef expire(self, double now)
    cdef _drop(self)
