from engine.core.shared_state cimport Core
from engine.core.session cimport Session

cdef class Tips:
    cdef Core _core
    cpdef found(self, str chat, int side, int number, str rule)
    cdef _tell(self, effect, Session session, int number)
    cpdef Session at(self, str chat, int side)
