cimport cython

cdef class Exclusions:
    cdef double _seconds
    cdef Py_ssize_t _partners, _persons
    cdef readonly object _table

    @cython.locals(known=dict)
    cpdef note(self, person, partner, double now)
    cpdef lift(self, person, partner)

    @cython.locals(known=dict, until=double, over=Py_ssize_t, partners=list)
    cpdef tuple of(self, person, double now)
    cpdef forget(self, person)
    cpdef list leave(self, person, double now, bint keep)

    @cython.locals(known=dict, last=double, until=double, in_order=bint)
    cpdef list enter(self, person, partners, double now)

    @cython.locals(known=dict, latest=double, until=double)
    cdef _sweep(self, double now)

cdef class RecentPartners:
    cdef object _draw
    cdef bytes _salt
    cdef public object on_report
    cdef readonly Exclusions _met, _made, _got
    cdef readonly dict _networks, _bars
    cpdef met(self, person, partner, double now)
    cpdef tuple recent(self, person, double now)
    cpdef tuple barred(self, person, double now, tuple avoided=*)
    cpdef leave(self, dict record, person, double now, bint keep)
    cpdef forget(self, person)
