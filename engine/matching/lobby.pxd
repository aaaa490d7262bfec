from libc.stdint cimport int64_t, uint64_t

from engine.matching.pool_counts cimport PoolRooms
from engine.matching.thresholds cimport Thresholds
from engine.matching.tickets cimport Match, Room, Step, Ticket
from engine.matching.interest_numbers cimport Vocabulary
from engine.matching.window_pairing cimport EndedWindow
from ext.base.id_map cimport IdMap
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
    cdef public IdMap _tickets, _aside
    cdef public DueHeap _agenda
    cdef public double _window
    cdef public list _fresh
    cdef public EndedWindow _ended
    cdef public double _now

    @cython.locals(client=uint64_t, ids=Ids, old=Ticket, room=Room)
    cpdef Match submit(self, Ticket ticket, double now)

    @cython.locals(ticket=Ticket)
    cpdef cancel(self, uint64_t client, double now, reason=*)

    @cython.locals(ticket=Ticket)
    cpdef set_aside(self, uint64_t client, double now)

    @cython.locals(ticket=Ticket)
    cpdef Match restore(self, uint64_t client, double now)

    @cython.locals(due=double, ticket=Ticket)
    cpdef advance(self, double now, most=*)

    @cython.locals(due=double)
    cpdef due(self)

    @cython.locals(due=double, empty=double, ticket=Ticket)
    cdef double _next(self) except? -2.0
    cpdef count(self, reason, tickets=*)

    @cython.locals(ticket=Ticket)
    cpdef Step status(self, uint64_t client, double now)
    cpdef Ticket waiting(self, uint64_t client)
    cdef double _clock(self, double now)
    cdef _pair(self, list matches, double now, int most)

    @cython.locals(room=Room, rate=double, gathered=list)
    cdef bint _end_window(self, double now) except -1

    @cython.locals(a=Ticket, b=Ticket, ticket=Ticket, pair=tuple)
    cdef _take_pair(self, EndedWindow ended, list matches, double now)
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

    @cython.locals(other=uint64_t, common=tuple, weight=double, since=double, rule=str, partner=Ticket)
    cdef Match _match(self, Ticket ticket, tuple found, double now)

    @cython.locals(level=int, own=Room, step=Step)
    cdef Step _step(self, Ticket ticket, double now)


@cython.locals(ticket=Ticket, slot=int)
cdef _number(list members)


@cython.locals(match=Match)
cdef Match _matched(uint64_t a, uint64_t b, tuple common, double weight, double waited_a, double waited_b, str rule)
