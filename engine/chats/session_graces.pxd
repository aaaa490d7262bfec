from engine.chats.chat_life cimport Chats
from engine.core.shared_state cimport Core
from engine.chats.unread_notices cimport Notices
from engine.chats.search cimport Search
from engine.core.session cimport Session

cdef class Presence:
    cdef Core _core
    cdef Chats _chats
    cdef Search _search
    cdef Notices _notices
    cdef object _deadlines
    cdef dict _awaited
    cdef object _expected
    cdef readonly int _held
    cpdef lost(self, Session session, conn, int how, double now)
    cdef _away(self, Session session, double grace, double now)
    cdef _note(self, Session session, double now)
    cpdef returns(self, identity, address, double now)
    cpdef end(self, Session session, by, double now)
    cpdef send_away(self, Session session, double now)
    cpdef resume(self, Session fresh, request, double now)
    cdef _go_on(self, Session session, Session fresh, key, request, double now)
    cdef _take_over(self, Session session, Session fresh, key)
    cdef _back_in_chat(self, Session session, request, double now)
    cpdef confirmed(self, Session session)
    cpdef due(self)
    cpdef expire(self, double now)
