from engine.matching.kept_pairs cimport KeptPairs
from engine.matching.lobby cimport Lobby
from engine.matching.spy_queue cimport SpyQueue
from engine.matching.tickets cimport Match, Step, Ticket

cimport cython

cdef class WaitingRoom:
    cdef readonly Lobby lobby
    cdef readonly SpyQueue spy_queue
    cdef object _hints
    cdef readonly KeptPairs pairs
    cdef readonly list news

    @cython.locals(wish=Ticket)
    cpdef submit(self, ticket, double now)
    cpdef Step status(self, client, double now)
    cpdef cancel(self, client, double now, reason=*)
    cpdef set_aside(self, client, double now)
    cpdef restore(self, client, double now)
    cpdef due(self)
    cdef Match _by_hint(self, Ticket ticket, double now)
    cdef bint _accepts_anyone(self, client)
    cdef Match _call(self, Ticket ticket, double now)
    cdef Match _counted(self, Match match)
