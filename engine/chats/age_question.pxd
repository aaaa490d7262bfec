from engine.chats.chat_lifecycle cimport Chats
from engine.conduct.age_answers cimport AgeAnswers
from engine.core.chat cimport Seat
from engine.core.engine_state cimport EngineState
from engine.core.session cimport Session
from engine.chats.safety_tips cimport LineTips

cdef class AgeQuestion:
    cdef EngineState _core
    cdef Chats _chats
    cdef LineTips _tips
    cdef object _holds, _grooming
    cdef AgeAnswers _ages
    cpdef bint is_answer(self, str chat, int side, int number) except -1
    cpdef found(self, str chat, int side, int number, str rule, int age, double now)
    cdef _hint(self, Session writer, Seat seat, int number)
    cdef bint _again(self, Session writer, Seat seat, int number) except -1
    cpdef bint hold(self, Session session, double now) except -1
    cpdef solution(self, Session session, request, double now)
    cdef _put(self, Session session, state, double now, int age=*)
    cpdef closing(self, person, double now)
