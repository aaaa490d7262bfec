from libc.stdint cimport int64_t

from engine.matching.tickets cimport Match, Step, Ticket
from engine.matching.interest_numbers cimport Vocabulary
from engine.rooms.meeting_placement cimport Placement
from engine.matching.recent_partners cimport RecentPartners
from engine.core.interest_quota cimport InterestLimits
from engine.rooms.local_waiting_room cimport WaitingRoom
from ext.match.interner cimport Ids
from ext.match.room_records cimport RecordReader

cimport cython

cdef class Waiter:
    cdef readonly object worker, number, ids

cdef class MatchCounts:
    cdef public int64_t made, moved, done, failed, lost, unknown
    cpdef dict table(self)

cdef class Hub:
    cdef readonly WaitingRoom room
    cdef Vocabulary _vocabulary
    cdef InterestLimits _words
    cdef readonly RecentPartners _recents
    cdef readonly dict _waiters, _pending
    cdef readonly Placement _placing
    cdef dict _waiting
    cdef object _matches
    cdef readonly dict out
    cdef MatchCounts _counts
    cdef dict _handlers
    cdef dict _stated
    cpdef told(self, worker, batch, double now)

    @cython.locals(reader=RecordReader)
    cpdef read(self, worker, bytes data, double now)
    cdef _seated(self, worker, id, list who, double now)

    @cython.locals(partners=tuple, given=tuple, ids=Ids)
    cdef _arrive(self, worker, number, Ticket ticket, list words, status, double now)
    cpdef due(self)

    @cython.locals(old=Waiter, moved=bint, is_new=bint)
    cdef _enter(self, worker, number, client, ticket, ids, status, double now)
    cdef _answer(self, client, found, double now)

    @cython.locals(match=Match)
    cdef _meet(self, found, double now)

    @cython.locals(waiter=Waiter)
    cdef tuple _taken_out(self, client)
    cdef _missed(self, id, double now)
    cdef _ask(self, id)

    @cython.locals(waiter=Waiter)
    cdef _step(self, Step step, double now)

    @cython.locals(waiter=Waiter)
    cdef bint _is_at(self, client, worker)

    @cython.locals(waiter=Waiter)
    cdef _full(self, client)

    @cython.locals(waiter=Waiter)
    cdef _drop(self, client)
    cdef _release(self, Waiter waiter)
    cdef _count(self, worker, int more)
    cdef _tell(self, worker, list row)
    cdef _tell_calls(self)
