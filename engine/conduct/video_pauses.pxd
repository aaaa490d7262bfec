from ext.base.ageing_map cimport AgeingMap as Map

cdef class VideoPauses:
    cdef readonly Map _until
    cpdef double left(self, person, double now) except -1
    cpdef put(self, person, double seconds, double now)
    cpdef forget(self, person)
    cpdef leave(self, person, double now, bint keep)
    cpdef enter(self, person, double seconds, double now)
