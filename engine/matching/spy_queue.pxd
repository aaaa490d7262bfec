cdef class SpyQueue:
    cdef readonly dict _spies, _discuss, _aside
    cdef double _looked
    cdef readonly object questions
    cdef public double spy_wait, discuss_wait
    cpdef due(self)
    cpdef bint waits_there(self, client)
