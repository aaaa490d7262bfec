from engine.chats cimport Chats
from engine.core cimport Core
from engine.notices cimport Notices
from engine.presence cimport Presence
from engine.search cimport Search
from engine.session cimport Session as session_t
from engine.snaps cimport Snaps
from engine.trials cimport Trials

cdef class Engine:
    cdef readonly Core _core
    cdef readonly Chats _chats
    cdef readonly Notices _notices
    cdef readonly Trials _trials
    cdef readonly Search _search
    cdef readonly Presence _presence
    cdef readonly Snaps _snaps
    cdef readonly object moves, _ages, _findings, _tips
    cdef readonly dict sessions, tally
    cdef readonly object measures
    cdef public int online_elsewhere
    cpdef opened(self, conn, key, identity, address, double now, alias=*, int way=*)
    cpdef frame(self, session_t session, bytes payload, double now)
    cdef _seldom(self, session_t session, request, double now)
    cdef _refused(self, session_t session, refusal)
    cpdef lost(self, session_t session, conn, int how, double now)
    cpdef confirmed(self, session_t session, double now)
    cpdef deliver(self, address, message, double now)
    cpdef due(self)
    cdef _leave(self, session_t session, double now)
