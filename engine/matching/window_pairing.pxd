cimport cython

from engine.matching.tickets cimport Ticket


cdef class Gathered:
    cdef object _weight
    cdef dict _numbers
    cdef list _who, _worths, _totals, _offsets, _ids, _worth

    @cython.locals(ids=list, worth=list)
    cpdef _add(self, Ticket ticket)

    @cython.locals(ticket=Ticket, avoid=list, offsets=list)
    cpdef list mates(self, list levels, double near)

    @cython.locals(a=Ticket, b=Ticket, theirs=set, common=list)
    cpdef tuple pair_of(self, Py_ssize_t first, Py_ssize_t second, bint quiet)


@cython.locals(ticket=Ticket, who=list)
cpdef list choose(tickets, weight, bint quiet, double any_since=*, double near=*)
