from engine.core.shared_state cimport Core
from engine.core.session cimport Session

cdef class Notices:
    cdef Core _core
    cpdef tell(self, Session session)
    cpdef hold(self, Session session)
    cpdef seen(self, Session session, request, double now)
