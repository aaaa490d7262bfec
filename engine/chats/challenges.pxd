from engine.core.engine_state cimport EngineState
from engine.conduct.friction_points cimport Friction
from engine.core.session cimport Session, ChallengeState

cdef class Challenges:
    cdef EngineState _core
    cdef readonly Friction friction
    cpdef opened(self, Session session, double now)
    cpdef bint hold(self, Session session, double now) except -1
    cdef bint _stands(self, Session session, ChallengeState trial, double now) except -1
    cdef _ask(self, Session session, ChallengeState trial, double now)
    cpdef given(self, Session session, kind, int level, parameters, double within, double now)
    cpdef failed(self, Session session, int level)
    cpdef solution(self, Session session, request, double now)
    cpdef judged(self, Session session, int level, bint right, double now)
    cpdef unchecked(self, Session session, int level, double barred, double now)
    cdef _passed(self, Session session, ChallengeState trial, kind, double now)
    cdef _count(self, ChallengeState trial, result)
