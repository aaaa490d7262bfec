from engine.matching.tickets cimport Step, Ticket
from engine.matching.interest_numbers cimport Vocabulary
from engine.rooms.meeting_placement cimport Placement
from engine.matching.recent_partners cimport RecentPartners
from engine.rooms.local_waiting_room cimport WaitingRoom

cimport cython

cdef class Waiter:
    cdef readonly object worker, number, ids

cdef class Hub:
    cdef readonly WaitingRoom room
    cdef Vocabulary _vocabulary
    cdef object _words
    cdef readonly RecentPartners _recents
    cdef readonly dict _waiters, _pending
    cdef readonly Placement _placing
    cdef dict _waiting
    cdef object _matches
    cdef readonly dict out
    cdef readonly object tally
    cdef dict _handlers
    cdef dict _stated
    cpdef told(self, worker, batch, double now)

    @cython.locals(at=Py_ssize_t, size=Py_ssize_t)
    cpdef read(self, worker, bytes data, double now)
    cdef _arrive(self, worker, number, Ticket ticket, list words, status, double now)
    cpdef due(self)
    cdef _enter(self, worker, number, ticket, ids, status, double now)
    cdef _answer(self, client, found, double now)
    cdef _meet(self, found, double now)
    cdef tuple _taken_out(self, client)
    cdef _missed(self, id, double now)
    cdef _ask(self, id)
    cdef _step(self, Step step, double now)
    cdef bint _is_at(self, client, worker)
    cdef _full(self, client)
    cdef _drop(self, client)
    cdef _count(self, worker, int more)
    cdef _tell(self, worker, list row)
    cdef _tell_calls(self)
