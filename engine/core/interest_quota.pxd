cimport cython

from engine.matching.interest_numbers cimport Vocabulary
from engine.core.session cimport Query, Session

cdef class InterestLimits:
    cdef public Vocabulary _vocabulary
    cdef public bint _limits
    cdef public dict _held, _shared
    cdef public object dropped
    cpdef hold(self, Session session, Query query, list words)
    cpdef tuple with_room(self, list words)

    @cython.locals(count=Py_ssize_t, held=Py_ssize_t)
    cpdef release(self, Query query)
    cdef tuple _networks_of(self, str address)

    @cython.locals(count=Py_ssize_t, held=Py_ssize_t)
    cdef _held_by(self, Query query, ids, list words)
    cdef bint _has_room(self, tuple networks, Py_ssize_t more) except *
