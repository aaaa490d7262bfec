from engine.core.shared_state cimport Core

cdef class Snaps:
    cdef Core _core
    cdef readonly object _tips
    cdef public double mean
    cdef readonly dict _chats, _open, _asked
    cdef readonly object _heap
    cpdef due(self)
    cpdef tick(self, double now)
    cpdef sweep(self, double now)
