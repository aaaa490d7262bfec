cdef class LocalBus:
    cdef public object inbox
    cpdef send(self, address, message)
