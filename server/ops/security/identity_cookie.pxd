cdef class Identities:
    cdef object _keyed
    cpdef of(self, bytes value)

cdef bint _is_value(bytes value) except -1
