from ext.base.ageing_map cimport AgeingMap as Map

cdef class AgeAnswers:
    cdef readonly Map _said
    cpdef of(self, person, double now)
    cpdef put(self, person, state, double now, int age=*)
    cpdef forget(self, person)
    cpdef leave(self, person, double now, bint keep)
    cpdef enter(self, person, record, double now)
