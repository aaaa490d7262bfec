cimport cython

from engine.matching.tickets cimport Ticket
from ext.base.id_map cimport IdMap


cdef class EndedWindow:
    cdef object _weight
    cdef bint _quiet
    cdef dict _numbers
    cdef list _who, _worths, _totals, _offsets, _ids, _worth, _left, _mate

    @cython.locals(ids=list, worth=list)
    cdef _add(self, Ticket ticket)

    @cython.locals(ticket=Ticket, avoid=list, offsets=list)
    cdef list _mates(self, list levels, double near)

    @cython.locals(first=Py_ssize_t, a=Ticket, b=Ticket, theirs=set, common=list)
    cpdef next(self, IdMap waiting)
