from engine.matching.tickets cimport Match, Step, Ticket

cdef class WaitingRoom:
    cdef readonly object lobby, spy_queue
    cdef object _hints
    cpdef submit(self, ticket, double now)
    cpdef Step status(self, client, double now)
    cpdef cancel(self, client, double now, reason=*)
    cpdef set_aside(self, client, double now)
    cpdef restore(self, client, double now)
    cpdef due(self)
    cdef Match _by_hint(self, Ticket ticket, double now)
