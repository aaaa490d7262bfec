from ext.base.ageing_map cimport AgeingMap as Map

cdef class SearchRate:
    cdef double _ahead, _interval
    cdef Map _paid
    cpdef pay(self, person, double now, str of=*)
