cdef class AgeAnswers:
    cdef int _most
    cdef readonly object _said
    cpdef of(self, person, double now)
    cpdef put(self, person, stands, double now, int age=*)
    cdef _keep(self, person, said, double now)
    cpdef forget(self, person)
    cpdef leave(self, person, double now, bint keep)
    cpdef enter(self, person, record, double now)
