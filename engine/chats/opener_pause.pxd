from engine.core.bus_messages cimport OpenerPaused
from engine.core.chat cimport Seat
from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session

cdef class OpenerPause:
    cdef EngineState _core
    cdef readonly dict _until
    cpdef begin(self, Session session, Seat seat, double now)
    cpdef back(self, Session session, Seat seat, double now)
    cdef _tell_away(self, Session session, Seat seat, double now)
    cdef _end(self, Session session)
    cdef _change(self, Session session, Seat seat, OpenerPaused message)
    cdef _apply(self, Session session, Seat seat, OpenerPaused message)
