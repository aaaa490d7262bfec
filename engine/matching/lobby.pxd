from engine.matching.rooms cimport Rooms
from engine.matching.thresholds cimport Thresholds
from engine.matching.tickets cimport Match, Room, Step, Ticket
from engine.matching.vocabulary cimport Vocabulary

cdef class Lobby(Vocabulary):
    cdef public Thresholds thresholds
    cdef public dict counts
    cdef public object _matcher
    cdef public Rooms _rooms
    cdef public dict _tickets, _aside
    cdef public object _agenda, _window
    cdef public list _fresh
    cdef public double _now
    cpdef Match submit(self, Ticket ticket, double now)
    cpdef cancel(self, client, double now, reason=*)
    cpdef set_aside(self, client, double now)
    cpdef Match restore(self, client, double now)
    cpdef advance(self, double now, most=*)
    cpdef due(self)
    cpdef Step status(self, client, double now)
    cdef double _clock(self, double now)
    cdef _forget(self, Ticket ticket)
    cdef _out(self, Ticket ticket)
    cdef bint _quiet(self, Room room, double now)
    cdef tuple _also(self, Ticket ticket)
    cdef Match _enter(self, Ticket ticket, double now)
    cdef Match _look(self, Ticket ticket, double now)
    cdef _settle(self, Ticket ticket, double now, bint first=*)
    cdef _floor(self, Ticket ticket)
    cdef Match _match(self, Ticket ticket, tuple found, double now)
    cdef Step _step(self, Ticket ticket, double now)
