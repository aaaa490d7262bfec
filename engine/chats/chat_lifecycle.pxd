from engine.chats.opener_pause cimport OpenerPause
from engine.core.bus_messages cimport Begin, Ended, Moved
from engine.core.chat cimport Seat
from engine.core.engine_state cimport EngineState
from engine.core.session cimport Query, Session
from engine.matching.interest_numbers cimport Vocabulary
from engine.wire.server_frames cimport left, matched, usual

cdef dict _LEFT_EVENTS

cdef int _CHATTING, _WAITING, _WATCHER

cdef class Chats:
    cdef EngineState _core
    cdef object _out, _pictures, _room
    cdef readonly object snaps
    cdef readonly OpenerPause openers
    cpdef begin(self, Session session, Begin message, double now)
    cdef bint _may_send(self, Session session, Seat seat)
    cpdef decline(self, Seat seat)
    cpdef ended(self, Session session, Ended message, double now)
    cpdef moved(self, Session session, Moved message, double now)
    cpdef leave(self, Session session, by, double now)
    cpdef close(self, Session session, by, double now)
    cdef _over(self, Session session, Seat seat, by, double now)
    cdef _count(self, Session session, Seat seat, bint left, double now)
    cpdef cut(self, Session session)
    cpdef lose(self, Session session, by, double now)
    cpdef tell_away(self, Session session)
    cpdef tell_back(self, Session session)
    cpdef tell_moved(self, Session session, side, double now)
    cpdef told(self, Session session, double now)
    cdef _tell(self, Session session, double until)
    cdef _past(self, Session session, double now)
    cpdef message(self, Session session, request, double now)
    cpdef typing(self, Session session, request, double now)
    cpdef signal(self, Session session, request, double now)
    cdef _refuse_held(self, Seat seat, of, id=*)
    cdef Seat _talking(self, Session session, of, id=*)
    cpdef refused(self, Session session, refusal)
    cdef Seat _present_or_past(self, Session session, of, chat, double now)

cpdef own_words(Query query, tuple common, Vocabulary vocabulary)
