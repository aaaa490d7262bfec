from libc.stdint cimport int64_t, uint64_t

from engine.matching.tickets cimport Match, Step, Ticket, Waiter
from engine.matching.interest_numbers cimport Vocabulary
from engine.rooms.hub_outbox cimport Outbox
from engine.rooms.hub_records cimport read_ticket
from engine.rooms.meeting_placement cimport Placement
from engine.matching.recent_partners cimport RecentPartners
from engine.core.interest_quota cimport InterestLimits
from engine.rooms.local_waiting_room cimport WaitingRoom
from ext.base.id_map cimport IdMap
from ext.match.room_records cimport RecordReader

cimport cython

cdef class MatchCounts:
    cdef public int64_t made, moved, done, failed, lost, unknown
    cpdef dict table(self)

cdef class Hub:
    cdef readonly WaitingRoom room
    cdef Vocabulary _vocabulary
    cdef InterestLimits _words
    cdef readonly RecentPartners _recents
    cdef readonly IdMap _waiters
    cdef readonly dict _pending, _moved
    cdef readonly Placement _placing
    cdef dict _waiting
    cdef uint64_t _matches
    cdef readonly dict out
    cdef MatchCounts _counts
    cdef dict _handlers
    cdef dict _stated
    cpdef told(self, worker, batch, double now)

    @cython.locals(reader=RecordReader, ticket=Ticket, place=int, home=int)
    cpdef read(self, worker, bytes data, double now)

    @cython.locals(place=int, other=int, person=uint64_t)
    cdef _read_done(self, uint64_t worker, RecordReader reader, double now)
    cdef _end(self, id)
    cdef _sit(self, uint64_t worker, uint64_t client, double now)

    @cython.locals(partners=tuple, given=tuple)
    cdef _arrive(self, Ticket ticket, list words, status, double now)
    cpdef due(self)

    @cython.locals(client=uint64_t, worker=uint64_t, old=Waiter, moved=bint, is_new=bint)
    cdef _enter(self, Waiter waiter, ticket, status, double now)
    cdef _answer(self, uint64_t client, found, double now)

    @cython.locals(match=Match, one=Waiter, who=list, words=list, out=Outbox, target=uint64_t, together=bint)
    cdef _meet(self, found, double now)

    @cython.locals(one=Waiter, first=uint64_t)
    cdef uint64_t _target(self, list who) except? 0

    @cython.locals(waiter=Waiter)
    cdef Waiter _taken_out(self, uint64_t client)
    cdef _missed(self, id, double now)
    cdef _ask(self, id)

    @cython.locals(waiter=Waiter, out=Outbox, ticket=Ticket)
    cdef _step(self, Step step, double now)

    @cython.locals(waiter=Waiter)
    cdef bint _is_at(self, uint64_t client, uint64_t worker)

    @cython.locals(waiter=Waiter)
    cdef _full(self, uint64_t client)

    @cython.locals(waiter=Waiter)
    cdef Waiter _drop(self, uint64_t client)
    cdef _ask_other(self, uint64_t client, uint64_t other, double now)
    cdef _count(self, worker, int more)

    @cython.locals(out=Outbox)
    cdef _tell(self, uint64_t worker, list row)
    cdef _tell_calls(self)
