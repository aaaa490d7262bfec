from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session

cdef class UnreadNotices:
    cdef EngineState _core
    cdef object _find
    cpdef tell(self, Session session)
    cpdef hold(self, Session session)
    cpdef seen(self, Session session, request, double now)
