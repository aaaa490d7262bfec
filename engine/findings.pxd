from engine.chat cimport Seat
from engine.chats cimport Chats
from engine.core cimport Core
from engine.session cimport Session
from engine.tips cimport Tips

cdef class Findings:
    cdef readonly object _beginners
    cdef Chats _chats
    cdef Core _core
    cdef Tips _tips
    cpdef found(self, str chat, int side, int number, str rule, double now)
    cdef tuple _who(self, str chat, int side)
    cpdef sweep(self, double now)
    cdef _act(self, Session writer, Seat seat, act)
    cdef _began(self, Session writer, double now)
    cdef bint _many(self, Session writer, double now) except -1
