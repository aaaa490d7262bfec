from engine.chats.age_question cimport AgeQuestion
from engine.chats.chat_lifecycle cimport Chats
from engine.core.engine_state cimport EngineState
from engine.chats.detection_handler cimport Detections
from engine.chats.unread_notices cimport UnreadNotices
from engine.chats.session_presence cimport Presence
from engine.chats.search cimport Search
from engine.core.session cimport Session as session_t
from engine.chats.camera_checks cimport CameraChecks
from engine.chats.safety_tips cimport LineTips
from engine.chats.challenges cimport Challenges
from engine.wire.client_requests cimport parse

cdef class Engine:
    cdef readonly EngineState _core
    cdef readonly Chats _chats
    cdef readonly UnreadNotices _notices
    cdef readonly Challenges _trials
    cdef readonly Search _search
    cdef readonly Presence _presence
    cdef readonly CameraChecks _snaps
    cdef readonly AgeQuestion _ages
    cdef readonly object _holds, _openers, _pictures, _reactions, _kept
    cdef readonly Detections _findings
    cdef readonly LineTips _tips
    cdef readonly object moves
    cdef readonly dict sessions, tally
    cdef readonly object measures
    cdef readonly int _elsewhere
    cdef readonly object _named
    cdef readonly dict _talking
    cdef readonly double _counted
    cpdef opened(self, conn, key, identity, address, double now, alias=*, int way=*, int port=*)
    cpdef frame(self, session_t session, bytes payload, double now)
    cdef _seldom(self, session_t session, request, double now)
    cdef _refused(self, session_t session, refusal)
    cpdef lost(self, session_t session, conn, int how, double now)
    cpdef confirmed(self, session_t session, double now)
    cpdef deliver(self, address, message, double now)
    cpdef due(self)
    cpdef found(self, unsigned long long chat, int side, int number, str rule, double now, int age=*)
    cdef _leave(self, session_t session, double now)
