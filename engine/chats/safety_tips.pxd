from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session

cdef class LineTips:
    cdef EngineState _core
    cpdef found(self, str chat, int side, int number, str rule)
    cdef _tell(self, str kind, Session session, int number)
    cpdef tuple who(self, str chat, int side)
    cpdef Session at(self, str chat, int side)
