cimport cython

from engine.engine cimport Engine as engine_t
from engine.engine cimport session_t
from server.ops.security.identity_cookie cimport Identities
from server.ops.security.resume_tokens cimport Tokens
from server.realtime.worker.local_bus cimport LocalBus
from server.realtime.worker.engine_output cimport Output

cdef class Worker:
    cdef public object reactor
    cdef readonly object ids
    cdef readonly LocalBus bus
    cdef readonly Output output
    cdef readonly Tokens _tokens
    cdef readonly Identities identities
    cdef object _grace
    cdef readonly engine_t engine
    cdef readonly object find_ban, find_notice, find_statement, find_country_refusal, forget_saves, find_service
    cdef object _on_http, _on_frames, _on_turn, _on_age_answer, _find_tunnels
    cdef object _loop
    cdef readonly object _events
    cdef public object _put_off
    cdef object _timer
    cdef double _timer_at
    cdef object _second, _shortage
    cdef readonly object _crowding
    cdef object _meter
    cdef double _second_due
    cdef double _read_at
    cdef int _until_collection
    cpdef act(self, handler)
    cpdef _turn(self, events, double now, int rounds=*)

    @cython.locals(begun=double, more=list)
    cdef _tell_all(self, double now, int rounds)

    @cython.locals(person=session_t)
    cdef _tell(self, int kind, conn, session, data, double now)
    cpdef deliver(self, double now)
    cdef _fault(self, conn, session, fault, double now)
    cdef _greet(self, conn, session)
