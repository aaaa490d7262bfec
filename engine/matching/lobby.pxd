from libc.stdint cimport int64_t

from engine.matching.pool_counts cimport PoolRooms
from engine.matching.thresholds cimport Thresholds
from engine.matching.tickets cimport Match, Room, Step, Ticket
from engine.matching.interest_numbers cimport Vocabulary
from ext.match.due_heap cimport DueHeap
from ext.match.matcher_base cimport Index
from ext.match.interner cimport Ids

cimport cython

cdef int _MOST_INTERESTS, _MOST_AVOIDED

cdef class Lobby(Vocabulary):
    cdef public Thresholds thresholds
    cdef dict _counts
    cdef int64_t _submitted, _matched
    cdef public Index _matcher
    cdef public PoolRooms _rooms
    cdef public dict _tickets, _aside
    cdef public DueHeap _agenda
    cdef public double _window
    cdef public list _fresh
    cdef public double _now

    @cython.locals(ids=Ids, old=Ticket, room=Room)
    cpdef Match submit(self, Ticket ticket, double now)
    cpdef cancel(self, client, double now, reason=*)
    cpdef set_aside(self, client, double now)
    cpdef Match restore(self, client, double now)

    @cython.locals(due=double, ticket=Ticket)
    cpdef advance(self, double now, most=*)

    @cython.locals(due=double)
    cpdef due(self)

    @cython.locals(due=double, empty=double, ticket=Ticket)
    cdef double _next(self) except? -2.0
    cpdef count(self, reason, tickets=*)
    cpdef Step status(self, client, double now)
    cpdef Ticket waiting(self, client)
    cdef double _clock(self, double now)
    cdef _forget(self, Ticket ticket)
    cdef _out(self, Ticket ticket)
    cdef bint _quiet(self, Room room, double now)
    cdef tuple _also(self, Ticket ticket)

    @cython.locals(rate=double)
    cdef Match _enter(self, Ticket ticket, double now)

    @cython.locals(room=Room, window=double)
    cdef Match _look(self, Ticket ticket, double rate, double now)
    cdef _settle(self, Ticket ticket, double rate, double now, bint first=*)
    cdef _floor(self, Ticket ticket)

    @cython.locals(since=double)
    cdef Match _match(self, Ticket ticket, tuple found, double now)
    cdef Step _step(self, Ticket ticket, double now)
