from engine.matching.interest_numbers cimport Vocabulary
from engine.core.engine_histograms cimport Histogram

cdef class HeldTicket:
    cdef readonly object ticket, number
    cdef public bint aside
    cdef public double asked

cdef class Gathering:
    cdef readonly object meeting, until
    cdef public dict came

cdef class RemoteRoom:
    cdef public Vocabulary vocabulary
    cdef object _number, _numbers, _coming
    cdef readonly dict _held, _gatherings
    cdef dict _there
    cdef list _untold
    cdef readonly Histogram answers
    cdef public list rows, news
    cdef public dict counts
    cdef object _meet, _is_waiting, _tell, _send_away, _called, _here, _wanted
    cdef public object go, is_full
    cpdef submit(self, ticket, double now)
    cpdef status(self, client, double now)
    cpdef cancel(self, client, double now, reason=*)
    cpdef set_aside(self, client, double now)
    cpdef restore(self, client, double now)
    cpdef due(self)
    cpdef told(self, batch, double now)
    cdef _hold(self, ticket, bint aside, status, double now)
    cdef _say_on(self, double now)
    cdef _say_again(self, client, double now)
    cdef _say(self, HeldTicket held, status, double now)
    cdef _step(self, list row, double now)
    cdef HeldTicket _answered(self, client, number, double now)
    cdef _go(self, list row, double now)
    cdef bint _is_ready(self, client, number)
    cdef _sit(self, meeting, double now, came=*)
    cdef _found(self, meeting)
    cdef _fail(self, meeting, double now)
