cimport cython

cdef class Transitions:
    cdef readonly str event
    cdef public object to

    @cython.locals(after=int)
    cpdef int after(self, int state) except -1
