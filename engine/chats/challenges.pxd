from engine.core.shared_state cimport Core
from engine.conduct.friction cimport Friction
from engine.core.session cimport Session, Trial

cdef class Trials:
    cdef Core _core
    cdef readonly Friction friction
    cpdef opened(self, Session session, double now)
    cpdef bint hold(self, Session session, double now) except -1
    cdef bint _stands(self, Session session, Trial trial, double now) except -1
    cdef _ask(self, Session session, Trial trial, double now)
    cpdef given(self, Session session, kind, int level, parameters, double within, double now)
    cpdef failed(self, Session session, int level)
    cpdef solution(self, Session session, request, double now)
    cpdef judged(self, Session session, int level, bint right, double now)
    cpdef unchecked(self, Session session, int level, double barred, double now)
    cdef _passed(self, Session session, Trial trial, kind, double now)
    cdef _count(self, Trial trial, result)
