cimport cython

from engine.core.chat cimport Seat
from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session
from engine.chats.safety_tips cimport LineTips

cdef class Detections:
    cdef object _grooming
    cdef EngineState _core
    cdef LineTips _tips

    @cython.locals(writer=Session, seat=Seat, there=tuple, spoken=dict, kind=str, is_daily=bint)
    cpdef found(self, str chat, int side, int number, str rule, double now)

    cpdef sweep(self, double now)
    cdef _count(self, Session writer, Seat seat, str kind, int number, double now)
    cdef _act(self, Session writer, Seat seat, act)
    cdef _began(self, Session writer, double now)
