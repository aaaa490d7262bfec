cimport cython

from engine.core.chat cimport Seat
from engine.core.session cimport Session

cdef class EndedChats:
    cdef tuple _sides
    cdef object _order, _lasting
    cdef Py_ssize_t _fresh, _most

    @cython.locals(sides=dict)
    cpdef put(self, Session session, Seat seat)

    @cython.locals(sides=dict)
    cpdef tuple of(self, str chat, int side)

    @cython.locals(seat=Seat)
    cpdef list ended(self)

    @cython.locals(oldest=Seat)
    cpdef expire(self, double now)

    @cython.locals(seat=Seat, sides=dict)
    cdef _drop(self, order)
