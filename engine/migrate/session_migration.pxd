from engine.core.chat cimport Chat
from engine.core.engine_state cimport EngineState
from engine.chats.session_presence cimport Presence
from engine.chats.search cimport Search
from engine.core.session cimport Session

cdef class SessionMigration:
    cdef readonly EngineState _core
    cdef readonly Search _search
    cdef readonly Presence _presence
    cdef readonly dict _over
    cdef set _twice
    cdef readonly bint steady
    cdef public object skipped, writes
    cpdef find(self, key)
    cpdef tuple group(self, id)
    cdef dict _leave(self, Session session, wire, list blobs, dict chats, double now, bint near)
    cdef dict _write(self, Session session, double now, bint near)
    cdef _send(self, Chat chat, dict chats, list blobs, double now, bint live=*)
    cdef bint _stays(self, person)
    cdef _wait(self, Session session, record, ticket, double now)
    cdef _resume(self, Session fresh, request, double now)
    cpdef tuple _read(self, session_record, double now)
    cdef tuple _read_person(self, record, dict chats, double now)
    cdef _fit(self, list sessions)
