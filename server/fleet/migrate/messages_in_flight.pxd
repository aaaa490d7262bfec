cdef class InFlight:
    cdef public dict _under_way
    cdef object _news
    cdef public int people
    cdef int _groups
    cpdef add(self, number, transfer)
    cpdef int took(self, number) except -1
    cpdef int refused(self, number) except -1
    cpdef int dead(self) except -1
    cdef _pop(self, number)
