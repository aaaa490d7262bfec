from libc.stdint cimport uint16_t, uint32_t

from engine.core.chat cimport Seat
from engine.core.states cimport Transitions
from engine.matching.search_criteria cimport Terms
from ext.net.rate_limit_carry_over cimport LimitsOwner

cdef class Query:
    cdef public Terms terms
    cdef public object question
    cdef public tuple avoid, halves
    cdef public object ids, calls
    cdef public tuple networks
    cdef public object typed
    cpdef fill(self, Terms terms, question, tuple avoid)

cdef class ChallengeState:
    cdef public int level
    cdef public str kind
    cdef public bint asked
    cdef public bytes frame
    cdef public bint checked
    cdef public double began, until, waits
    cdef public int wrong
    cdef public double first_wrong, barred
    cpdef raise_to(self, int level)

cdef class Session(LimitsOwner):
    cdef public object id, key, used, moved_on
    cdef public object conn
    cdef public object identity, address
    cdef public tuple networks
    cdef public object alias, person
    cdef public str told
    cdef public double deadline
    cdef public Query query
    cdef public Seat seat, past
    cdef public tuple saves
    cdef public ChallengeState trial
    # what is half as wide stands together: who waits holds one of these
    cdef public uint32_t serial
    cdef public uint16_t port
    cdef public short state, way
    cdef public bint fresh, snaps, pictures
    cpdef move(self, Transitions event)
