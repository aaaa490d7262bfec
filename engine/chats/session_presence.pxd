from engine.chats.chat_lifecycle cimport Chats
from engine.core.chat cimport Seat
from engine.core.engine_state cimport EngineState
from engine.chats.unread_notices cimport UnreadNotices
from engine.chats.search cimport Search
from engine.core.session cimport Session
from ext.base.ageing_map cimport AgeingMap as Map

cdef class Presence:
    cdef EngineState _core
    cdef Chats _chats
    cdef object _holds
    cdef Search _search
    cdef UnreadNotices _notices
    cdef dict _awaited
    cdef Map _expected
    cdef readonly int _held
    cpdef lost(self, Session session, conn, int how, double now)
    cdef _away(self, Session session, double grace, double now)
    cpdef returns(self, identity, address, double now)
    cpdef end(self, Session session, by, double now)
    cpdef send_away(self, Session session, double now)
    cpdef resume(self, Session fresh, request, double now)
    cdef _go_on(self, Session session, Session fresh, key, request, double now)
    cdef _take_over(self, Session session, Session fresh, key)
    cdef _back_in_chat(self, Session session, request, double now)
    cdef _last_heard(self, request, Seat seat)
    cdef bint _missed_the_end(self, Session session, request) except -1
    cdef _end_again(self, Session session, request)
    cdef _tell_resumed(self, Session session, Seat seat, missed)
    cpdef confirmed(self, Session session)
    cpdef due(self)
    cpdef expire(self, double now)
