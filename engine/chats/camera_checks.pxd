from engine.core.engine_state cimport EngineState

cdef class CameraChecks:
    cdef EngineState _core
    cdef readonly object _tips
    cdef public double mean
    cdef readonly dict _chats, _open
    cdef readonly object _asked
    cdef readonly object _heap
    cpdef due(self)
    cpdef tick(self, double now)
    cpdef sweep(self, double now)
