from engine.chats.chat_lifecycle cimport Chats
from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session
from engine.chats.safety_tips cimport LineTips

cdef class AgeQuestion:
    cdef EngineState _core
    cdef Chats _chats
    cdef LineTips _tips
    cdef object _grooming
    cdef object _ages
    cpdef bint is_answer(self, str chat, int side, int number) except -1
    cpdef found(self, str chat, int side, int number, int age, double now)
    cpdef bint hold(self, Session session, double now) except -1
    cdef _ask(self, Session session, double now)
    cpdef solution(self, Session session, request, double now)
    cdef _put(self, Session session, state, double now, int age=*)
    cpdef closing(self, person, double now)
