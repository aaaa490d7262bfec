cimport cython

from engine.chats.age_question cimport AgeQuestion
from engine.chats.chat_lifecycle cimport Chats
from engine.core.bus_messages cimport Begin
from engine.core.chat cimport Chat, Seat, name_of_chat
from engine.core.engine_state cimport EngineState
from engine.conduct.search_rate cimport SearchRate
from engine.matching.search_criteria cimport Terms, shared
from engine.matching.tickets cimport Match, Step, Ticket
from engine.chats.unread_notices cimport UnreadNotices
from engine.wire.client_requests cimport Find
from engine.wire.server_frames cimport waiting
from engine.core.session cimport Query, Session
from engine.chats.challenges cimport Challenges

cdef dict _MATCH_EVENTS

cdef int _CHATTING, _WAITING

cdef class Search:
    cdef object _kept
    cdef readonly EngineState _core
    cdef Chats _chats
    cdef UnreadNotices _notices
    cdef Challenges _trials
    cdef AgeQuestion _ages
    cdef readonly object room
    cdef readonly SearchRate finds
    cpdef find(self, Session session, Find request, double now)

    @cython.locals(query=Query)
    cdef Query _query(self, Session session, Find request, double now)
    cpdef submit(self, Session session, double now)

    @cython.locals(ticket=Ticket)
    cdef _ticket(self, Session session, Query query, double now)
    cpdef bint meet(self, found, double now) except -1
    cpdef tell(self, Session session, Step step)
    cpdef stop(self, Session session, double now, reason=*)
    cpdef set_aside(self, Session session, double now)
    cpdef restore(self, Session session, double now)
    cdef _forget(self, Session session, Query query, double now)

    @cython.locals(chat=Chat)
    cpdef bint pair(self, Match match, double now) except -1

    @cython.locals(seat=Seat, begin=Begin)
    cdef _offer(self, Chat chat, int side, Session session, Session partner, Terms terms, tuple common)
    cdef bint _three(self, match, double now) except -1

    @cython.locals(session=Session)
    cpdef Session waits(self, client)
    cdef _tell_calls(self)
