from engine.matching.tickets cimport Match, Ticket

cimport cython

cdef class KeptPairs:
    cdef readonly dict _callers, _by_half, _aside
    cdef object _find_waiting, _halves
    cdef readonly list news

    @cython.locals(other=Ticket)
    cpdef Match call(self, Ticket ticket, double now)
    cpdef bint is_empty(self)
    cpdef bint waits_there(self, client)
    cpdef Ticket cancel(self, client)
